use super::support::{errors, read, told, warnings, with_manager};
use crate::policy::{Fraction, Route, VirtualHost};

fn host(fields: &str, route: &str) -> String {
    format!("virtual_hosts: [{{name: a, domains: [\"*\"], {fields}routes: [{{match: {{prefix: /}}, {route}}}]}}]")
}

fn route(table: &str) -> Route {
    read(&with_manager("", "", table)).routes().next().cloned().unwrap()
}

const RETRY: &str = "retry_policy: {retry_on: 5xx, num_retries: 4}";

#[test]
fn a_routes_retry_policy_replaces_that_of_its_host_whole() {
    let retry = |table: &str| route(table).forward().unwrap().retry.clone();
    let inherited = retry(&host(&format!("{RETRY}, "), "route: {cluster: cart}"));
    assert_eq!((inherited.attempts, inherited.on.any_5xx), (4, true));
    let own = retry(&host(&format!("{RETRY}, "), "route: {cluster: cart, retry_policy: {retry_on: reset}}"));
    assert_eq!((own.attempts, own.on.any_5xx, own.on.reset), (1, false, true));
    let hedged =
        retry(&host(&format!("{RETRY}, hedge_policy: {{hedge_on_per_try_timeout: true}}, "), "route: {cluster: cart}"));
    assert!(hedged.hedge);
    let unhedged = "route: {cluster: cart, hedge_policy: {}}";
    assert!(!retry(&host("hedge_policy: {hedge_on_per_try_timeout: true}, ", unhedged)).hedge);
}

#[test]
fn changes_of_fields_are_made_from_the_route_outwards_unless_the_most_specific_wins() {
    let add = |name: &str| format!("request_headers_to_add: [{{header: {{key: x-{name}, value: a}}}}], ");
    let table = |fields: &str| {
        let route = format!("{}route: {{cluster: cart}}", add("route"));
        super::inheritance::route(&format!("{fields}{}{}", add("table"), host(&add("host"), &route)))
    };
    let names = |route: &Route| -> Vec<String> {
        route.headers.iter().flat_map(|rules| &rules.request.add).map(|add| add.name.clone()).collect()
    };
    let outwards = table("");
    assert_eq!(
        (names(&outwards), outwards.destination_headers_last),
        (vec!["x-route".into(), "x-host".into(), "x-table".into()], false)
    );
    let inwards = table("most_specific_header_mutations_wins: true, ");
    assert_eq!(
        (names(&inwards), inwards.destination_headers_last),
        (vec!["x-table".into(), "x-host".into(), "x-route".into()], true)
    );
}

#[test]
fn a_filters_block_is_that_of_the_nearest_which_has_one() {
    let abort = |share: u32| {
        format!(
            "typed_per_filter_config: {{envoy.filters.http.fault: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, \
             abort: {{http_status: 503, percentage: {{numerator: {share}}}}}}}}}, "
        )
    };
    let share = |route: &Route| route.filters.fault.as_ref().unwrap().abort.unwrap().share;
    let to = "route: {cluster: cart}";
    for (table, expected) in [
        (format!("{}{}", abort(1), host("", to)), 1.0),
        (format!("{}{}", abort(1), host(&abort(2), to)), 2.0),
        (format!("{}{}", abort(1), host(&abort(2), &format!("{}{to}", abort(3)))), 3.0),
    ] {
        assert_eq!(share(&route(&table)), Fraction::percent(expected), "{table}");
    }
    let cors = "cors: {allow_methods: GET}";
    let of_host = route(&host(&format!("{cors}, "), to));
    assert_eq!(of_host.filters.cors.unwrap().allow_methods, "GET");
    let weighted = format!("route: {{weighted_clusters: {{clusters: [{{{}name: cart, weight: 1}}]}}}}", abort(4));
    let refused = errors(&with_manager("", "", &host("", &weighted)));
    assert!(refused[0].contains("clusters[0].typed_per_filter_config` is valid but not obeyed"), "{refused:?}");
}

#[test]
fn a_block_may_stand_in_a_filter_config() {
    let wrapped = |fields: &str| {
        host(
            &format!(
                "typed_per_filter_config: {{a: {{\"@type\": type.googleapis.com/envoy.config.route.v3.FilterConfig{fields}}}}}, "
            ),
            "route: {cluster: cart}",
        )
    };
    let cors =
        ", config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, max_age: \"5\"}";
    assert!(route(&wrapped(cors)).filters.cors.unwrap().max_age.is_some());
    let disabled = errors(&with_manager("", "", &wrapped(", config: {}, disabled: true")));
    assert!(disabled.iter().any(|one| one.contains("disabled` is valid but not obeyed")), "{disabled:?}");
}

#[test]
fn copies_and_buffers_are_those_of_the_nearest() {
    let mirror = "request_mirror_policies: [{cluster: cart, disable_shadow_host_suffix_append: true}], ";
    let forward = |table: &str| route(table).forward().unwrap().clone();
    assert_eq!(forward(&format!("{mirror}{}", host("", "route: {cluster: cart}"))).mirrors.len(), 1);
    assert!(!forward(&host(mirror, "route: {cluster: cart}")).mirrors[0].shadow_host);
    let own = "route: {cluster: cart, request_mirror_policies: [{cluster: cart}]}";
    assert!(forward(&host(mirror, own)).mirrors[0].shadow_host);
    let of_host = "request_body_buffer_limit: 7, ";
    assert_eq!(forward(&host(of_host, "route: {cluster: cart}")).buffer_limit, Some(7));
    let of_route = "request_body_buffer_limit: \"8\", route: {cluster: cart}";
    assert_eq!(forward(&host(of_host, of_route)).buffer_limit, Some(8));
}

#[test]
fn tries_are_counted_where_the_host_says_so() {
    let counted = route(&host(
        "include_request_attempt_count: true, include_attempt_count_in_response: true, ",
        "route: {cluster: cart}",
    ));
    assert!(counted.attempt_count_in_request && counted.attempt_count_in_response);
    let plain = route(&host("", "route: {cluster: cart}"));
    assert!(!plain.attempt_count_in_request && !plain.attempt_count_in_response);
}

#[test]
fn each_domain_stands_once_in_a_table() {
    let hosts = |first: &str, second: &str| {
        with_manager(
            "",
            "",
            &format!("virtual_hosts: [{{name: a, domains: [{first}]}}, {{name: b, domains: [{second}]}}]"),
        )
    };
    let read: Vec<VirtualHost> =
        super::support::manager(&hosts("A.example", "\"*.example\", \"*\"")).routes.virtual_hosts;
    assert_eq!(read[0].domains, ["a.example"]);
    for (first, second) in [("\"*\"", "\"*\""), ("a.example", "A.example"), ("a, a", "b")] {
        let told = errors(&hosts(first, second));
        assert!(told.len() == 1 && told[0].contains("is that of virtual host `a` already"), "{told:?}");
    }
    assert!(errors(&hosts("a", ""))[0].contains("`domains` is missing"));
    assert!(warnings(&hosts("a", "\"a*b\""))[0].contains("no wildcard"));
    told(
        |host| with_manager("", "", &format!("virtual_hosts: [{host}]")),
        &[
            ("{domains: [a]}", &["virtual_hosts[0]", "`name` is missing"]),
            ("{name: a, domains: [a], require_tls: EXTERNAL_ONLY}", &["require_tls", "not obeyed"]),
            ("{name: a, domains: [a]}, {name: a, domains: [b]}", &["another virtual host is called `a` too"]),
            (
                "{name: a, domains: [a], virtual_clusters: []}",
                &["virtual_hosts[0].virtual_clusters` is valid but not obeyed"],
            ),
        ],
    );
}
