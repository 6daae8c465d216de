//! Retries as callers from inside ask for them, by fields. Pure.

use super::conditions::Asked;
use crate::policy::{HeaderMatch, RetryPolicy, TextMatch};
use squall_http1::Request;
use std::borrow::Cow;

/// The retry policy of a request: its route's, with what its fields add where it is trusted, and none where it is not meant for it.
pub(crate) fn retry<'p>(
    policy: &'p RetryPolicy,
    request: &Request,
    scheme: &str,
    internal: bool,
) -> Cow<'p, RetryPolicy> {
    let headers = &request.headers;
    let asked = || Asked::new(request, scheme, 0);
    let conditions = &policy.request_headers;
    if !conditions.is_empty() && !conditions.iter().any(|condition| asked().header_fits(condition)) {
        return Cow::Owned(RetryPolicy { hedge: policy.hedge, ..RetryPolicy::none() });
    }
    let asked = [
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-retriable-status-codes",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-retriable-header-names",
    ];
    if !internal || !asked.iter().any(|name| headers.contains(name)) {
        return Cow::Borrowed(policy);
    }
    let mut own = policy.clone();
    let mut asks = false;
    let listed = |name| headers.get_str(name).into_iter().flat_map(|list| list.split(',')).map(str::trim);
    listed("x-envoy-retry-on").for_each(|word| asks |= own.on.add_http(word));
    listed("x-envoy-retry-grpc-on").for_each(|word| asks |= own.on.add_grpc(word));
    if asks && own.attempts == 0 {
        own.attempts = 1;
    }
    if let Some(attempts) = headers.get_str("x-envoy-max-retries").and_then(|text| text.trim().parse().ok()) {
        own.attempts = attempts;
    }
    match headers.get_str("x-envoy-hedge-on-per-try-timeout") {
        Some("true") => own.hedge = true,
        Some("false") => own.hedge = false,
        _ => {}
    }
    // Statuses and fields count only under their condition, whoever names it.
    let says = |condition| listed("x-envoy-retry-on").any(|word| word == condition);
    if says("retriable-status-codes") || !own.on.statuses.is_empty() {
        own.on.statuses.extend(listed("x-envoy-retriable-status-codes").filter_map(|code| code.parse::<u16>().ok()));
    }
    if says("retriable-headers") || !own.on.headers.is_empty() {
        own.on.headers.extend(listed("x-envoy-retriable-header-names").filter(|name| !name.is_empty()).map(present));
    }
    Cow::Owned(own)
}

fn present(name: &str) -> HeaderMatch {
    let value = TextMatch::present();
    HeaderMatch { name: name.to_ascii_lowercase(), value, invert: false, missing_is_empty: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&str, &str)]) -> Request {
        let mut request = Request::new("GET", "/");
        fields.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
        request
    }

    #[test]
    fn only_callers_from_inside_ask_for_retries() {
        let wanted = asked(&[("x-envoy-retry-on", "5xx, nonsense"), ("x-envoy-max-retries", "4")]);
        let none = RetryPolicy::none();
        assert_eq!(*retry(&none, &wanted, "http", false), none);
        let inside = retry(&none, &wanted, "http", true);
        assert_eq!((inside.attempts, inside.on.any_5xx), (4, true));
        let once = asked(&[("x-envoy-retry-grpc-on", "unavailable"), ("x-envoy-retriable-status-codes", "404,409")]);
        let inside = retry(&none, &once, "http", true);
        assert_eq!((inside.attempts, &inside.on.grpc_statuses), (1, &vec![14]));
        assert!(inside.on.statuses.is_empty(), "statuses count under their condition alone");
        let swapped = asked(&[("x-envoy-retry-on", "unavailable"), ("x-envoy-retry-grpc-on", "5xx")]);
        assert_eq!(*retry(&none, &swapped, "http", true), none, "each field has conditions of its own");
        let listed = asked(&[
            ("x-envoy-retry-on", "retriable-status-codes, retriable-headers"),
            ("x-envoy-retriable-status-codes", "404, 409"),
            ("x-envoy-retriable-header-names", "X-Again"),
        ]);
        let inside = retry(&none, &listed, "http", true);
        let names: Vec<_> = inside.on.headers.iter().map(|condition| condition.name.as_str()).collect();
        assert_eq!((&inside.on.statuses, names), (&vec![404, 409], vec!["x-again"]));
    }

    #[test]
    fn callers_from_inside_say_whether_a_late_try_goes_on() {
        let hedged = RetryPolicy { hedge: true, ..RetryPolicy::none() };
        for (word, inside, hedge) in
            [("true", true, true), ("false", true, false), ("maybe", true, true), ("false", false, true)]
        {
            let wanted = asked(&[("x-envoy-hedge-on-per-try-timeout", word)]);
            assert_eq!(retry(&hedged, &wanted, "http", inside).hedge, hedge, "{word}, inside: {inside}");
        }
        let wanted = asked(&[("x-envoy-hedge-on-per-try-timeout", "true")]);
        assert!(retry(&RetryPolicy::none(), &wanted, "http", true).hedge);
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
        assert_eq!(retry(&policy, &asked(&[("x-retry", "yes")]), "http", false).attempts, 2);
        assert_eq!(retry(&policy, &asked(&[]), "http", false).attempts, 0);
    }
}
