//! Which route a request takes.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::http::Connection;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [paths(), fields_and_parameters(), hosts(), destinations()].into_iter().flatten().collect()
}

/// A route that answers with its own number.
fn says(name: &'static str, matches: &[&str], requests: &[&str]) -> Case {
    let mut made = case(name).manager("strip_any_host_port: false");
    for (number, condition) in matches.iter().enumerate() {
        made = made.route(&format!("{{match: {{{condition}}}, name: r{number}, direct_response: {{status: 200, body: {{inline_string: \"{number}\"}}}}}}"));
    }
    made.asks(requests)
}

fn paths() -> Vec<Case> {
    vec![
        says(
            "a_prefix_is_any_beginning",
            &["prefix: /foo"],
            &["GET /foo", "GET /foobar", "GET /fo", "GET /FOO", "GET /foo?q=1"],
        ),
        says(
            "the_first_that_fits_is_taken",
            &["prefix: /a", "path: /ab", "prefix: /"],
            &["GET /ab", "GET /b", "GET /"],
        ),
        says(
            "a_path_is_all_of_it_without_the_query",
            &["path: /foo"],
            &["GET /foo", "GET /foo?x", "GET /foo/", "GET /Foo"],
        ),
        says(
            "a_pattern_is_all_of_the_path",
            &["safe_regex: {regex: \"/a+\"}"],
            &["GET /aaa", "GET /aab", "GET /a?b", "GET /A"],
        ),
        says(
            "a_path_prefix_ends_at_a_slash",
            &["path_separated_prefix: /foo"],
            &["GET /foo", "GET /foo/", "GET /foo/x", "GET /foobar", "GET /foo?x"],
        ),
        says(
            "case_can_be_ignored",
            &["prefix: /foo, case_sensitive: false", "path: /Bar, case_sensitive: false"],
            &["GET /FOO", "GET /bAr", "GET /bars"],
        ),
        says(
            "a_method_does_not_matter_unless_it_is_asked_for",
            &["prefix: /"],
            &["GET /x/y", "HEAD /", "DELETE /x", "PATCH /y << abc"],
        ),
    ]
}

fn fields_and_parameters() -> Vec<Case> {
    vec![
        says(
            "a_field_is_compared_whole",
            &["prefix: /, headers: [{name: x-a, string_match: {exact: b}}]"],
            &["GET / x-a: b", "GET / x-a: B", "GET / x-a: bb", "GET /", "GET / X-A: b"],
        ),
        says(
            "a_field_has_a_beginning_an_end_and_a_middle",
            &[
                "prefix: /, headers: [{name: x-a, string_match: {prefix: b}}]",
                "prefix: /, headers: [{name: x-a, string_match: {suffix: c}}]",
                "prefix: /, headers: [{name: x-a, string_match: {contains: d}}]",
            ],
            &["GET / x-a: bx", "GET / x-a: xc", "GET / x-a: xdx", "GET / x-a: xx"],
        ),
        says(
            "a_field_may_fit_a_pattern",
            &["prefix: /, headers: [{name: x-a, string_match: {safe_regex: {regex: \"b+\"}}}]"],
            &["GET / x-a: bbb", "GET / x-a: bbc"],
        ),
        says(
            "a_field_is_there_or_not",
            &[
                "prefix: /, headers: [{name: x-a, present_match: true}]",
                "prefix: /, headers: [{name: x-b, present_match: false}]",
            ],
            &["GET / x-a: ", "GET / x-b: 1", "GET / x-a: 1; x-b: 1", "GET /"],
        ),
        says(
            "a_match_can_be_turned_round",
            &["prefix: /, headers: [{name: x-a, string_match: {exact: b}, invert_match: true}]"],
            &["GET / x-a: b", "GET / x-a: c", "GET /"],
        ),
        says(
            "a_missing_field_can_count_as_empty",
            &[
                "prefix: /, headers: [{name: x-a, string_match: {exact: b}, invert_match: true, treat_missing_header_as_empty: true}]",
            ],
            &["GET /", "GET / x-a: b"],
        ),
        says(
            "one_value_of_several_is_enough",
            &["prefix: /, headers: [{name: x-a, string_match: {exact: b}}]"],
            &["GET / x-a: b; x-a: c", "GET / x-a: c; x-a: b", "GET / x-a: b,c", "GET / x-a: b, c"],
        ),
        says(
            "no_value_of_several_may_fit_what_is_turned_round",
            &["prefix: /, headers: [{name: x-a, string_match: {exact: b}, invert_match: true}]"],
            &["GET / x-a: b; x-a: c", "GET / x-a: c; x-a: b", "GET / x-a: c; x-a: d"],
        ),
        says(
            "one_value_has_the_beginning",
            &["prefix: /, headers: [{name: x-a, string_match: {prefix: b}}]"],
            &["GET / x-a: b; x-a: c", "GET / x-a: c; x-a: b"],
        ),
        says(
            "one_value_fits_the_pattern",
            &["prefix: /, headers: [{name: x-a, string_match: {safe_regex: {regex: \"b|c\"}}}]"],
            &["GET / x-a: b; x-a: d", "GET / x-a: d; x-a: b", "GET / x-a: d; x-a: e"],
        ),
        says(
            "one_value_lies_in_the_range",
            &["prefix: /, headers: [{name: x-a, range_match: {start: 1, end: 5}}]"],
            &["GET / x-a: 1; x-a: 9", "GET / x-a: 9; x-a: 1", "GET / x-a: 9"],
        ),
        says(
            "values_are_not_joined",
            &["prefix: /, headers: [{name: x-a, string_match: {contains: \"b,c\"}}]"],
            &["GET / x-a: b; x-a: c", "GET / x-a: b,c"],
        ),
        says(
            "a_number_lies_in_a_range",
            &["prefix: /, headers: [{name: x-a, range_match: {start: -5, end: 10}}]"],
            &["GET / x-a: -5", "GET / x-a: 9", "GET / x-a: 10", "GET / x-a: 1x", "GET / x-a: +3"],
        ),
        says(
            "a_method_is_a_field",
            &["prefix: /, headers: [{name: \":method\", string_match: {exact: POST}}]"],
            &["POST / << a", "GET /"],
        ),
        says(
            "an_authority_is_a_field_with_its_port",
            &["prefix: /, headers: [{name: \":authority\", string_match: {exact: \"a:80\"}}]"],
            &["GET / host: a:80", "GET / host: a", "GET / host: A:80"],
        ),
        says(
            "a_parameter_is_compared_by_its_first_value",
            &["prefix: /, query_parameters: [{name: q, string_match: {exact: \"1\"}}]"],
            &["GET /?q=1", "GET /?q=1&q=2", "GET /?q=2&q=1", "GET /?Q=1", "GET /?q=%31", "GET /"],
        ),
        says(
            "a_parameter_is_there",
            &["prefix: /, query_parameters: [{name: q, present_match: true}]"],
            &["GET /?q", "GET /?q=", "GET /?x=q", "GET /?a&q"],
        ),
        says(
            "grpc_is_known_by_its_content_type",
            &["prefix: /, grpc: {}", "prefix: /"],
            &[
                "POST / content-type: application/grpc",
                "POST / content-type: application/grpc+proto",
                "POST / content-type: application/grpc-web",
                "POST / content-type: application/json",
                "h2 POST / content-type: application/grpc",
            ],
        ),
    ]
}

fn hosts() -> Vec<Case> {
    let host = |name: &str, domains: &str| {
        format!(
            "{{name: {name}, domains: [{domains}], routes: [{{match: {{prefix: /}}, direct_response: {{status: 200, body: {{inline_string: {name}}}}}}}]}}"
        )
    };
    vec![
        case("names_go_before_wildcards_and_long_before_short")
            .host(&host("exact", "a.b.c"))
            .host(&host("end", "\"*.b.c\""))
            .host(&host("shorter", "\"*.c\""))
            .host(&host("begin", "\"a.b.*\""))
            .host(&host("all", "\"*\""))
            .asks(&[
                "GET / host: a.b.c",
                "GET / host: x.b.c",
                "GET / host: x.c",
                "GET / host: a.b.d",
                "GET / host: other",
                "GET / host: A.B.C",
            ]),
        case("a_wildcard_needs_a_character").host(&host("end", "\"*.b.c\"")).host(&host("part", "\"*-x.d\"")).asks(&[
            "GET / host: .b.c",
            "GET / host: b.c",
            "GET / host: y-x.d",
            "GET / host: -x.d",
        ]),
        case("a_port_is_part_of_a_name").host(&host("exact", "\"a:8080\"")).host(&host("bare", "a")).asks(&[
            "GET / host: a:8080",
            "GET / host: a",
            "GET / host: a:80",
        ]),
        case("a_port_can_be_ignored").table("ignore_port_in_host_matching: true").host(&host("bare", "a")).asks(&[
            "GET / host: a:8080",
            "GET / host: a",
            "GET / host: b:80",
        ]),
        case("a_host_without_a_fitting_route_is_no_way_to_another")
            .host("{name: one, domains: [a], routes: [{match: {path: /x}, direct_response: {status: 200}}]}")
            .host(&host("all", "\"*\""))
            .asks(&["GET / host: a", "GET /x host: a", "GET /x host: b"]),
    ]
}

/// The answer to a request on the way to the endpoint of `cart`.
fn going_there(side: &Side, path: &str) -> String {
    let health = side.health();
    let address = health.iter().find_map(|line| line.strip_prefix("cart ")?.split(' ').next());
    let port = address.and_then(|address| address.rsplit(':').next()).expect("an endpoint");
    let mut connection = Connection::to(side.listen).expect("a connection");
    let proxied = format!("PROXY TCP4 127.0.0.1 127.0.0.1 40000 {port}");
    let answer = connection.ask(&format!("{proxied}\r\nGET {path} HTTP/1.1\r\nhost: cart\r\n\r\n"));
    format!("{} {}", answer.status(), answer.text())
}

fn destinations() -> Vec<Case> {
    let message = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";
    let options = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    vec![
        case("a_connection_to_where_a_client_was_going_is_used_again")
            .listener(&format!("listener_filters: [{{name: envoy.filters.listener.proxy_protocol, typed_config: {{\"@type\": {message}}}}}]"))
            .cart(&format!("typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {options}, common_http_protocol_options: {{idle_timeout: 0.1s}}, explicit_http_config: {{http_protocol_options: {{}}}}}}}}"))
            .cluster("through", "one", "type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED")
            .route("{match: {prefix: /listed}, route: {cluster: cart}}")
            .route("{match: {prefix: /}, route: {cluster: through}}")
            .backend("one", &["200"])
            .then("there", |side| going_there(side, "/a"))
            // Whoever looks for connections that have idled too long has looked at both.
            .then("to the same, by its cluster", |side| going_there(side, "/listed"))
            .until(".upstream_cx_idle_timeout", 1)
            .then("there again", |side| going_there(side, "/b"))
            .connections("one")
            .stats("cluster.through.upstream_cx_total cluster.through.upstream_cx_destroy cluster.through.upstream_cx_idle_timeout"),
    ]
}
