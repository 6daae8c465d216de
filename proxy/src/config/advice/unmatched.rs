//! Requests that an object's rules leave out.

use super::Advice;
use super::codes::UNMATCHED;
use super::view::View;
use super::words::{count, list};
use super::written::advice_at;
use crate::config::mesh::{Bound, matches_everything};
use crate::config::objects::{MatchBlock, PlaceInFile};

/// Of objects for sidecars; at a gateway 404 is what a host without such a path answers.
pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let bound = view.objects.virtual_services.iter().filter_map(|object| Bound::of(object, view.objects));
    bound
        .filter(|bound| !bound.object.of_gateway_api && bound.is_bound_to("mesh"))
        .filter_map(|bound| one(&bound))
        .collect()
}

fn one(bound: &Bound<'_>) -> Option<Advice> {
    let rules = &bound.object.http;
    let takes_all = rules.iter().any(|rule| rule.matches.is_empty() || rule.matches.iter().any(takes_rest));
    if rules.is_empty() || takes_all {
        return None;
    }
    let hosts = list(&bound.object.hosts);
    let of_rules = match rules.len() {
        1 => "the one rule".to_owned(),
        number => format!("any of the {}", count(u32::try_from(number).unwrap_or(u32::MAX), "rule")),
    };
    let what = format!("requests for {hosts} that do not match {of_rules} are answered 404, not sent on as before");
    let host = bound.object.hosts.first().map_or("", String::as_str);
    let fix =
        format!("http:\n  # ... the rules that are there, and last:\n  - route: [{{destination: {{host: {host}}}}}]");
    let mut advice = advice_at(&bound.object.origin, &UNMATCHED, "", what, fix);
    if let Some(PlaceInFile(place)) = bound.object.host_places.first().filter(|place| place.0.line > 0) {
        (advice.place, advice.span_len) = (*place, host.chars().count());
    }
    Some(advice)
}

/// Whatever is asked for: at one port or gateway that is all there is to ask.
fn takes_rest(block: &MatchBlock) -> bool {
    matches_everything(&block.request) && block.source_labels.is_empty() && block.source_namespace.is_none()
}
