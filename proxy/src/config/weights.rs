//! Shifting the weights of a release: the numbers are changed where they stand, everything else in the file stays as it was written.

use squall_yaml::{Document, Node, Place, Source};
use std::io;
use std::path::{Path, PathBuf};

/// Why weights could not be shifted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A policy is no YAML any more.
    #[error("{0}: not to be read any more")]
    Damaged(PathBuf),
    /// No route gives a weight to the version.
    #[error("no VirtualService of {service} has a route with a `weight` for its subset {version}")]
    NoWeight {
        /// The service.
        service: String,
        /// The version, which is the subset's name.
        version: String,
    },
}

/// Gives `version` of `service` so many percent wherever a rule has a weight for it; the other destinations share the rest as before.
pub fn shift(folder: &Path, service: &str, version: &str, percent: f64) -> Result<(), Error> {
    let mut shifted = false;
    for path in super::files_of(folder) {
        let text = std::fs::read_to_string(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        let source = Source { path: path.clone(), text };
        let documents = squall_yaml::parse(&source).map_err(|_| Error::Damaged(path.clone()))?;
        let edits: Vec<_> = documents.iter().flat_map(|document| edits(document, service, version, percent)).collect();
        if !edits.is_empty() {
            shifted = true;
            replace(&path, &apply(&source.text, edits)).map_err(|source| Error::File { path, source })?;
        }
    }
    if shifted { Ok(()) } else { Err(Error::NoWeight { service: service.to_owned(), version: version.to_owned() }) }
}

/// A number to be written in place of the text at a place.
struct Edit {
    place: Place,
    len: usize,
    weight: u32,
}

fn edits(document: &Document, service: &str, version: &str, percent: f64) -> Vec<Edit> {
    object_edits(&document.root, service, version, percent)
}

/// Of an object, or of those of a list.
fn object_edits(object: &Node, service: &str, version: &str, percent: f64) -> Vec<Edit> {
    match object.get("kind").and_then(Node::scalar) {
        Some("VirtualService") => {
            let rules = object.get("spec").and_then(|spec| spec.get("http")).map_or(&[][..], Node::list);
            rules.iter().flat_map(|rule| rule_edits(rule, service, version, percent)).collect()
        }
        Some("List") => {
            let items = object.get("items").map_or(&[][..], Node::list);
            items.iter().flat_map(|item| object_edits(item, service, version, percent)).collect()
        }
        _ => Vec::new(),
    }
}

fn rule_edits(rule: &Node, service: &str, version: &str, percent: f64) -> Vec<Edit> {
    let destinations = rule.get("route").map_or(&[][..], Node::list);
    let is_new = |node: &Node| {
        let destination = node.get("destination");
        let text = |name: &str| destination.and_then(|destination| destination.get(name)).and_then(Node::scalar);
        let host = text("host").unwrap_or_default();
        let host = host.split('.').next().unwrap_or(host);
        host == service && text("subset") == Some(version)
    };
    if !destinations.iter().any(is_new) {
        return Vec::new();
    }
    let weight = |node: &Node| node.get("weight").and_then(Node::scalar).and_then(|weight| weight.parse::<f64>().ok());
    let others: f64 = destinations.iter().filter(|node| !is_new(node)).filter_map(weight).sum();
    let count = destinations.iter().filter(|node| !is_new(node)).count() as f64;
    let mut edits = Vec::new();
    // Weights are whole numbers; of ten thousand, a hundredth of a percent is one.
    let whole = |share: f64| (share * 100.0).round() as u32;
    for destination in destinations {
        let Some(node) = destination.get("weight") else { continue };
        let share = if is_new(destination) {
            percent
        } else if others > 0.0 {
            (100.0 - percent) * weight(destination).unwrap_or(0.0) / others
        } else {
            (100.0 - percent) / count
        };
        edits.push(Edit { place: node.place, len: node.len, weight: whole(share) });
    }
    edits
}

/// The text with the numbers replaced, from the last to the first so that places stay right.
fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.place));
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for edit in edits {
        let Some(line) = lines.get_mut(edit.place.line.saturating_sub(1)) else { continue };
        let letters: Vec<char> = line.chars().collect();
        let from = edit.place.column.saturating_sub(1).min(letters.len());
        let to = (from + edit.len).min(letters.len());
        let (before, after): (String, String) = (letters[..from].iter().collect(), letters[to..].iter().collect());
        *line = format!("{before}{}{after}", edit.weight);
    }
    lines.join("\n")
}

/// Writes beside the file and renames, so that a reader sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("yaml.new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "# kept\nkind: VirtualService\napiVersion: networking.istio.io/v1\nspec:\n  hosts: [web]\n  http:\n    - route:\n        - {destination: {host: web, subset: v1}, weight: 100} # old\n        - {destination: {host: web.default, subset: v2}, weight: 0}\n";

    fn shifted(percent: f64) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.yaml");
        std::fs::write(&file, POLICY).unwrap();
        shift(folder.path(), "web", "v2", percent).unwrap();
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn only_the_numbers_change() {
        let expected = POLICY.replace("weight: 100}", "weight: 9000}").replace("weight: 0}", "weight: 1000}");
        assert_eq!(shifted(10.0), expected);
        let expected = POLICY.replace("weight: 100}", "weight: 0}").replace("weight: 0}\n", "weight: 10000}\n");
        assert_eq!(shifted(100.0), expected);
    }

    #[test]
    fn shifting_there_and_back_gives_everything_to_the_old_version() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web.yaml"), POLICY).unwrap();
        for percent in [10.0, 100.0, 0.0] {
            shift(folder.path(), "web", "v2", percent).unwrap();
        }
        let text = std::fs::read_to_string(folder.path().join("web.yaml")).unwrap();
        assert!(text.contains("subset: v1}, weight: 10000}") && text.contains("subset: v2}, weight: 0}"), "{text}");
    }

    #[test]
    fn objects_of_a_list_are_shifted_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.yaml");
        let item = POLICY.replace("# kept\n", "").replace('\n', "\n    ");
        std::fs::write(&file, format!("apiVersion: v1\nkind: List\nitems:\n  - {}", item.trim_end())).unwrap();
        shift(folder.path(), "web", "v2", 10.0).unwrap();
        assert!(std::fs::read_to_string(file).unwrap().contains("subset: v2}, weight: 1000}"));
    }

    #[test]
    fn a_version_without_a_weight_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web.yaml"), POLICY).unwrap();
        assert!(matches!(shift(folder.path(), "web", "v3", 10.0), Err(Error::NoWeight { .. })));
    }
}
