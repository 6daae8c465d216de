//! Retries as callers from inside ask for them, by fields. Pure.

use crate::policy::{RetryOn, RetryPolicy};
use squall_http1::Headers;
use std::borrow::Cow;

/// The retry policy of a request: its route's, with what its fields add where it is trusted, and none where it is not meant for it.
pub(crate) fn retry<'p>(policy: &'p RetryPolicy, headers: &Headers, internal: bool) -> Cow<'p, RetryPolicy> {
    let meant = policy.request_headers.is_empty()
        || policy.request_headers.iter().any(|condition| super::retry::has(headers, condition));
    if !meant {
        return Cow::Owned(RetryPolicy::none());
    }
    let asked = ["x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes"];
    if !internal || !asked.iter().any(|name| headers.contains(name)) {
        return Cow::Borrowed(policy);
    }
    let mut own = policy.clone();
    let mut asks = false;
    for name in ["x-envoy-retry-on", "x-envoy-retry-grpc-on"] {
        for word in headers.get_str(name).into_iter().flat_map(|list| list.split(',')) {
            asks |= add(&mut own.on, word.trim());
        }
    }
    if asks && own.attempts == 0 {
        own.attempts = 1;
    }
    if let Some(attempts) = headers.get_str("x-envoy-max-retries").and_then(|text| text.trim().parse().ok()) {
        own.attempts = attempts;
    }
    let codes = headers.get_str("x-envoy-retriable-status-codes").into_iter().flat_map(|list| list.split(','));
    own.on.statuses.extend(codes.filter_map(|code| code.trim().parse::<u16>().ok()));
    Cow::Owned(own)
}

/// Adds a condition by its name; false for words that are none.
fn add(on: &mut RetryOn, word: &str) -> bool {
    match word {
        "5xx" => on.any_5xx = true,
        "gateway-error" => on.gateway_error = true,
        "connect-failure" => on.connect_failure = true,
        "refused-stream" => on.refused_stream = true,
        "reset" => on.reset = true,
        "reset-before-request" => on.reset_before_request = true,
        "retriable-4xx" => on.retriable_4xx = true,
        "envoy-ratelimited" => on.envoy_ratelimited = true,
        "retriable-status-codes" | "retriable-headers" => {}
        "cancelled" => on.grpc_statuses.push(1),
        "deadline-exceeded" => on.grpc_statuses.push(4),
        "resource-exhausted" => on.grpc_statuses.push(8),
        "internal" => on.grpc_statuses.push(13),
        "unavailable" => on.grpc_statuses.push(14),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{HeaderMatch, TextMatch};

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers
    }

    #[test]
    fn only_callers_from_inside_ask_for_retries() {
        let asked = headers(&[("x-envoy-retry-on", "5xx, nonsense"), ("x-envoy-max-retries", "4")]);
        let none = RetryPolicy::none();
        assert_eq!(*retry(&none, &asked, false), none);
        let inside = retry(&none, &asked, true);
        assert_eq!((inside.attempts, inside.on.any_5xx), (4, true));
        let once = headers(&[("x-envoy-retry-grpc-on", "unavailable"), ("x-envoy-retriable-status-codes", "404,409")]);
        let inside = retry(&none, &once, true);
        assert_eq!((inside.attempts, &inside.on.grpc_statuses, &inside.on.statuses), (1, &vec![14], &vec![404, 409]));
    }

    #[test]
    fn a_policy_may_be_meant_for_some_requests_alone() {
        let condition = HeaderMatch {
            name: "x-retry".to_owned(),
            value: TextMatch::exact("yes"),
            invert: false,
            missing_is_empty: false,
        };
        let policy = RetryPolicy { request_headers: vec![condition], ..RetryPolicy::mesh_default() };
        assert_eq!(retry(&policy, &headers(&[("x-retry", "yes")]), false).attempts, 2);
        assert_eq!(retry(&policy, &headers(&[]), false).attempts, 0);
    }
}
