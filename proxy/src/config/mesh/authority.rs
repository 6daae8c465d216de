//! A host that stands among changes of fields.

use crate::policy::HeaderOperations;

/// Takes a fixed host out of the changes, and everything that names a field which no change may touch.
pub(super) fn take_authority(operations: &mut HeaderOperations) -> Option<String> {
    let is_host = |name: &str| name == ":authority" || name == "host";
    let hosts = operations.add.iter().filter(|addition| is_host(&addition.name));
    let authority = hosts.filter_map(|addition| addition.value.as_literal()).next_back().map(str::to_owned);
    let taken = |name: &str| is_host(name) || name.starts_with(':');
    operations.add.retain(|addition| !taken(&addition.name) || addition.value.as_literal().is_none());
    operations.remove.retain(|name| !taken(name));
    authority
}
