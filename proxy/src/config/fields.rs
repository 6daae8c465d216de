//! Which fields of an object were written, and where.

use crate::policy::{Fields, Spot};
use squall_yaml::{Node, Value};
use std::collections::BTreeMap;

/// Deeper than any field that advice is given about.
const MOST_DEPTH: usize = 12;

/// The fields of an object by their paths. `spelled` makes of a key the name that it has in paths.
pub(super) fn fields(root: &Node, spelled: fn(&str) -> String) -> Fields {
    let mut places = BTreeMap::new();
    collect(root, "", 0, spelled, &mut places);
    Fields::new(places)
}

fn collect(node: &Node, path: &str, depth: usize, spelled: fn(&str) -> String, places: &mut BTreeMap<String, Spot>) {
    if depth > MOST_DEPTH {
        return;
    }
    let mut visit = |step: &str, stands: &Node, inner: &Node| {
        let path = if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
        let spot = Spot { line: stands.place.line, column: stands.place.column, width: stands.len };
        places.insert(path.clone(), spot);
        collect(inner, &path, depth + 1, spelled, places);
    };
    match &node.value {
        Value::Map(entries) => {
            // A field that holds nothing is as if it were left out.
            for (key, value) in entries.iter().filter(|(_, value)| !matches!(value.value, Value::Null)) {
                visit(&spelled(key.scalar().unwrap_or_default()), key, value);
            }
        }
        Value::List(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                visit(&index.to_string(), entry, entry);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_yaml::Source;

    #[test]
    fn keys_of_maps_and_entries_of_lists_have_paths_and_empty_fields_have_none() {
        let text = "spec:\n  http:\n    - timeout: 2s\n      retries:\n    - {timeout: 3s}\n";
        let documents = squall_yaml::parse(&Source { path: "a.yaml".into(), text: text.to_owned() }).unwrap();
        let fields = fields(&documents[0].root, str::to_uppercase);
        let place = |path: &str| fields.nearest(path).map(|spot| (spot.line, spot.column, spot.width));
        assert_eq!(place("SPEC.HTTP"), Some((2, 3, 4)));
        assert_eq!(place("SPEC.HTTP.0.TIMEOUT"), Some((3, 7, 7)));
        assert_eq!(place("SPEC.HTTP.1.TIMEOUT"), Some((5, 8, 7)));
        assert!(!fields.has("SPEC.HTTP.0.RETRIES"));
    }
}
