//! What the connection manager makes of a request and its answer before and behind everything else.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [paths(), addresses_and_ids(), names()].into_iter().flatten().collect()
}

fn manager(name: &'static str, lines: &[&str]) -> Case {
    lines.iter().fold(case(name).backend("one", &["200 server: theirs"]), |made, line| made.manager(line))
}

fn paths() -> Vec<Case> {
    vec![
        manager("a_path_stays_as_it_is", &[]).asks(&["GET /a/../b", "GET /a//b", "GET /%41", "GET /a%2fb"]),
        manager("a_path_is_made_plain", &["normalize_path: true"]).asks(&[
            "GET /a/../b/./c?x=../y",
            "GET /%41%7e",
            "GET /a//b",
            "GET /a%2fb%5cc",
            "GET /../x",
            "GET /a\\b",
        ]),
        manager("slashes_are_merged", &["merge_slashes: true"]).asks(&["GET //a///b?c//d"]),
        manager("escaped_slashes_may_be_refused", &["path_with_escaped_slashes_action: REJECT_REQUEST"]).asks(&[
            "GET /a%2Fb",
            "GET /a%5cb",
            "GET /a",
        ]),
        manager("escaped_slashes_may_be_unescaped", &["path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD"])
            .asks(&["GET /a%2Fb%5cc?d%2f"]),
        manager(
            "escaped_slashes_may_be_unescaped_by_the_client",
            &["path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT"],
        )
        .asks(&["GET /a%2Fb", "h2 POST /a%2Fb content-type: application/grpc"]),
    ]
}

fn addresses_and_ids() -> Vec<Case> {
    let xff = [
        "GET /",
        "GET / x-forwarded-for: 1.2.3.4; x-forwarded-proto: https",
        "GET / x-forwarded-for: 10.0.0.1; x-envoy-internal: true",
        "GET / x-envoy-external-address: 9.9.9.9; x-envoy-retry-on: 5xx; x-envoy-expected-rq-timeout-ms: 5",
    ];
    vec![
        manager("in_the_mesh_fields_are_believed", &[]).asks(&xff),
        manager("at_the_edge_they_are_not", &["use_remote_address: true"]).asks(&xff),
        manager("behind_one_proxy", &["use_remote_address: true", "xff_num_trusted_hops: 1"])
            .asks(&["GET / x-forwarded-for: 1.2.3.4, 5.6.7.8", "GET / x-forwarded-for: 1.2.3.4"]),
        manager("an_address_can_be_left_out", &["use_remote_address: true", "skip_xff_append: true"])
            .asks(&["GET /", "GET / x-forwarded-for: 1.2.3.4"]),
        manager("an_id_is_made", &[]).asks(&[
            "GET /",
            "GET / x-request-id: 11111111-1111-4111-8111-111111111111",
            "GET / x-request-id: mine",
        ]),
        manager("an_id_is_made_anew_at_the_edge", &["use_remote_address: true"])
            .asks(&["GET / x-request-id: mine", "GET / x-request-id: mine; x-forwarded-for: 1.2.3.4"]),
        manager(
            "an_id_is_kept_at_the_edge_if_told",
            &["use_remote_address: true", "preserve_external_request_id: true"],
        )
        .asks(&["GET / x-request-id: mine"]),
        manager("an_id_is_not_made", &["generate_request_id: false"]).asks(&["GET /"]),
        manager("an_id_comes_back", &["always_set_request_id_in_response: true"]).asks(&["GET / x-request-id: mine"]),
        manager(
            "internal_addresses_are_listed",
            &[
                "use_remote_address: true",
                "internal_address_config: {cidr_ranges: [{address_prefix: 127.0.0.0, prefix_len: 8}]}",
            ],
        )
        .asks(&["GET / x-envoy-max-retries: 3", "GET / x-forwarded-for: 1.2.3.4"]),
        manager("via_is_added", &["via: proxy"]).asks(&["GET / via: before"]),
    ]
}

fn names() -> Vec<Case> {
    vec![
        manager("the_servers_name_is_ours", &[]).ask("GET /"),
        manager("the_servers_name_is_chosen", &["server_name: shop"]).asks(&["GET /"]),
        manager("the_servers_name_is_passed_on", &["server_header_transformation: PASS_THROUGH"]).ask("GET /"),
        manager("the_servers_name_is_added_if_absent", &["server_header_transformation: APPEND_IF_ABSENT"])
            .ask("GET /"),
        manager("every_port_is_stripped", &["strip_any_host_port: true"]).asks(&[
            "GET / host: a:8080",
            "GET / host: a:80",
            "GET / host: [::1]:80",
        ]),
        manager("the_listeners_port_is_stripped", &["strip_matching_host_port: true"])
            .asks(&["GET / host: a:8080", "GET / host: a"]),
        manager("a_trailing_dot_is_stripped", &["strip_trailing_host_dot: true"])
            .asks(&["GET / host: a.b.", "GET / host: a.b.:80"]),
        manager("no_time_is_told_if_suppressed", &[])
            .table("")
            .route("{match: {prefix: /}, route: {cluster: cart}}")
            .ask("GET /"),
    ]
}
