//! Which endpoint gets a request.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [keys(), turns_and_chance(), subsets()].into_iter().flatten().collect()
}

fn many(name: &'static str, fields: &str) -> Case {
    let mut made = case(name).cart(fields);
    for name in ["a", "b", "c", "d", "e"] {
        made = made.backend(name, &["200"]);
    }
    made
}

fn keyed(made: Case) -> Case {
    (0..12).fold(made.action("hash_policy: [{header: {header_name: x-key}}]"), |made, key| {
        made.ask(&format!("GET / x-key: key-{key}"))
    })
}

fn keys() -> Vec<Case> {
    vec![
        keyed(many("a_ring_gives_a_key_its_endpoint", "lb_policy: RING_HASH")),
        keyed(many(
            "a_small_ring",
            "lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 16, maximum_ring_size: 16}",
        )),
        keyed(many("maglev_gives_a_key_its_endpoint", "lb_policy: MAGLEV")),
        keyed(many("a_small_table", "lb_policy: MAGLEV, maglev_lb_config: {table_size: 103}")),
        many("a_parameter_is_a_key", "lb_policy: RING_HASH")
            .action("hash_policy: [{query_parameter: {name: k}}]")
            .asks(&["GET /?k=1", "GET /?k=2", "GET /?k=3", "GET /?k=4"]),
        many("a_cookie_is_a_key", "lb_policy: RING_HASH").action("hash_policy: [{cookie: {name: c}}]").asks(&[
            "GET / cookie: c=1",
            "GET / cookie: c=2",
            "GET / cookie: c=3",
        ]),
        many("an_address_is_a_key", "lb_policy: MAGLEV")
            .action("hash_policy: [{connection_properties: {source_ip: true}}]")
            .times(3, "GET /"),
        many("several_keys_count_together", "lb_policy: RING_HASH")
            .action("hash_policy: [{header: {header_name: x-a}}, {header: {header_name: x-b}}]")
            .asks(&["GET / x-a: 1; x-b: 2", "GET / x-a: 1", "GET / x-b: 2", "GET / x-b: 1; x-a: 2"]),
        many("a_terminal_key_ends_the_list", "lb_policy: RING_HASH")
            .action("hash_policy: [{header: {header_name: x-a}, terminal: true}, {header: {header_name: x-b}}]")
            .asks(&["GET / x-a: 1; x-b: 2", "GET / x-a: 1", "GET / x-b: 2"]),
    ]
}

fn turns_and_chance() -> Vec<Case> {
    let weights = "[{lb_endpoints: [{endpoint: {address: $one}, load_balancing_weight: 1}, {endpoint: {address: $two}, load_balancing_weight: 3}]}]";
    let two = |name| case(name).backend("one", &["200"]).backend("two", &["200"]);
    vec![
        many("turns_are_equal", "lb_policy: ROUND_ROBIN").align("c").times(10, "GET /"),
        two("turns_follow_weights").cluster("cart", weights, "lb_policy: ROUND_ROBIN").spread(2000, "GET /"),
        many("chance_is_fair", "lb_policy: RANDOM").spread(2500, "GET /"),
        two("chance_follows_weights").cluster("cart", weights, "lb_policy: RANDOM").spread(2000, "GET /"),
        many("least_requests_of_idle_ones_is_chance", "lb_policy: LEAST_REQUEST").spread(2500, "GET /"),
        two("least_requests_follow_weights").cluster("cart", weights, "lb_policy: LEAST_REQUEST").spread(2000, "GET /"),
        two("localities_share_by_weight").cluster("cart", "[{locality: {zone: a}, load_balancing_weight: 1, lb_endpoints: [{endpoint: {address: $one}}]}, {locality: {zone: b}, load_balancing_weight: 4, lb_endpoints: [{endpoint: {address: $two}}]}]", "common_lb_config: {locality_weighted_lb_config: {}}").spread(2000, "GET /"),
    ]
}

fn subsets() -> Vec<Case> {
    let endpoint = |name: &str, version: &str| {
        format!(
            "{{endpoint: {{address: ${name}}}, metadata: {{filter_metadata: {{envoy.lb: {{version: {version}}}}}}}}}"
        )
    };
    let endpoints = format!("[{{lb_endpoints: [{}, {}]}}]", endpoint("one", "v1"), endpoint("two", "v2"));
    let subset = |name, fallback: &str| {
        let route = |path: &str, version: &str| {
            format!(
                "{{match: {{prefix: {path}}}, route: {{cluster: cart, metadata_match: {{filter_metadata: {{envoy.lb: {{version: {version}}}}}}}}}}}"
            )
        };
        case(name)
            .backend("one", &["200"])
            .backend("two", &["200"])
            .cluster(
                "cart",
                &endpoints,
                &format!("lb_subset_config: {{{fallback}, subset_selectors: [{{keys: [version]}}]}}"),
            )
            .route(&route("/v1", "v1"))
            .route(&route("/v2", "v2"))
            .route(&route("/v3", "v3"))
            .route("{match: {prefix: /}, route: {cluster: cart}}")
    };
    vec![
        subset("a_part_gets_what_is_meant_for_it", "fallback_policy: NO_FALLBACK")
            .asks(&["GET /v1", "GET /v1", "GET /v2", "GET /v3", "GET /"]),
        subset("any_endpoint_stands_in", "fallback_policy: ANY_ENDPOINT").asks(&["GET /v1", "GET /v2"]).counting(),
        subset("a_default_part_stands_in", "fallback_policy: DEFAULT_SUBSET, default_subset: {version: v2}")
            .asks(&["GET /v3", "GET /", "GET /v1"]),
    ]
}
