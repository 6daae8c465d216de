//! Rules that no request reaches.

use super::finding;
use crate::config::mesh::{matches_everything, subset_of};
use crate::config::objects::{HttpRule, MatchBlock, Objects, PlaceInFile};
use crate::policy::{Origin, PathMatch, RouteMatch};
use squall_yaml::Finding;

/// Rules and matches behind what takes all their requests.
pub(super) fn findings(objects: &Objects) -> Vec<Finding> {
    // Rules of the Gateway API are sorted by how specific they are, and may overlap.
    let written = objects.virtual_services.iter().filter(|object| !object.of_gateway_api);
    written.flat_map(|object| of_rules(&object.http)).collect()
}

fn of_rules(rules: &[HttpRule]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ahead: Vec<&MatchBlock> = Vec::new();
    let mut catch_all: Option<&Origin> = None;
    for rule in rules {
        if let Some(all) = catch_all {
            findings.push(behind_all(&rule.origin, all));
            continue;
        }
        for block in &rule.matches {
            if let Some(all) = catch_all {
                findings.push(behind_all(&block.origin, all));
                continue;
            }
            if let Some(other) = ahead.iter().find(|other| takes(other, block)) {
                findings.push(covered(block, other));
            }
            ahead.push(block);
            if takes_all(block) {
                catch_all = Some(&block.origin);
            }
        }
        if rule.matches.is_empty() {
            catch_all = Some(&rule.origin);
        }
    }
    findings
}

/// True if a match takes every request, whoever calls and wherever.
fn takes_all(block: &MatchBlock) -> bool {
    let anywhere = block.port.is_none() && block.gateways.is_empty();
    let anyone = block.source_labels.is_empty() && block.source_namespace.is_none();
    anywhere && anyone && matches_everything(&block.request)
}

fn behind_all(at: &Origin, all: &Origin) -> Finding {
    let message = format!("never reached: every request goes by what stands at {all}");
    let help = "put what matches every request last".to_owned();
    finding("SQ0409", at, PlaceInFile::default(), "", message, help)
}

fn covered(block: &MatchBlock, by: &MatchBlock) -> Finding {
    let same = block.request == by.request;
    let why = if same { "is the same" } else { "takes all its requests" };
    let message = format!("never reached: the match at {} {why}", by.origin);
    let help = (!same).then(|| "put the narrower match first".to_owned());
    finding("SQ0410", &block.origin, PlaceInFile::default(), "", message, help)
}

/// True if every request of `later` is one of `earlier`, as far as their texts tell.
fn takes(earlier: &MatchBlock, later: &MatchBlock) -> bool {
    let (outer, inner) = (&earlier.request, &later.request);
    path_takes(outer, inner)
        && outer.headers.iter().all(|header| inner.headers.contains(header))
        && outer.query.iter().all(|query| inner.query.contains(query))
        && (earlier.port.is_none() || earlier.port == later.port)
        && (earlier.source_namespace.is_none() || earlier.source_namespace == later.source_namespace)
        && subset_of(&earlier.source_labels, &later.source_labels)
        && (earlier.gateways == later.gateways)
}

fn path_takes(outer: &RouteMatch, inner: &RouteMatch) -> bool {
    let lower = |text: &str| if outer.ignore_path_case { text.to_lowercase() } else { text.to_owned() };
    // What ignores case takes more, so that it is not covered by what does not.
    let case = outer.ignore_path_case || !inner.ignore_path_case;
    match (&outer.path, &inner.path) {
        (PathMatch::Any, _) => true,
        (PathMatch::Prefix(prefix), PathMatch::Any) => prefix == "/",
        (PathMatch::Exact(one), PathMatch::Exact(other)) => case && lower(one) == lower(other),
        (PathMatch::Prefix(prefix), PathMatch::Prefix(other) | PathMatch::Exact(other)) => {
            case && lower(other).starts_with(&lower(prefix))
        }
        (outer, inner) => outer == inner,
    }
}
