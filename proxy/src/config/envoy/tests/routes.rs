use super::support::{forward, read, route, told, warnings, with_action, with_manager, with_route};
use crate::policy::{
    Action, AppendAction, Forward, Fraction, GrpcDeadline, GrpcTimeout, HashOf, HostRewrite, PathMatch, PathRewrite,
    Pattern, Priority, RedirectPort, RetryPolicy, Target,
};
use std::time::Duration;

#[test]
fn a_path_is_matched_in_exactly_one_way() {
    let path =
        |matches: &str| route(&with_route(&format!("{{match: {{{matches}}}, route: {{cluster: cart}}}}"))).matches;
    assert_eq!(path("prefix: /a").path, PathMatch::Prefix("/a".to_owned()));
    assert_eq!(path("path: /a").path, PathMatch::Exact("/a".to_owned()));
    assert_eq!(path("path_separated_prefix: /a").path, PathMatch::SegmentPrefix("/a".to_owned()));
    assert_eq!(path("connect_matcher: {}").path, PathMatch::Connect);
    let PathMatch::Regex(regex) = path("safe_regex: {regex: \"/a|/b\"}").path else { panic!("a regular expression") };
    assert!(regex.is_match("/a") && regex.is_match("/b") && !regex.is_match("/ab"));
    assert!(path("prefix: /, case_sensitive: false").ignore_path_case && path("prefix: /, grpc: {}").grpc_only);
    told(
        |matches| with_route(&format!("{{match: {{{matches}}}, route: {{cluster: cart}}}}")),
        &[
            ("", &["routes[0].match", "`prefix`, `path`, `safe_regex`"]),
            ("prefix: /, path: /", &["exclude each other"]),
            ("path_separated_prefix: /a/", &["does not end in `/`"]),
            ("safe_regex: {regex: \"(\"}", &["safe_regex.regex", "no regular expression"]),
            ("safe_regex: {regex: \"a)(b\"}", &["no regular expression"]),
            ("prefix: /, cookies: []", &["match.cookies` is valid but not obeyed"]),
            ("prefix: /, query_parameters: [{name: a, present_match: false}]", &["present_match", "not obeyed"]),
        ],
    );
}

#[test]
fn a_field_is_matched_in_the_present_form_and_in_the_former_ones() {
    let header = |fields: &str| {
        let text = with_route(&format!(
            "{{match: {{prefix: /, headers: [{{name: X-A, {fields}}}]}}, route: {{cluster: cart}}}}"
        ));
        route(&text).matches.headers.remove(0)
    };
    assert_eq!(header("").name, "x-a");
    assert!(matches!(header("").value.pattern, Pattern::Present));
    for (fields, matching, other) in [
        ("exact_match: a", "a", "b"),
        ("string_match: {exact: a, ignore_case: true}", "A", "b"),
        ("prefix_match: a", "ab", "ba"),
        ("string_match: {prefix: a}", "ab", "ba"),
        ("suffix_match: a", "ba", "ab"),
        ("contains_match: a", "bab", "b"),
        ("safe_regex_match: {regex: a+}", "aa", "ab"),
        ("string_match: {safe_regex: {google_re2: {}, regex: a+}}", "aa", "ab"),
        ("range_match: {start: 1, end: 3}", "2", "3"),
    ] {
        let value = header(fields).value;
        assert!(value.matches(matching) && !value.matches(other), "{fields}");
    }
    assert!(!header("present_match: true").invert && header("present_match: false").invert);
    assert!(!header("present_match: false, invert_match: true").invert);
    assert!(header("exact_match: a, treat_missing_header_as_empty: true").missing_is_empty);
    told(
        |fields| with_route(&format!("{{match: {{prefix: /, headers: [{{{fields}}}]}}, route: {{cluster: cart}}}}")),
        &[
            ("exact_match: a", &["headers[0]", "`name` is missing"]),
            ("name: \"a b\"", &["headers[0].name", "cannot be the name"]),
            ("name: a, prefix_match: \"\"", &["prefix_match", "empty"]),
            ("name: a, range_match: {start: 3, end: 3}", &["range_match", "above `start`"]),
            ("name: a, exact_match: a, prefix_match: b", &["exclude each other"]),
            ("name: a, regex_match: a", &["regex_match", "former version"]),
            ("name: a, string_match: {}", &["string_match", "`exact`"]),
        ],
    );
}

#[test]
fn a_route_that_says_nothing_has_envoys_defaults() {
    let expected = Forward { timeout: Some(Duration::from_secs(15)), ..Forward::to("cart") };
    assert_eq!(forward(&with_action("cluster: cart")), expected);
}

#[test]
fn each_field_of_a_route_changes_one_thing() {
    let of = |fields: &str| forward(&with_action(&format!("cluster: cart, {fields}")));
    assert_eq!(of("timeout: 0s").timeout, None);
    assert_eq!(of("idle_timeout: 0s").idle_timeout, Some(None));
    assert_eq!(of("idle_timeout: 2s").idle_timeout, Some(Some(Duration::from_secs(2))));
    assert_eq!(of("max_stream_duration: {max_stream_duration: 0s}").max_stream, Some(None));
    let deadline = of("max_stream_duration: {grpc_timeout_header_max: 0s, grpc_timeout_header_offset: 1s}");
    let second = Duration::from_secs(1);
    assert_eq!(deadline.grpc_deadline, Some(GrpcDeadline { most: None, offset: second }));
    assert_eq!((deadline.grpc_timeout, deadline.timeout), (GrpcTimeout::Ignored, None), "streams have no other end");
    let deadline = of("max_stream_duration: {grpc_timeout_header_max: 1s}").grpc_deadline;
    assert_eq!(deadline, Some(GrpcDeadline { most: Some(second), offset: Duration::ZERO }));
    assert_eq!(of("max_grpc_timeout: 1s, grpc_timeout_offset: 1s").grpc_timeout_offset, second);
    assert_eq!(of("max_grpc_timeout: 1s").grpc_timeout, GrpcTimeout::AtMost(Duration::from_secs(1)));
    assert_eq!(of("cluster_not_found_response_code: NOT_FOUND").not_found_status, 404);
    assert_eq!(of("priority: HIGH").priority, Priority::High);
    assert_eq!(of("prefix_rewrite: /b").rewrite.path, Some(PathRewrite::Prefix("/b".to_owned())));
    assert_eq!(of("auto_host_rewrite: true").rewrite.host, Some(HostRewrite::Auto));
    assert_eq!(of("host_rewrite_header: X-Host").rewrite.host, Some(HostRewrite::Header("x-host".to_owned())));
    assert_eq!(of("upgrade_configs: [{upgrade_type: CONNECT}]").upgrades, [("connect".to_owned(), true)]);
    assert_eq!(of("metadata_match: {filter_metadata: {envoy.lb: {v: a}}}").subset.len(), 1);
    assert_eq!(of("hash_policy: [{query_parameter: {name: q}}]").hash[0].of, HashOf::Query("q".to_owned()));
    let mirrors = of("request_mirror_policies: [{cluster: cart}]").mirrors;
    assert!(mirrors[0].share == Fraction::ALL && mirrors[0].shadow_host);
    let Some(PathRewrite::Regex { pattern, substitution }) =
        of("regex_rewrite: {pattern: {regex: \"/a/(.*)\"}, substitution: \"/$\\\\1\"}").rewrite.path
    else {
        panic!("a regular expression")
    };
    assert_eq!(pattern.replace_all("/a/b", substitution), "/$b");
    let to = forward(&with_action("cluster_header: X-To")).to;
    assert_eq!(to, Target::Header("x-to".to_owned()));
}

#[test]
fn what_is_wrong_with_an_action_is_told() {
    told(
        with_action,
        &[
            ("timeout: 1s", &["route", "`cluster`, `cluster_header`, `weighted_clusters`"]),
            ("cluster: card", &["route.cluster", "there is no cluster `card`", "did you mean `cart`?"]),
            (
                "cluster: cart, request_mirror_policies: [{cluster: card}]",
                &["request_mirror_policies[0].cluster", "card"],
            ),
            ("weighted_clusters: {clusters: [{name: cart, weight: 0}]}", &["sum of 0"]),
            (
                "weighted_clusters: {clusters: [{name: cart}, {name: cart, weight: 1}]}",
                &["clusters[0]", "`weight` is missing"],
            ),
            (
                "weighted_clusters: {clusters: [{name: cart, weight: 4294967295}, {name: cart, weight: 1}]}",
                &["a sum from 1"],
            ),
            ("cluster: cart, prefix_rewrite: /a, regex_rewrite: {pattern: {regex: a}}", &["exclude each other"]),
            ("cluster: cart, host_rewrite_literal: a, auto_host_rewrite: true", &["exclude each other"]),
            ("cluster: cart, regex_rewrite: {pattern: {regex: a}, substitution: \"\\\\1\"}", &["group 1"]),
            (
                "cluster: cart, internal_redirect_policy: {}",
                &["route.internal_redirect_policy` is valid but not obeyed"],
            ),
            ("cluster: cart, retry_policy: {retry_back_off: {base_interval: 1s, max_interval: 0.5s}}", &["less than"]),
            ("cluster: cart, retry_policy: {retry_back_off: {max_interval: 0.5s}}", &["`base_interval` is missing"]),
            ("cluster: cart, retry_policy: {rate_limited_retry_back_off: {}}", &["`reset_headers` is missing"]),
            ("cluster: cart, hedge_policy: {initial_requests: 2}", &["hedge_policy.initial_requests` is valid"]),
        ],
    );
    let unchecked = with_manager(
        "",
        "",
        "validate_clusters: false, virtual_hosts: [{name: a, domains: [\"*\"], routes: [{match: {prefix: /}, route: {cluster: card}}]}]",
    );
    assert_eq!(read(&unchecked).routes().count(), 1);
}

#[test]
fn retries_are_what_the_policy_says() {
    let retry = |fields: &str| forward(&with_action(&format!("cluster: cart, retry_policy: {{{fields}}}"))).retry;
    assert_eq!(retry(""), RetryPolicy { attempts: 1, ..RetryPolicy::none() });
    assert_eq!(retry("num_retries: 0").attempts, 0);
    let on =
        retry("retry_on: \"5xx, reset,cancelled,unavailable,retriable-status-codes\", retriable_status_codes: [429]")
            .on;
    assert!(on.any_5xx && on.reset && !on.gateway_error);
    assert_eq!((on.grpc_statuses, on.statuses), (vec![1, 14], vec![429]));
    let unsaid = "retry_on: 5xx, retriable_status_codes: [429]";
    assert!(retry(unsaid).on.statuses.is_empty());
    let text = with_action(&format!("cluster: cart, retry_policy: {{{unsaid}}}"));
    assert!(warnings(&text)[0].contains("add `retriable-status-codes`"));
    for (word, hint) in [("5xxx", "did you mean `5xx`?"), ("503", "`retriable_status_codes`")] {
        let warned = warnings(&with_action(&format!("cluster: cart, retry_policy: {{retry_on: \"{word}\"}}")));
        assert!(warned.len() == 1 && warned[0].contains(hint), "{word}: {warned:?}");
    }
    let back_off = retry("retry_back_off: {base_interval: 0.1s}");
    assert_eq!((back_off.back_off_base, back_off.back_off_max), (Duration::from_millis(100), Duration::from_secs(1)));
    let limited = retry("rate_limited_retry_back_off: {reset_headers: [{name: X-Reset, format: UNIX_TIMESTAMP}]}");
    let limited = limited.rate_limited_back_off.unwrap();
    assert!(limited.headers[0].is_timestamp && limited.headers[0].name == "x-reset");
    assert_eq!(limited.max, Duration::from_secs(300));
    let omit = retry(
        "retry_host_predicate: [{name: a, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig, \
         metadata_match: {filter_metadata: {envoy.lb: {a: b}}}}}], host_selection_retry_max_attempts: 0",
    );
    assert_eq!((omit.omit_labels.len(), omit.host_reselections), (1, 1));
}

#[test]
fn fields_are_changed_as_their_action_says() {
    let addition = |fields: &str| {
        let text = with_route(&format!(
            "{{match: {{prefix: /}}, route: {{cluster: cart}}, request_headers_to_add: [{{header: {{key: X-A, value: b}}{fields}}}]}}"
        ));
        route(&text).headers.remove(0).request.add.remove(0)
    };
    assert_eq!((addition("").name.as_str(), addition("").action), ("x-a", AppendAction::AppendIfExistsOrAdd));
    assert_eq!(addition(", append: false").action, AppendAction::OverwriteIfExistsOrAdd);
    assert_eq!(addition(", append: true").action, AppendAction::AppendIfExistsOrAdd);
    assert_eq!(addition(", append_action: ADD_IF_ABSENT").action, AppendAction::AddIfAbsent);
    assert!(addition(", keep_empty_value: true").keep_empty);
    told(
        |header| {
            with_route(&format!(
                "{{match: {{prefix: /}}, route: {{cluster: cart}}, request_headers_to_add: [{header}]}}"
            ))
        },
        &[
            ("{}", &["request_headers_to_add[0]", "`header` is missing"]),
            ("{header: {key: \":path\", value: a}}", &["header.key", "may not be changed"]),
            ("{header: {key: Host, value: a}}", &["header.key", "host_rewrite_literal"]),
            ("{header: {key: a, value: \"%NOPE%\"}}", &["header.value", "NOPE"]),
            ("{header: {key: a, value: \"50%\"}}", &["header.value", "not closed"]),
            ("{header: {key: a, value: \"a\\r\\nb\"}}", &["header.value", "line ends"]),
            ("{header: {key: a, value: b}, append: true, append_action: 0}", &["exclude each other"]),
        ],
    );
}

#[test]
fn answers_of_the_proxy_itself_are_what_the_route_says() {
    let action = |action: &str| route(&with_route(&format!("{{match: {{prefix: /a}}, {action}}}"))).action;
    let Action::Redirect(redirect) =
        action("redirect: {port_redirect: 8443, prefix_rewrite: /b, response_code: SEE_OTHER}")
    else {
        panic!("a redirect")
    };
    assert_eq!((redirect.status, redirect.port), (303, RedirectPort::Explicit(8443)));
    assert_eq!(redirect.path, Some(PathRewrite::Prefix("/b".to_owned())));
    let Action::Redirect(redirect) = action("redirect: {https_redirect: true}") else { panic!("a redirect") };
    assert_eq!((redirect.status, redirect.scheme.as_deref(), redirect.port), (301, Some("https"), RedirectPort::Kept));
    let Action::Direct(direct) = action("direct_response: {status: 503, body: {inline_bytes: aGk=}}") else {
        panic!("an answer")
    };
    assert_eq!((direct.status, direct.body.as_slice()), (503, b"hi".as_slice()));
    let long = format!("direct_response: {{status: 200, body: {{inline_string: {}}}}}", "a".repeat(4097));
    told(
        |action| with_route(&format!("{{match: {{prefix: /a}}, {action}}}")),
        &[
            (&long, &["4097 bytes", "max_direct_response_body_size_bytes"]),
            ("direct_response: {status: 600}", &["status", "200 to 599"]),
            ("direct_response: {status: 200, body: {filename: /no/such/file}}", &["body.filename", "cannot be read"]),
            ("redirect: {https_redirect: true, scheme_redirect: a}", &["exclude each other"]),
            ("redirect: {}, route: {cluster: cart}", &["exclude each other"]),
            ("name: a", &["`route`, `redirect`, `direct_response`"]),
        ],
    );
}
