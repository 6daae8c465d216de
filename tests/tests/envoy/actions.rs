//! What a route does with a request: rewrites, redirects, answers, fields, weights, copies.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [rewrites(), redirects_and_answers(), fields(), clusters(), copies()].into_iter().flatten().collect()
}

fn rewrites() -> Vec<Case> {
    let one = |name, matches: &str, action: &str| {
        case(name)
            .route(&format!("{{match: {{{matches}}}, route: {{cluster: cart, {action}}}}}"))
            .backend("one", &["200"])
    };
    vec![
        one("a_prefix_is_replaced_and_the_query_kept", "prefix: /a", "prefix_rewrite: /b").asks(&[
            "GET /a/x?q=1",
            "GET /abc",
            "GET /a",
        ]),
        one("a_whole_path_is_replaced", "path: /a", "prefix_rewrite: /b/c").asks(&["GET /a?q", "GET /a"]),
        one("a_segment_prefix_is_replaced", "path_separated_prefix: /a", "prefix_rewrite: /")
            .asks(&["GET /a/x", "GET /a", "GET /a?x"])
            .differs("one-slash"),
        one(
            "a_pattern_replaces_each_match",
            "prefix: /",
            "regex_rewrite: {pattern: {regex: \"a(.)\"}, substitution: \"<\\\\1>\"}",
        )
        .asks(&["GET /abac?ab", "GET /x"]),
        one("a_host_is_replaced", "prefix: /", "host_rewrite_literal: other, append_x_forwarded_host: true")
            .asks(&["GET / host: a:80", "GET / x-forwarded-host: z"]),
        one("a_host_comes_from_a_field", "prefix: /", "host_rewrite_header: x-host")
            .asks(&["GET / x-host: b", "GET /"]),
        one(
            "a_host_comes_from_the_path",
            "prefix: /",
            "host_rewrite_path_regex: {pattern: {regex: \"^/(.+)/.+$\"}, substitution: \"\\\\1\"}",
        )
        .asks(&["GET /shop/x?y"]),
        one("a_rewrite_can_be_kept_quiet", "prefix: /a", "prefix_rewrite: /b, host_rewrite_literal: other")
            .router("suppress_envoy_headers: true")
            .asks(&["GET /a/x host: a", "GET /a x-envoy-original-path: /z; x-envoy-original-host: z"]),
        one("an_endpoints_own_host_can_be_kept_quiet", "prefix: /", "auto_host_rewrite: true")
            .cluster("cart", "[{lb_endpoints: [{endpoint: {address: $one, hostname: shop}}]}]", "")
            .router("suppress_envoy_headers: true")
            .ask("GET / host: a"),
        one("an_endpoints_own_host_is_put_in_place", "prefix: /", "auto_host_rewrite: true")
            .cluster("cart", "[{lb_endpoints: [{endpoint: {address: $one, hostname: shop}}]}]", "")
            .ask("GET / host: a"),
        one("a_prefix_that_ignores_case_is_replaced", "prefix: /a, case_sensitive: false", "prefix_rewrite: /b")
            .asks(&["GET /A/x"]),
    ]
}

fn redirects_and_answers() -> Vec<Case> {
    let redirect = |name, matches: &str, fields: &str| {
        case(name).route(&format!("{{match: {{{matches}}}, redirect: {{{fields}}}}}"))
    };
    vec![
        redirect("a_redirect_is_301", "prefix: /", "host_redirect: b").asks(&["GET /x?y host: a", "GET / host: a:8080", "HEAD /"]),
        redirect("a_redirect_to_https_drops_the_port_of_http", "prefix: /", "https_redirect: true").asks(&["GET /x host: a", "GET /x host: a:80", "GET /x host: a:8080"]),
        redirect("a_redirect_replaces_the_path", "prefix: /a", "path_redirect: /b, response_code: FOUND").asks(&["GET /a?q=1", "POST /a << x"]),
        redirect("a_redirect_replaces_path_and_query", "prefix: /a", "path_redirect: \"/b?z=1\", response_code: SEE_OTHER").ask("GET /a?q=1"),
        redirect("a_redirect_replaces_the_prefix", "prefix: /a", "prefix_rewrite: /b, response_code: TEMPORARY_REDIRECT, strip_query: true").ask("GET /a/x?q=1"),
        redirect("a_redirect_has_a_port_and_a_scheme", "prefix: /", "port_redirect: 8443, scheme_redirect: https, response_code: PERMANENT_REDIRECT").asks(&["GET /x host: a", "GET /x host: a:80"]),
        redirect("a_redirect_rewrites_by_a_pattern", "prefix: /", "regex_rewrite: {pattern: {regex: \"^/(.)\"}, substitution: \"/x\\\\1\"}").asks(&["GET /abc?q"]),
        case("an_answer_has_its_status_and_fields")
            .route("{match: {prefix: /}, direct_response: {status: 418, body: {inline_string: teapot}}, response_headers_to_add: [{header: {key: x-a, value: b}}]}")
            .asks(&["GET /", "HEAD /", "h2 GET /", "h2 HEAD /", "POST / << body"]),
        case("an_answer_without_a_body").route("{match: {prefix: /}, direct_response: {status: 204}}").asks(&["GET /", "h2 GET /"]),
        case("answers_of_ours_speak_grpc_to_grpc").route("{match: {prefix: /r}, redirect: {host_redirect: b}}").route("{match: {prefix: /d}, direct_response: {status: 403, body: {inline_string: \"no, 100% no\"}}}")
            .asks(&["h2 POST /r content-type: application/grpc", "h2 POST /d content-type: application/grpc", "h2 POST /none content-type: application/grpc"]),
    ]
}

fn fields() -> Vec<Case> {
    let add = |action: &str| format!("[{{header: {{key: x-a, value: new}}, append_action: {action}}}]");
    let both = |name, fields: &str| case(name).host_field(fields).backend("one", &["200 x-a: old; x-b: 1"]);
    vec![
        both("append_if_exists_or_add", &format!("request_headers_to_add: {0}\n              response_headers_to_add: {0}", add("APPEND_IF_EXISTS_OR_ADD"))).asks(&["GET / x-a: old", "GET /"]),
        both("add_if_absent", &format!("request_headers_to_add: {0}\n              response_headers_to_add: {0}", add("ADD_IF_ABSENT"))).asks(&["GET / x-a: old", "GET /"]),
        both("overwrite_if_exists_or_add", &format!("request_headers_to_add: {0}\n              response_headers_to_add: {0}", add("OVERWRITE_IF_EXISTS_OR_ADD"))).asks(&["GET / x-a: old", "GET /"]),
        both("overwrite_if_exists", &format!("request_headers_to_add: {0}\n              response_headers_to_add: {0}", add("OVERWRITE_IF_EXISTS"))).asks(&["GET / x-a: old", "GET /"]),
        both("fields_are_removed", "request_headers_to_remove: [x-a, x-c]\n              response_headers_to_remove: [x-b]").asks(&["GET / x-a: 1; x-c: 2; x-d: 3"]),
        case("the_route_comes_before_the_host_and_the_host_before_the_table")
            .table("request_headers_to_add: [{header: {key: x-a, value: table}}]").host_field("request_headers_to_add: [{header: {key: x-a, value: host}}]")
            .route("{match: {prefix: /}, route: {cluster: cart}, request_headers_to_add: [{header: {key: x-a, value: route}}]}").backend("one", &["200"]).ask("GET /"),
        case("the_most_specific_can_come_last").table("most_specific_header_mutations_wins: true").table("request_headers_to_add: [{header: {key: x-a, value: table}}]")
            .host_field("request_headers_to_add: [{header: {key: x-a, value: host}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]")
            .route("{match: {prefix: /}, route: {cluster: cart}, request_headers_to_add: [{header: {key: x-a, value: route}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]}").backend("one", &["200"]).ask("GET /"),
        both("values_are_filled_in", "request_headers_to_add: [{header: {key: x-m, value: \"%REQ(:METHOD)% %PROTOCOL% %REQ(x-none)% 100%%\"}}]\n              response_headers_to_add: [{header: {key: x-c, value: \"%RESPONSE_CODE% %UPSTREAM_CLUSTER% %REQ(x-z)%\"}}]").asks(&["GET / x-z: 1", "GET /"]),
        both("empty_values_are_left_out_unless_kept", "request_headers_to_add: [{header: {key: x-e, value: \"%REQ(x-none)%\"}}, {header: {key: x-k, value: \"%REQ(x-none)%\"}, keep_empty_value: true}]").ask("GET /"),
    ]
}

fn clusters() -> Vec<Case> {
    let weighted =
        "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: a, weight: 1}, {name: b, weight: 3}]}}}";
    vec![
        case("weights_share_requests_out").cluster("a", "one", "").cluster("b", "two", "").route(weighted).backend("one", &["200"]).backend("two", &["200"]).spread(2000, "GET /"),
        case("a_weight_of_nothing_gets_nothing").cluster("a", "one", "").cluster("b", "two", "")
            .route("{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: a, weight: 0}, {name: b, weight: 1, request_headers_to_add: [{header: {key: x-w, value: b}}], response_headers_to_add: [{header: {key: x-r, value: b}}]}]}}}")
            .backend("one", &["200"]).backend("two", &["200"]).times(5, "GET /"),
        case("a_share_of_requests_takes_a_route").route("{match: {prefix: /, runtime_fraction: {default_value: {numerator: 30}}}, direct_response: {status: 200}}").route("{match: {prefix: /}, direct_response: {status: 404}}").spread(2000, "GET /"),
        case("a_field_names_the_cluster").cluster("a", "one", "").route("{match: {prefix: /}, route: {cluster_header: x-to}}").backend("one", &["200"]).asks(&["GET / x-to: a", "GET / x-to: none", "GET /"]),
        case("a_cluster_that_is_not_there_is_503").top("").table("validate_clusters: false").route("{match: {prefix: /a}, route: {cluster: none}}").route("{match: {prefix: /b}, route: {cluster: none, cluster_not_found_response_code: NOT_FOUND}}").route("{match: {prefix: /c}, route: {cluster: none, cluster_not_found_response_code: INTERNAL_SERVER_ERROR}}")
            .asks(&["GET /a", "GET /b", "GET /c", "h2 POST /a content-type: application/grpc"]),
        case("a_copy_goes_to_another_cluster").cluster("cart", "one", "").cluster("shadow", "two", "").action("request_mirror_policies: [{cluster: shadow}]").backend("one", &["200"]).backend("two", &["500"])
            .ask("POST /x?y host: a:80; x-a: b << body").until_asked("two", 1).stats("cluster.shadow.upstream_rq_total cluster.shadow.upstream_rq_5xx"),
        case("a_copy_may_keep_its_host").cluster("cart", "one", "").cluster("shadow", "two", "").action("request_mirror_policies: [{cluster: shadow, disable_shadow_host_suffix_append: true}]").backend("one", &["200"]).backend("two", &["200"])
            .ask("GET / host: a").until_asked("two", 1),
        case("retries_are_not_copied").cluster("cart", "one", "").cluster("shadow", "two", "").action("retry_policy: {retry_on: 5xx}, request_mirror_policies: [{cluster: shadow}]").backend("one", &["503", "200"]).backend("two", &["200"])
            .ask("GET /").until_asked("two", 1),
        case("a_share_is_copied").cluster("cart", "one", "").cluster("shadow", "two", "").action("request_mirror_policies: [{cluster: shadow, runtime_fraction: {default_value: {numerator: 0}}}]").backend("one", &["200"]).backend("two", &["200"])
            .times(3, "GET /"),
    ]
}

/// Copies of what `one` answers, to a cluster whose only endpoint is `two`, which its detector throws out at once.
fn copied(name: &'static str, fields: &str, action: &str) -> Case {
    let detector = "outlier_detection: {consecutive_5xx: 1, base_ejection_time: 60s, max_ejection_percent: 100}";
    case(name)
        .cluster("cart", "one", "")
        .cluster("shadow", "two", &format!("{detector}{fields}"))
        .action(&format!("request_mirror_policies: [{{cluster: shadow}}]{action}"))
        .backend("one", &["200"])
        .stats("cluster.shadow.upstream_rq_total cluster.shadow.upstream_rq_503 cluster.shadow.upstream_rq_504")
        .stats("cluster.shadow.upstream_rq_timeout cluster.shadow.upstream_rq_5xx")
        .stats("cluster.shadow.outlier_detection.ejections_active")
}

fn copies() -> Vec<Case> {
    let http2 = ", typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}";
    let ejected = |case: Case| case.until("cluster.shadow.outlier_detection.ejections_active", 1);
    vec![
        copied(
            "a_copy_that_overflows_is_no_endpoints_fault",
            ", circuit_breakers: {thresholds: [{max_pending_requests: 0}]}",
            "",
        )
        .backend("two", &["200"])
        .ask("GET /")
        .until("cluster.shadow.upstream_rq_pending_overflow", 1),
        ejected(
            copied("a_copy_that_is_late_is_its_endpoints_fault", "", ", timeout: 0.3s")
                .backend("two", &["silence"])
                .ask("GET /"),
        ),
        ejected(
            copied("a_copys_connection_that_is_lost_is_its_endpoints_fault", "", "")
                .backend("two", &["close"])
                .ask("GET /"),
        ),
        ejected(
            copied("a_copys_answer_that_is_none_is_its_endpoints_fault", "", "")
                .backend("two", &["raw garbage\r\n\r\n"])
                .ask("GET /"),
        )
        .stats("cluster.shadow.upstream_rq_502"),
        ejected(
            copied("a_copys_status_of_grpc_is_its_endpoints_fault", http2, "")
                .backend2("two", &["200 content-type: application/grpc; grpc-status: 14 << -"])
                .ask("h2 POST / content-type: application/grpc"),
        ),
        copied("a_copy_has_the_trailers_of_its_request", http2, "")
            .backend2("two", &["200"])
            .ask("h2 POST / << body ++ x-t: 1")
            .until_asked("two", 1)
            .until("cluster.shadow.upstream_rq_2xx", 1),
    ]
}
