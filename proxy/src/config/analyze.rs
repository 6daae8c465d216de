//! Findings across objects: each is right by itself, and together they do not do what was meant.
//!
//! Warnings all: Istio takes such objects as well.

mod conflicts;
mod delegates;
mod destinations;
mod gateways;
mod reach;
mod subsets;

#[cfg(test)]
mod tests;

use super::mesh::{Bound, Registry};
use super::objects::{Objects, PlaceInFile};
use crate::policy::Origin;
use squall_yaml::{Finding, Place, Severity};

/// Codes of these findings, each with why it matters.
pub const CODES: [(&str, &str); 14] = [
    ("SQ0401", "A destination whose host is no service has no cluster: its requests are answered 503."),
    ("SQ0402", "A subset that no DestinationRule defines has no cluster: its requests are answered 503."),
    ("SQ0403", "A port that the service does not have has no cluster: its requests are answered 503."),
    ("SQ0404", "Sidecars do not merge VirtualServices of one host: the first wins, the others route nothing there."),
    ("SQ0405", "Routes that are bound to a gateway that is not there are used by nobody."),
    ("SQ0406", "A gateway that no VirtualService names answers every request with 404."),
    (
        "SQ0407",
        "Servers that select the same proxies cannot share a port and a host: the first wins, the other is left out.",
    ),
    ("SQ0408", "A VirtualService that shares no host with its gateway's servers routes nothing there."),
    ("SQ0409", "What stands behind a rule for every request is never reached; a control plane does not even send it."),
    ("SQ0410", "Requests of a match that an earlier one covers have gone by that one."),
    ("SQ0411", "A subset whose labels no endpoint carries has nowhere to go: its requests are answered 503."),
    ("SQ0412", "A DestinationRule whose host is no service changes nothing."),
    ("SQ0413", "What is left to a delegate that cannot be one is dropped with everything that it should have routed."),
    ("SQ0414", "A delegate's rule whose match contradicts its root's is dropped."),
];

/// Every finding across these objects. `names` are hosts of services known besides them.
pub fn analyze(objects: &Objects, names: &[String]) -> Vec<Finding> {
    let registry = Registry::of(objects, names);
    let bound: Vec<_> = objects.virtual_services.iter().filter_map(|object| Bound::of(object, objects)).collect();
    let mut findings = destinations::findings(objects, &registry);
    findings.extend(conflicts::findings(&bound));
    findings.extend(gateways::findings(objects, &bound));
    findings.extend(reach::findings(objects));
    findings.extend(delegates::findings(objects));
    findings.extend(subsets::findings(objects, &registry));
    findings.sort_by(|one, other| (&one.file, one.place, one.code).cmp(&(&other.file, other.place, other.code)));
    findings
}

/// A finding at a word, or where that is not known at the line of what it stands in.
fn finding(
    code: &'static str,
    within: &Origin,
    at: PlaceInFile,
    word: &str,
    message: String,
    help: impl Into<Option<String>>,
) -> Finding {
    let known = at.0.line > 0;
    Finding {
        severity: Severity::Warning,
        file: within.file.clone(),
        place: if known { at.0 } else { Place { line: within.line, column: 1 } },
        span_len: if known { word.chars().count() } else { 0 },
        message,
        expected: None,
        help: help.into(),
        code: Some(code),
    }
}
