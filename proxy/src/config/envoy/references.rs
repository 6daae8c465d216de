//! Names of clusters, and whether there are such clusters.

use super::message::Message;
use super::reading::Said;
use super::written::Written;
use crate::policy::Cluster;
use squall_yaml::{Place, suggest};

/// A cluster that is named somewhere.
pub(super) struct Wanted {
    name: String,
    path: String,
    place: Place,
    len: usize,
    /// Without it the bootstrap is refused; otherwise requests are answered 503 while it runs.
    strict: bool,
}

/// Notes that a cluster is named.
pub(super) fn want(at: &Written<'_>, name: &str, strict: bool) {
    let (path, place, len) = (at.path.clone(), at.node.place, at.node.len);
    at.reading.wanted.borrow_mut().push(Wanted { name: name.to_owned(), path, place, len, strict });
}

/// Tells which of them there are not.
pub(super) fn check(bootstrap: &Message<'_>, clusters: &[Cluster]) {
    let reading = bootstrap.at.reading;
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    for Wanted { name, path, place, len, strict } in reading.wanted.take() {
        if names.contains(&name.as_str()) {
            continue;
        }
        let said = Said::from(format!("`{path}`: there is no cluster `{name}`"));
        let said = match suggest(&name, &names) {
            Some(near) => said.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => said.help("`static_resources.clusters` has none"),
            None => said.help(format!("there are {}", names.join(", "))),
        };
        reading.at(place, len, strict, said);
    }
}
