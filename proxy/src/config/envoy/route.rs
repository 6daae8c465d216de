//! Routes: which requests, and what becomes of them.

use super::message::Message;
use super::reading::Said;
use super::route_table::Above;
use super::schema::{DIRECT_RESPONSE, REDIRECT, ROUTE_ACTION, ROUTE_CORS_POLICY};
use super::{cors, header_rules, rate_limit, redirect, route_action, route_filters, route_match};
use crate::policy::{Action, PathMatch, PathRewrite, Route, RouteDescriptions};
use std::sync::Arc;

/// A route, with what its host and its table say.
pub(super) fn read(message: &Message<'_>, above: &Above) -> Option<Route> {
    let matches = route_match::read(message);
    let mut filters = route_filters::read(message);
    let mut descriptions = RouteDescriptions { of_host: above.descriptions.clone(), ..RouteDescriptions::default() };
    let own = Above { buffer_limit: buffer_limit(message).or(above.buffer_limit), ..above.clone() };
    let action = match message.one_of(&["route", "redirect", "direct_response"], true) {
        Some(("route", action)) => action.message(&ROUTE_ACTION).map(|action| {
            // The older words stand behind the filter's own.
            let former = action.message("cors", &ROUTE_CORS_POLICY).map(|policy| Arc::new(cors::read(&policy)));
            filters.cors = filters.cors.take().or(former);
            descriptions.own = rate_limit::of_routes(&action);
            descriptions.beside = action.flag("include_vh_rate_limits");
            Action::Forward(Box::new(route_action::read(&action, &own)))
        }),
        Some(("redirect", action)) => {
            action.message(&REDIRECT).map(|action| Action::Redirect(redirect::redirect(&action)))
        }
        Some((_, action)) => action
            .message(&DIRECT_RESPONSE)
            .and_then(|action| redirect::direct(&action, above.max_direct_body))
            .map(Action::Direct),
        None => None,
    };
    let action = action?;
    check_rewrite(message, &matches.path, &action);
    let mut headers = vec![header_rules::read(message), above.host_headers.clone(), above.table_headers.clone()];
    if above.most_specific_wins {
        headers.reverse();
    }
    headers.retain(|rules| !(rules.request.is_empty() && rules.response.is_empty()));
    let mut route = Route::new(matches, action);
    route.name = message.text("name").unwrap_or_default();
    route.headers = headers;
    route.destination_headers_last = above.most_specific_wins;
    route.filters = route_filters::or(filters, &above.filters);
    route.descriptions = descriptions;
    route.attempt_count_in_request = above.attempt_count_in_request;
    route.attempt_count_in_response = above.attempt_count_in_response;
    route.origin = message.origin_with_fields();
    Some(route)
}

/// Bytes kept for another try, under the present name or the former one.
pub(super) fn buffer_limit(message: &Message<'_>) -> Option<u32> {
    let most = i128::from(u64::MAX);
    let former = message.count("per_request_buffer_limit_bytes");
    let present: Option<u64> = message.within("request_body_buffer_limit", 0, most);
    present.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)).or(former)
}

/// A prefix that is replaced must be one that is looked for.
fn check_rewrite(message: &Message<'_>, path: &PathMatch, action: &Action) {
    let rewrite = match action {
        Action::Forward(forward) => forward.rewrite.path.as_ref(),
        Action::Redirect(redirect) => redirect.path.as_ref(),
        Action::Direct(_) => None,
    };
    if matches!(rewrite, Some(PathRewrite::Prefix(_))) && matches!(path, PathMatch::Regex(_) | PathMatch::Connect) {
        let said = Said::from("`prefix_rewrite` beside a match that has no prefix replaces the whole path");
        message.at.warn(said.help("write `regex_rewrite` to replace a part of it"));
    }
}
