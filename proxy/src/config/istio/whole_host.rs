//! Hosts of gateways and sidecars, which are no short names.

use crate::config::names::{check_host_or_address, is_label, is_partial_wildcard};
use crate::config::problems::Problems;
use squall_yaml::Spanned;

/// A host of a gateway: `host`, or `namespace/host`.
pub(super) fn check_server_host(written: &Spanned<String>, problems: &mut Problems<'_>) {
    let host = match written.value.split_once('/') {
        Some((namespace, host)) => {
            if !(namespace == "*" || namespace == "." || is_label(namespace)) {
                problems.error(
                    written.place,
                    format!("`{namespace}` is no namespace"),
                    "`namespace/host`, `./host` or `*/host`",
                );
            }
            host
        }
        None => &written.value,
    };
    check_whole_host(host, written, problems);
}

/// A host of a gateway or a sidecar, which is no short name.
pub(super) fn check_whole_host(host: &str, written: &Spanned<String>, problems: &mut Problems<'_>) {
    if host != "*" && !host.contains(['.', ':']) {
        let message = format!("`{host}` is a short name, which Istio refuses here");
        problems.error(written.place, message, "write the whole name, as `cart.default.svc.cluster.local`");
    } else if let Err(bad) = check_host_or_address(host) {
        problems.error(written.place, bad, "a name, `*.suffix` or `*`");
    } else if is_partial_wildcard(host) {
        problems.error(written.place, format!("`{host}` begins with a part of a wildcard"), "`*.suffix`, or `*`");
    }
}
