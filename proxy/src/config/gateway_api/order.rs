//! Which of two routes goes first, whatever order they were written in.

use crate::config::objects::{HttpRule, MatchBlock};
use crate::policy::PathMatch;
use std::cmp::{Ordering, Reverse};

/// Exact paths ahead of prefixes ahead of expressions, longer ones first; then those with a method, with more fields, with more query
/// parameters. Equal ones stay in the order of the files.
pub fn precedence(one: &MatchBlock, other: &MatchBlock) -> Ordering {
    key(one).cmp(&key(other))
}

fn key(block: &MatchBlock) -> impl Ord + use<> {
    let request = &block.request;
    let (kind, length) = match &request.path {
        PathMatch::Exact(path) => (3, path.len()),
        PathMatch::Prefix(path) | PathMatch::SegmentPrefix(path) => (2, path.len()),
        PathMatch::Regex(regex) => (1, regex.as_str().len()),
        PathMatch::Any | PathMatch::Connect => (0, 0),
    };
    let has_method = request.headers.iter().any(|header| header.name == ":method");
    let headers = request.headers.len() - usize::from(has_method);
    Reverse((kind, length, has_method, headers, request.query.len()))
}

/// Rules in that order; each has one condition.
pub(super) fn sorted(mut rules: Vec<HttpRule>) -> Vec<HttpRule> {
    rules.sort_by(|one, other| match (one.matches.first(), other.matches.first()) {
        (Some(one), Some(other)) => precedence(one, other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    });
    rules
}
