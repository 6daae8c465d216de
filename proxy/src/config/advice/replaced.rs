//! Blocks of subsets and ports that take the place of whole ones.

use super::Advice;
use super::codes::{PORT_REPLACES, SUBSET_REPLACES};
use super::view::View;
use super::words::list;
use super::written::advice_at;
use crate::config::objects::DestinationRule;
use crate::policy::Fields;

/// Blocks whose fields are there to be combined; those of TLS belong together anyway.
const BLOCKS: [&str; 3] = ["outlierDetection", "connectionPool", "loadBalancer"];

/// Ways to balance, of which another is meant instead.
const ALTERNATIVES: [&str; 2] = ["simple", "consistentHash"];

const POLICY: &str = "trafficPolicy";

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.objects.destination_rules.iter().flat_map(of_rule).collect()
}

fn of_rule(rule: &DestinationRule) -> Vec<Advice> {
    let fields = &rule.origin.fields;
    let mut all = ports(rule, POLICY, &rule.port_policies.iter().map(|(port, _)| *port).collect::<Vec<_>>());
    for (index, subset) in rule.subsets.iter().enumerate() {
        let own = format!("subsets.{index}.{POLICY}");
        for block in BLOCKS {
            let (inner, outer) = (format!("{own}.{block}"), format!("{POLICY}.{block}"));
            let lost = lost(fields, &outer, &inner);
            if !fields.has(&inner) || lost.is_empty() {
                continue;
            }
            let what = format!(
                "{block} of the subset {} takes the place of that of {} whole: {}",
                subset.name,
                rule.host,
                are_defaults(&lost)
            );
            let fix =
                format!("{block}:\n  # ... what is there, and what is to hold from above:\n{}", repeated(&lost, 1));
            all.push(advice_at(&rule.origin, &SUBSET_REPLACES, &inner, what, fix));
        }
        all.extend(ports(rule, &own, &subset.port_policies.iter().map(|(port, _)| *port).collect::<Vec<_>>()));
    }
    all
}

/// What each port loses of the policy around it.
fn ports(rule: &DestinationRule, base: &str, ports: &[u16]) -> Vec<Advice> {
    let fields = &rule.origin.fields;
    let mut all = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let own = format!("{base}.portLevelSettings.{index}");
        let mut gone = Vec::new();
        for block in BLOCKS.iter().chain(&["tls"]) {
            let (outer, inner) = (format!("{base}.{block}"), format!("{own}.{block}"));
            if !fields.has(&outer) {
                continue;
            }
            if !fields.has(&inner) {
                gone.push((*block).to_owned());
            } else if *block != "tls" {
                gone.extend(lost(fields, &outer, &inner).iter().map(|field| format!("{block}.{field}")));
            }
        }
        if gone.is_empty() {
            continue;
        }
        let what = format!("port {port} of {} has nothing of the policy above it: {}", rule.host, are_defaults(&gone));
        let fix = format!(
            "portLevelSettings:\n  - port: {{number: {port}}}\n    # ... what is there, and what is to hold from above:\n{}",
            repeated(&gone, 2)
        );
        all.push(advice_at(&rule.origin, &PORT_REPLACES, &own, what, fix));
    }
    all
}

/// The innermost fields of a block that another leaves out.
fn lost(fields: &Fields, outer: &str, inner: &str) -> Vec<String> {
    let innermost = |path: &&str| fields.within(&format!("{outer}.{path}")).next().is_none();
    let gone = |path: &&str| {
        let first = path.split('.').next().unwrap_or(path);
        !ALTERNATIVES.contains(&first) && !fields.has(&format!("{inner}.{path}"))
    };
    fields.within(outer).filter(innermost).filter(gone).map(str::to_owned).collect()
}

fn are_defaults(lost: &[String]) -> String {
    let is = if lost.len() == 1 { "is the default" } else { "are the defaults" };
    format!("{} {is} again", list(lost))
}

/// Fields as lines to write again, with the values from above.
fn repeated(lost: &[String], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    lost.iter().map(|field| format!("{indent}{field}: ... # as above")).collect::<Vec<_>>().join("\n")
}
