//! Warnings of rules that are never reached, as Istio gives them.

use super::connection::WrittenTcp;
use super::http::WrittenRule;
use crate::config::objects::{HttpRule, MatchBlock};
use crate::config::problems::Problems;
use crate::policy::PathMatch;
use squall_yaml::Spanned;

/// Of rules for requests: behind one without conditions, all of whose conditions stood before, or behind a shorter prefix.
pub(super) fn warn_of_http(rules: &[HttpRule], written: &[Spanned<WrittenRule>], problems: &mut Problems<'_>) {
    // Where a rule could not be read, its place among the others is lost, and there are errors to mend first.
    if rules.len() != written.len() {
        return;
    }
    let mut catches_all = false;
    let mut seen: Vec<&MatchBlock> = Vec::new();
    for (rule, written) in rules.iter().zip(written) {
        if catches_all {
            problems.warning(written.place, "this rule is never reached", "a rule before it matches every request");
            continue;
        }
        catches_all = rule.matches.is_empty();
        let mut dead = 0;
        for (block, place) in rule.matches.iter().zip(&written.value.matches) {
            if seen.iter().any(|earlier| covers(earlier, block)) {
                dead += 1;
                if rule.matches.len() > 1 {
                    let help = "what it matches is matched before it";
                    problems.warning(place.place, "this condition is never reached", help);
                }
            }
        }
        if dead > 0 && dead == rule.matches.len() {
            problems.warning(written.place, "this rule is never reached", "rules before it match all of its requests");
        }
        seen.extend(&rule.matches);
    }
}

/// True if every request that `later` matches is matched by `earlier` for sure: all but the path is the same, and the path is the
/// same or behind a prefix.
fn covers(earlier: &MatchBlock, later: &MatchBlock) -> bool {
    let same = earlier.port == later.port
        && earlier.source_labels == later.source_labels
        && earlier.source_namespace == later.source_namespace
        && earlier.gateways == later.gateways
        && earlier.request.headers == later.request.headers
        && earlier.request.query == later.request.query
        && earlier.request.ignore_path_case == later.request.ignore_path_case;
    let path = match (&earlier.request.path, &later.request.path) {
        (PathMatch::Any, _) => true,
        (PathMatch::Prefix(short), PathMatch::Prefix(long) | PathMatch::Exact(long)) => {
            long.starts_with(short.as_str())
        }
        (one, other) => one == other,
    };
    same && path
}

/// Of rules for connections: behind one without conditions.
pub(super) fn warn_of_tcp(rules: &[Spanned<WrittenTcp>], problems: &mut Problems<'_>) {
    let catches_all = rules.iter().position(|rule| rule.value.matches.is_empty()).unwrap_or(rules.len());
    for rule in rules.iter().skip(catches_all + 1) {
        problems.warning(rule.place, "this rule is never reached", "a rule before it matches every connection");
    }
}
