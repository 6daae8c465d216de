//! What of an object is not for reading: what the cluster added, fields that are not obeyed, and fields that hold nothing.

use super::kinds::Kind;
use super::problems::Problems;
use squall_yaml::{Document, Node, Value};

/// At the top of an object: what says which kind it is, and what the cluster writes of how it fares.
const NOT_LOOKED_AT: [&str; 3] = ["apiVersion", "kind", "status"];

/// Maps whose keys are the user's own words, and in which one that holds nothing says something.
const OWN_KEYS: [&str; 3] = ["match.headers", "match.withoutHeaders", "match.queryParams"];

/// The object without these; fields that are not obeyed are told, and fields that hold nothing, which is as if they were left out.
pub(super) fn sieve(document: &Document, kind: &Kind, problems: &mut Problems<'_>) -> Document {
    let entries = document.root.map().iter().filter(|(key, _)| !is_one_of(key, &NOT_LOOKED_AT)).cloned().collect();
    let root = Node { place: document.root.place, len: document.root.len, value: Value::Map(entries) };
    document.part(node(&root, "", kind, problems))
}

fn is_one_of(key: &Node, names: &[&str]) -> bool {
    key.scalar().is_some_and(|key| names.contains(&key))
}

fn node(full: &Node, path: &str, kind: &Kind, problems: &mut Problems<'_>) -> Node {
    let value = match &full.value {
        Value::List(entries) => Value::List(entries.iter().map(|entry| node(entry, path, kind, problems)).collect()),
        Value::Map(entries) => {
            let own_keys = OWN_KEYS.iter().any(|own| path.ends_with(own));
            Value::Map(entries.iter().filter_map(|entry| kept(entry, path, own_keys, kind, problems)).collect())
        }
        other => other.clone(),
    };
    Node { place: full.place, len: full.len, value }
}

fn kept(
    (key, value): &(Node, Node),
    path: &str,
    own_keys: bool,
    kind: &Kind,
    problems: &mut Problems<'_>,
) -> Option<(Node, Node)> {
    let name = key.scalar().unwrap_or_default();
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if kind.refuses(&path) {
        problems.unsupported(key.place, key.len, &format!("{}.{path}", kind.name));
        return None;
    }
    if matches!(value.value, Value::Null) && !own_keys {
        if !path.split('.').any(|part| part == "metadata") {
            problems.warning(key.place, format!("`{name}` holds nothing, which is as if it were left out"), "");
        }
        return None;
    }
    Some((key.clone(), node(value, &path, kind, problems)))
}
