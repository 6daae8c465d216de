//! Local rate limits: a bucket for all requests, and buckets for requests that are described alike.

use squall_tests::bootstrap::Bootstrap;
use squall_tests::http::Backend;
use squall_tests::proxy::Proxy;

/// A limit of so many requests altogether, with these fields; nothing comes in again while a test runs.
fn limit(of_all: u32, fields: &str) -> String {
    format!(
        "{{name: limit, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: limit, \
         token_bucket: {{max_tokens: {of_all}, fill_interval: 3600s}}, filter_enabled: {{default_value: {{numerator: 100}}}}, filter_enforced: {{default_value: {{numerator: 100}}}}, {fields}}}}}"
    )
}

fn descriptor(entries: &str, tokens: u32) -> String {
    format!("{{entries: [{entries}], token_bucket: {{max_tokens: {tokens}, fill_interval: 3600s}}}}")
}

fn proxy(filters: &str, host: &str, action: &str, backend: &Backend) -> Proxy {
    Proxy::on_bootstrap(&Bootstrap { filters, host, action, ..Bootstrap::default() }.text(&[backend.address]))
}

fn statuses(proxy: &Proxy, path: &str, fields: &str, times: usize) -> Vec<u16> {
    (0..times).map(|_| proxy.get_with(path, fields).status()).collect()
}

#[test]
fn requests_of_one_description_have_a_bucket_of_their_own() {
    let backend = Backend::named("cart");
    let filters = limit(
        100,
        &format!(
            "enable_x_ratelimit_headers: DRAFT_VERSION_03, descriptors: [{}]",
            descriptor("{key: user, value: ann}, {key: what, value: buys}", 2)
        ),
    );
    let action = "rate_limits: [{actions: [{request_headers: {header_name: x-user, descriptor_key: user}}, \
        {header_value_match: {descriptor_key: what, descriptor_value: buys, headers: [{name: \":path\", string_match: {prefix: /buy}}]}}]}]";
    let proxy = proxy(&filters, "", action, &backend);
    assert_eq!(statuses(&proxy, "/buy", "x-user: ann\r\n", 3), [200, 200, 429]);
    assert_eq!(statuses(&proxy, "/buy", "x-user: bob\r\n", 3), [200; 3]);
    assert_eq!(statuses(&proxy, "/look", "x-user: ann\r\n", 3), [200; 3]);
    assert_eq!(statuses(&proxy, "/buy", "", 3), [200; 3]);
    let refused = proxy.get_with("/buy", "x-user: ann\r\n");
    assert_eq!((refused.text().as_str(), refused.field("x-ratelimit-limit")), ("local_rate_limited", "2"));
    assert_eq!(proxy.get_with("/look", "").field("x-ratelimit-limit"), "100");
    assert_eq!(proxy.access_log(14)[2]["response_flags"], "RL");
    assert_eq!(proxy.count("envoy_http_local_rate_limit_rate_limited", "limit"), 2);
}

#[test]
fn an_empty_value_is_a_bucket_for_each_client_that_comes() {
    let backend = Backend::named("cart");
    let filters = limit(100, &format!("descriptors: [{}]", descriptor("{key: user}", 1)));
    let host = "rate_limits: [{actions: [{request_headers: {header_name: x-user, descriptor_key: user}}]}]";
    let proxy = proxy(&filters, host, "", &backend);
    for user in ["ann", "bob"] {
        assert_eq!(statuses(&proxy, "/", &format!("x-user: {user}\r\n"), 2), [200, 429], "{user}");
    }
    assert_eq!(statuses(&proxy, "/", "", 2), [200, 200]);
}

#[test]
fn the_bucket_of_all_is_left_alone_where_it_is_said_so() {
    let backend = Backend::named("cart");
    let fields = format!(
        "always_consume_default_token_bucket: false, descriptors: [{}], rate_limits: [{{actions: [{{remote_address: {{}}}}, {{generic_key: {{descriptor_value: a}}}}]}}]",
        descriptor("{key: remote_address, value: 127.0.0.1}, {key: generic_key, value: a}", 3)
    );
    let proxy = proxy(&limit(1, &fields), "", "", &backend);
    assert_eq!(statuses(&proxy, "/", "", 4), [200, 200, 200, 429]);
}

#[test]
fn a_filter_looks_at_the_descriptions_of_its_stage() {
    let backend = Backend::named("cart");
    let filters = limit(100, &format!("stage: 1, descriptors: [{}]", descriptor("{key: generic_key, value: a}", 1)));
    let staged =
        |stage| format!("rate_limits: [{{stage: {stage}, actions: [{{generic_key: {{descriptor_value: a}}}}]}}]");
    assert_eq!(statuses(&proxy(&filters, "", &staged(1), &backend), "/", "", 2), [200, 429]);
    assert_eq!(statuses(&proxy(&filters, "", &staged(0), &backend), "/", "", 2), [200, 200]);
}
