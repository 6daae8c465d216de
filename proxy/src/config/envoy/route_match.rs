//! Conditions of routes.

use super::message::Message;
use super::reading::Said;
use super::schema::{CONNECT_MATCHER, GRPC_MATCH, QUERY_MATCH, ROUTE_MATCH};
use super::{header_match, share, text_match};
use crate::policy::{PathMatch, QueryMatch, RouteMatch, TextMatch};

const PATHS: [&str; 5] = ["prefix", "path", "safe_regex", "connect_matcher", "path_separated_prefix"];

/// The conditions of a route; all must hold.
pub(super) fn read(route: &Message<'_>) -> RouteMatch {
    route.require("match");
    let Some(matches) = route.message("match", &ROUTE_MATCH) else { return RouteMatch::default() };
    RouteMatch {
        path: path(&matches).unwrap_or_default(),
        ignore_path_case: matches.boolean("case_sensitive") == Some(false),
        headers: header_match::all(&matches, "headers"),
        query: matches.messages("query_parameters", &QUERY_MATCH).iter().filter_map(query).collect(),
        grpc_only: matches.message("grpc", &GRPC_MATCH).is_some(),
        fraction: share::runtime_fraction(&matches, "runtime_fraction"),
    }
}

fn path(matches: &Message<'_>) -> Option<PathMatch> {
    let (kind, value) = matches.one_of(&PATHS, true)?;
    match kind {
        "prefix" => Some(PathMatch::Prefix(value.text()?.to_owned())),
        "path" => Some(PathMatch::Exact(value.text()?.to_owned())),
        "safe_regex" => text_match::whole(&value).map(PathMatch::Regex),
        "connect_matcher" => value.message(&CONNECT_MATCHER).map(|_| PathMatch::Connect),
        _ => {
            let prefix = value.text()?;
            if prefix.is_empty() || prefix.contains(['?', '#']) || prefix.ends_with('/') {
                let said = Said::from(format!("`{prefix}` is no prefix of whole segments"));
                value.error(said.expected("a path without `?` and `#` that does not end in `/`"));
            }
            Some(PathMatch::SegmentPrefix(prefix.to_owned()))
        }
    }
}

fn query(query: &Message<'_>) -> Option<QueryMatch> {
    let name = query.required_text("name");
    let value = match query.one_of(&["string_match", "present_match"], false) {
        Some(("string_match", value)) => text_match::text_match(&value),
        Some((_, present)) => {
            if present.boolean()? {
                Some(TextMatch::present())
            } else {
                present.refuse("`false`");
                None
            }
        }
        None => Some(TextMatch::present()),
    };
    Some(QueryMatch { name, value: value? })
}
