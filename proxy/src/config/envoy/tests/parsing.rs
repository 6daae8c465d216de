use super::super::{is_bootstrap, schema};
use super::support::{
    cluster, errors, findings, read, read_with, told, warnings, with_action, with_cluster, with_manager,
};
use crate::config::LoadOptions;
use squall_yaml::Source;
use std::time::Duration;

#[test]
fn a_bootstrap_is_known_by_its_fields_and_is_no_object() {
    for (text, is) in [
        ("static_resources: {}", true),
        ("staticResources: {}", true),
        ("admin: {}", true),
        ("{\"node\": {\"id\": \"a\"}}", true),
        ("dynamic_resources: {}", true),
        ("apiVersion: v1\nkind: Service\nadmin: {}", false),
        ("kind: Bootstrap\nadmin: {}", false),
        ("steps: []", false),
        ("[]", false),
    ] {
        let documents = squall_yaml::parse(&Source { path: "a.yaml".into(), text: text.to_owned() }).unwrap();
        assert_eq!(is_bootstrap(&documents[0]), is, "{text}");
    }
}

#[test]
fn fields_are_written_in_snake_case_or_lower_camel_case() {
    for fields in
        ["connect_timeout: 1s, max_requests_per_connection: 3", "connectTimeout: 1s, maxRequestsPerConnection: 3"]
    {
        let connections = cluster(fields).connections;
        assert_eq!((connections.connect_timeout, connections.max_requests), (Duration::from_secs(1), Some(3)));
    }
    let json = r#"{"staticResources": {"clusters": [{"name": "cart", "outlierDetection": {"consecutive5xx": 3},
        "loadAssignment": {"clusterName": "cart"}}]}}"#;
    assert_eq!(read(json).clusters[0].outlier.as_ref().unwrap().consecutive_5xx.count, Some(3));
    assert_eq!(schema::lower_camel("consecutive_5xx"), "consecutive5xx");
    assert_eq!(schema::lower_camel("max_ejection_percent"), "maxEjectionPercent");
}

#[test]
fn a_field_under_both_spellings_is_one_too_many() {
    told(with_cluster, &[("connect_timeout: 1s, connectTimeout: 1s", &["connect_timeout", "twice"])]);
}

#[test]
fn enums_are_written_by_name_or_by_number_and_wide_numbers_perhaps_as_text() {
    use crate::policy::Balance;
    for fields in ["lb_policy: RANDOM", "lb_policy: 3"] {
        assert_eq!(cluster(fields).balance, Balance::Random);
    }
    let ring = cluster("lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: \"64\", hash_function: 0}");
    assert_eq!(ring.balance, Balance::RingHash { min_size: 64, max_size: 8_388_608 });
}

#[test]
fn durations_are_seconds_with_an_s() {
    for (text, millis) in [("1s", 1000), ("0.25s", 250), ("15s", 15_000), ("1.5s", 1500), ("0.001s", 1)] {
        let connections = cluster(&format!("connect_timeout: {text}")).connections;
        assert_eq!(connections.connect_timeout, Duration::from_millis(millis), "{text}");
    }
    let place = "static_resources.clusters[0].connect_timeout";
    told(
        |duration| with_cluster(&format!("connect_timeout: {duration}")),
        &[
            ("250ms", &[place, "0.25s"]),
            ("1m30s", &[place, "90s"]),
            ("5", &[place, "write `5s`"]),
            ("-1s", &[place, "no duration"]),
            (".5s", &[place, "no duration"]),
            ("1.0000000001s", &[place, "no duration"]),
            ("s", &[place, "no duration"]),
            ("0s", &[place, "above 0s"]),
            ("[]", &[place, "seconds with an `s`"]),
        ],
    );
}

#[test]
fn null_is_a_field_that_is_not_there() {
    assert_eq!(cluster("outlier_detection: null").outlier, None);
    assert!(cluster("outlier_detection: {}").outlier.is_some());
}

#[test]
fn a_value_of_another_kind_is_told_with_its_path() {
    told(
        with_cluster,
        &[
            ("alt_stat_name: 1, connect_timeout: 1s", &["alt_stat_name` is valid but not obeyed"]),
            ("lb_policy: ROUND", &["clusters[0].lb_policy", "ROUND_ROBIN"]),
            ("lb_policy: 17", &["clusters[0].lb_policy", "17"]),
            ("health_checks: {}", &["clusters[0].health_checks", "a list"]),
            ("outlier_detection: []", &["clusters[0].outlier_detection", "a map"]),
            ("ignore_health_on_host_removal: yes", &["clusters[0].ignore_health_on_host_removal", "`true` or `false`"]),
            ("outlier_detection: {consecutive_5xx: -1}", &["outlier_detection.consecutive_5xx", "out of range"]),
            (
                "outlier_detection: {consecutive_5xx: 4294967296}",
                &["outlier_detection.consecutive_5xx", "out of range"],
            ),
            ("outlier_detection: {consecutive_5xx: 1.5}", &["outlier_detection.consecutive_5xx", "a whole number"]),
            ("outlier_detection: {max_ejection_percent: 101}", &["max_ejection_percent", "from 0 to 100"]),
            (
                "common_lb_config: {healthy_panic_threshold: {value: 101}}",
                &["healthy_panic_threshold.value", "0 to 100"],
            ),
            ("common_lb_config: {healthy_panic_threshold: 50}", &["healthy_panic_threshold", "a map"]),
        ],
    );
    let text = "static_resources: {clusters: [{name: 7}]}";
    assert!(errors(text).iter().any(|one| one.contains("clusters[0].name") && one.contains("in quotes")));
}

#[test]
fn a_misspelt_field_is_told_with_its_path_and_what_is_meant() {
    let text = with_cluster("outlier_detection: {intervall: 1s}");
    let (_, findings, _) = read_with(&text, &LoadOptions::default());
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(finding.message.contains("`static_resources.clusters[0].outlier_detection.intervall`"), "{finding}");
    assert!(finding.help.as_deref().unwrap().contains("`interval`"), "{finding}");
    assert_eq!(finding.place.column, text.find("intervall").unwrap() + 1);
    assert_eq!(finding.span_len, "intervall".len());
}

#[test]
fn what_is_known_and_not_obeyed_is_refused_unless_it_is_accepted() {
    let text = with_cluster("preconnect_policy: {}, lb_subset_config: {list_as_any: true}");
    let (_, findings, _) = read_with(&text, &LoadOptions::default());
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Some("SQ0302"); 2], "{findings:?}");
    let help = findings[1].help.as_deref().unwrap();
    let name = "Bootstrap.static_resources.clusters.lb_subset_config.list_as_any";
    assert!(help.contains(name), "{help}");
    let accept_unsupported = vec![name.to_owned(), "Bootstrap.static_resources.clusters.preconnect_policy".to_owned()];
    let (config, findings, accepted) = read_with(&text, &LoadOptions { accept_unsupported, ..LoadOptions::default() });
    assert!(config.is_some() && findings.is_empty(), "{findings:?}");
    assert_eq!(accepted.len(), 2);
}

#[test]
fn a_filter_that_is_not_obeyed_can_be_accepted_by_the_name_of_its_message() {
    let lua = "{name: lua, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, inline_code: x}}";
    let text = with_manager("", lua, "");
    let name = "Bootstrap.static_resources.listeners.filter_chains.filters.typed_config.http_filters.typed_config.Lua";
    let [error] = &*errors(&text) else { panic!("{:?}", errors(&text)) };
    assert!(error.contains("http_filters[0].typed_config.Lua") && error.contains(name), "{error}");
    let options = LoadOptions { accept_unsupported: vec![name.to_owned()], ..LoadOptions::default() };
    let (config, findings, accepted) = read_with(&text, &options);
    assert!(findings.is_empty() && accepted.len() == 1, "{findings:?}");
    assert!(config.unwrap().http_managers().all(|manager| manager.filters.is_empty()));
}

#[test]
fn what_needs_a_management_server_is_refused_with_the_reason() {
    for (text, path) in [
        ("dynamic_resources: {cds_config: {}}".to_owned(), "dynamic_resources"),
        ("hds_config: {}".to_owned(), "hds_config"),
        (with_cluster("eds_cluster_config: {}"), "clusters[0].eds_cluster_config"),
        (with_cluster("type: EDS"), "clusters[0].type"),
    ] {
        let told = errors(&text);
        assert!(told.iter().any(|one| one.contains(path) && one.contains("management server")), "{told:?}");
    }
}

#[test]
fn deprecated_fields_are_obeyed_with_a_warning() {
    let warnings = warnings(&with_cluster("type: STRICT_DNS, dns_refresh_rate: 1s"));
    assert!(warnings.iter().any(|one| one.contains("clusters[0].dns_refresh_rate` is deprecated")), "{warnings:?}");
}

#[test]
fn words_of_the_second_version_are_told_with_those_of_the_third() {
    let v2 = "type.googleapis.com/envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager";
    let filter = |filter: &str| super::support::with_listener(&format!("filter_chains: [{{filters: [{filter}]}}]"));
    for (text, words) in [
        (
            filter(&format!("{{name: hcm, typed_config: {{\"@type\": {v2}}}}}")),
            ["v2 API", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"],
        ),
        (filter("{name: envoy.http_connection_manager, config: {}}"), ["filters[0].config", "`typed_config`"]),
        (with_cluster("hosts: []"), ["clusters[0].hosts", "`load_assignment`"]),
        (with_cluster("tls_context: {}"), ["clusters[0].tls_context", "`transport_socket`"]),
        (with_action("cluster: cart, host_rewrite: a"), ["route.host_rewrite", "`host_rewrite_literal`"]),
        (
            with_manager("idle_timeout: 1s", "", ""),
            ["typed_config.idle_timeout", "`common_http_protocol_options.idle_timeout`"],
        ),
    ] {
        let told = errors(&text);
        assert!(told.iter().any(|one| words.iter().all(|word| one.contains(word))), "{words:?}: {told:#?}");
    }
}

#[test]
fn a_type_that_there_is_not_is_told_with_the_nearest() {
    let filter = |kind: &str| with_manager("", &format!("{{name: a, typed_config: {{{kind}}}}}"), "");
    told(
        filter,
        &[
            (
                "\"@type\": type.googleapis.com/envoy.extensions.filters.http.falt.v3.HTTPFault",
                &["there is no type", "fault.v3.HTTPFault"],
            ),
            ("\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct", &["TypedStruct"]),
            ("\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster", &["has no place here"]),
            ("\"@type\": Router", &["is no type"]),
            ("a: b", &["`@type` is missing"]),
        ],
    );
    let told = errors(&with_manager("", "{name: envoy.filters.http.fault}", ""));
    assert!(told.len() == 1 && told[0].contains("`typed_config` is missing"), "{told:?}");
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
    let text = with_cluster("connect_timeout: 1, lb_policy: NONE, foo: 1");
    let told = findings(&text);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].contains("connect_timeout") && told[1].contains("lb_policy") && told[2].contains("foo"));
}

#[test]
fn values_of_the_static_runtime_stand_in_place_of_defaults() {
    let runtime = |values: &str| {
        format!(
            "layered_runtime: {{layers: [{{name: a, static_layer: {{{values}}}}}, {{name: b, admin_layer: {{}}}}]}}\n{}",
            with_cluster(
                "outlier_detection: {consecutive_5xx: 3}, circuit_breakers: {thresholds: [{max_requests: 5}]}"
            )
        )
    };
    let config = read(&runtime(
        "upstream: {healthy_panic_threshold: 0}, outlier_detection.consecutive_5xx: 7, \
         circuit_breakers.cart.default.max_requests: 9",
    ));
    let cluster = &config.clusters[0];
    assert!(cluster.panic_percent.abs() < 1e-9);
    assert_eq!(cluster.outlier.as_ref().unwrap().consecutive_5xx.count, Some(7));
    assert_eq!(cluster.limits.requests, 9);
    let told = errors(&runtime("no_such.key: 1"));
    assert!(told.len() == 1 && told[0].contains("layered_runtime.layers[0].static_layer[no_such.key]"), "{told:?}");
}
