//! Prefixes that take more than the paths below them.

use super::Advice;
use super::codes::PREFIX_IN_WORD;
use super::view::{View, Way};
use super::words::{Dialect, MATCH};
use crate::policy::{Action, PathMatch, Route};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.ways.iter().filter(|way| way.is_written()).filter_map(one).collect()
}

/// Told only where it matters: what goes on within the word would otherwise go by another route, to somewhere else.
fn one(way: &Way<'_>) -> Option<Advice> {
    let PathMatch::Prefix(prefix) = &way.route.matches.path else { return None };
    if prefix.len() < 2 || prefix.ends_with('/') {
        return None;
    }
    let longer = format!("{prefix}bar");
    let behind =
        way.host.routes.iter().map(|route| &**route).skip_while(|route| !std::ptr::eq(*route, way.route)).skip(1);
    let other = behind.filter(|route| plainly_takes(route, &longer)).find(|route| goes_elsewhere(way.route, route))?;
    let written = &way.written;
    let what = format!("the prefix `{prefix}` takes `{longer}` as well, which `{}` would have taken", path(other));
    let fix = match written.dialect {
        Dialect::Envoy => format!("match:\n  path_separated_prefix: {prefix}"),
        Dialect::Istio | Dialect::GatewayApi => {
            format!("match:\n  - uri: {{exact: {prefix}}}\n  - uri: {{prefix: {prefix}/}}")
        }
    };
    Some(written.advise_at(&PREFIX_IN_WORD, &of_match(way), what, fix))
}

/// The path of the prefix, which of several matches of a rule is in the one that stands where the route does.
fn of_match(way: &Way<'_>) -> String {
    let written = &way.written;
    let fields = &written.origin.fields;
    let block = written.path(MATCH);
    let prefixes = fields.within(&block).filter(|path| path.ends_with("prefix")).map(|path| format!("{block}.{path}"));
    let behind = |path: &String| fields.nearest(path).map(|spot| (spot.line, spot.column));
    let own = prefixes.filter(|path| behind(path).is_some_and(|(line, _)| line >= way.route.origin.line));
    own.min_by_key(behind).unwrap_or(block)
}

/// True if a route takes a path whatever else the request is like.
fn plainly_takes(route: &Route, path: &str) -> bool {
    let matches = &route.matches;
    let takes = match &matches.path {
        PathMatch::Any => true,
        PathMatch::Prefix(prefix) => path.starts_with(prefix.as_str()),
        PathMatch::SegmentPrefix(_) | PathMatch::Exact(_) | PathMatch::Regex(_) | PathMatch::Connect => false,
    };
    takes && matches.headers.is_empty() && matches.query.is_empty() && !matches.grpc_only
}

fn goes_elsewhere(one: &Route, other: &Route) -> bool {
    match (&one.action, &other.action) {
        (Action::Forward(one), Action::Forward(other)) => {
            let names =
                |forward: &crate::policy::Forward| forward.to.clusters().map(|to| to.name.clone()).collect::<Vec<_>>();
            names(one) != names(other)
        }
        (one, other) => one != other,
    }
}

fn path(route: &Route) -> String {
    match &route.matches.path {
        PathMatch::Prefix(prefix) => prefix.clone(),
        _ => "/".to_owned(),
    }
}
