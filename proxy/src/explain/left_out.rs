//! What has become no route, in words.

use super::told::place;
use super::{PassedOver, Question};
use crate::config::mesh::{LeftOut, Mode, Site, Why};
use std::collections::BTreeMap;

/// Everything that was left out, in words.
pub(super) fn told(left: Vec<LeftOut>, site: &Site, question: &Question) -> Vec<PassedOver> {
    left.into_iter().map(|left| one(&left, site, question)).collect()
}

fn one(left: &LeftOut, site: &Site, question: &Question) -> PassedOver {
    let here = if site.mode == Mode::Gateway { "a gateway" } else { "the caller's sidecar" };
    let gateways = |names: &[String]| {
        let at = match site.mode {
            Mode::Gateway => format!("the gateways of port {}", question.port()),
            _ => "`mesh`".to_owned(),
        };
        (names.join(", "), at)
    };
    let namespace = || site.node.namespace.clone();
    let (condition, (wanted, given)) = match &left.why {
        Why::Hosts(hosts) => ("hosts", (hosts.join(", "), format!("`{}`", question.authority()))),
        Why::ExportTo(to) => ("exportTo", (to.join(", "), format!("namespace {}", namespace()))),
        Why::Gateways(names) => ("gateways", gateways(names)),
        Why::Section(name) => ("sectionName", (name.clone(), format!("port {}", question.port()))),
        Why::Sidecar => {
            let wanted = "a Sidecar that imports the host at this port".to_owned();
            ("Sidecar", (wanted, format!("{here} of namespace {}", namespace())))
        }
        Why::Taken(winner) => {
            ("host", ("to be the object that has the host".to_owned(), format!("{} has it", place(winner))))
        }
        Why::Port(port) => ("port", (port.to_string(), question.port().to_string())),
        Why::MatchGateways(names) => ("gateway", gateways(names)),
        Why::SourceNamespace(wanted) => ("source namespace", (wanted.clone(), namespace())),
        Why::SourceLabels(wanted) => ("source labels", (labels(wanted), labels(&site.node.labels))),
        Why::NoDelegate(name) => ("delegate", (name.clone(), "there is none that may be one".to_owned())),
        Why::Excluded => {
            let wanted = "what the rule that delegates to it excludes".to_owned();
            ("delegate", (wanted, "never".to_owned()))
        }
    };
    let name = if left.rule.is_empty() { left.object.clone() } else { format!("{} {}", left.object, left.rule) };
    PassedOver { place: place(&left.origin), name, condition: condition.to_owned(), wanted, given }
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if all.is_empty() { "no labels".to_owned() } else { all.join(", ") }
}
