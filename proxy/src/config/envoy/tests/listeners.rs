use super::support::{errors, read, told, warnings, with_listener, with_manager};
use crate::policy::{Handler, Inspection, LogSink, NameKind, TransportProtocol};
use std::time::Duration;

const TCP: &str = "{name: tcp, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: tcp, cluster: cart}}";

fn chain(fields: &str) -> String {
    with_listener(&format!("filter_chains: [{{filters: [{TCP}], {fields}}}]"))
}

fn tcp(fields: &str) -> String {
    let filter = TCP.replace("cluster: cart", fields);
    with_listener(&format!("filter_chains: [{{filters: [{filter}]}}]"))
}

#[test]
fn a_listener_has_envoys_defaults_for_what_it_does_not_say() {
    let listener = read(&chain("")).listeners.remove(0);
    assert_eq!(listener.connection_buffer, 1 << 20);
    assert_eq!(listener.inspection, Inspection::default());
    assert_eq!(listener.inspection.timeout, Some(Duration::from_secs(15)));
    assert_eq!(listener.max_connections, None);
    let off = with_listener(&format!("listener_filters_timeout: 0s, filter_chains: [{{filters: [{TCP}]}}]"));
    assert_eq!(read(&off).listeners[0].inspection.timeout, None);
}

#[test]
fn a_listener_without_a_name_is_called_by_its_address() {
    let text = chain("").replace("{name: in, ", "{");
    assert_eq!(read(&text).listeners[0].name, "127.0.0.1:8080");
}

#[test]
fn what_is_wrong_with_a_listener_is_told() {
    let chains = format!("filter_chains: [{{filters: [{TCP}]}}]");
    let listeners = |second: &str| {
        format!(
            "static_resources: {{listeners: [{{name: a, address: {{socket_address: {{address: \"::\", port_value: 80}}}}, {chains}}}, {second}], \
            clusters: [{{name: cart, {}}}]}}",
            super::support::ENDPOINTS
        )
    };
    let at = |address: &str| format!("address: {{socket_address: {{address: {address}, port_value: 80}}}}");
    told(
        listeners,
        &[
            (&format!("{{name: a, {}, {chains}}}", at("127.0.0.1")), &["another listener is called `a` too"]),
            (&format!("{{name: b, {}, {chains}}}", at("\"::\"")), &["listener `a` has the address [::]:80 already"]),
            (&format!("{{name: b, {}, {chains}}}", at("localhost")), &["listeners[1].address", "no IP address"]),
            (&format!("{{name: b, address: {{pipe: {{path: /a}}}}, {chains}}}"), &["listeners[1].address", "`pipe`"]),
            (&format!("{{name: b, {chains}}}"), &["`address` is missing"]),
            (&format!("{{name: b, {}}}", at("127.0.0.1")), &["`filter_chains` or a `default_filter_chain`"]),
            (
                &format!(
                    "{{name: b, {}, {chains}, connection_balance_config: {{exact_balance: {{}}}}}}",
                    at("127.0.0.1")
                ),
                &["listeners[1].connection_balance_config` is valid but not obeyed"],
            ),
        ],
    );
}

#[test]
fn a_chain_is_chosen_by_what_it_matches() {
    let text = chain(
        "filter_chain_match: {destination_port: 80, prefix_ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}], server_names: [A.example], \
         transport_protocol: raw_buffer, application_protocols: [h2c], source_prefix_ranges: [{address_prefix: \"::\"}], source_ports: [1]}",
    );
    let matches = read(&text).listeners.remove(0).chains.remove(0).matches;
    assert_eq!((matches.destination_port, matches.destination_ranges[0].prefix), (Some(80), 8));
    assert_eq!(
        (matches.server_names, matches.transport),
        (vec!["a.example".to_owned()], Some(TransportProtocol::RawBuffer))
    );
    assert_eq!((matches.source_ranges[0].prefix, matches.source_ports), (0, vec![1]));
    assert!(warnings(&text)[0].contains("tls_inspector"), "{:?}", warnings(&text));
    told(
        |fields| chain(&format!("filter_chain_match: {{{fields}}}")),
        &[
            ("server_names: [\"a*.example\"]", &["server_names[0]", "`*`"]),
            ("transport_protocol: quic", &["transport_protocol", "`raw_buffer`"]),
            ("destination_port: 0", &["destination_port", "1 to 65535"]),
            ("prefix_ranges: [{address_prefix: 10.0.0.0/8}]", &["no IP address", "`prefix_len`"]),
            ("prefix_ranges: [{address_prefix: 10.0.0.0, prefix_len: 33}]", &["prefix_len", "0 to 32"]),
            ("source_type: EXTERNAL", &["filter_chain_match.source_type` is valid but not obeyed"]),
        ],
    );
    let twice = with_listener(&format!("filter_chains: [{{filters: [{TCP}]}}, {{filters: [{TCP}]}}]"));
    assert!(errors(&twice)[0].contains("`filter_chains[1]` is for connections that one before it is for"));
}

#[test]
fn a_chain_ends_in_one_that_serves_its_connections() {
    told(
        |filters| with_listener(&format!("filter_chains: [{{filters: [{filters}]}}]")),
        &[
            ("", &["`filters` is empty"]),
            (&format!("{TCP}, {TCP}"), &["filters[1]", "nothing comes behind it"]),
            (
                "{name: a, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy}}",
                &["filters[0].typed_config.RedisProxy` is valid but not obeyed"],
            ),
        ],
    );
}

#[test]
fn bytes_go_where_the_proxy_says() {
    let proxy = |fields: &str| match read(&tcp(fields)).listeners.remove(0).chains.remove(0).handler {
        Handler::Tcp(proxy) => proxy,
        Handler::Http(_) => panic!("bytes"),
    };
    let plain = proxy("cluster: cart");
    assert_eq!((plain.idle_timeout, plain.max_connect_attempts), (Some(Duration::from_secs(3600)), 1));
    assert_eq!(proxy("cluster: cart, idle_timeout: 0s").idle_timeout, None);
    assert!(proxy("cluster: cart, hash_policy: [{source_ip: {}}]").hash_source_ip);
    let logged = proxy(
        "cluster: cart, access_log: [{name: a, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog}}]",
    );
    assert_eq!(logged.access_logs[0].to, LogSink::Stderr);
    let subset = proxy(
        "weighted_clusters: {clusters: [{name: cart, weight: 2, metadata_match: {filter_metadata: {envoy.lb: {v: \"2\"}}}}]}, \
         metadata_match: {filter_metadata: {envoy.lb: {v: \"1\", w: \"1\"}}}",
    );
    let labels = &subset.to[0].subset;
    assert_eq!((labels.get("v").map(String::as_str), labels.get("w").map(String::as_str)), (Some("2"), Some("1")));
    told(
        tcp,
        &[
            ("max_connect_attempts: 1", &["`cluster`, `weighted_clusters`"]),
            ("cluster: cart, weighted_clusters: {clusters: [{name: cart, weight: 1}]}", &["exclude each other"]),
            ("weighted_clusters: {clusters: []}", &["`clusters` is empty"]),
            ("weighted_clusters: {clusters: [{name: cart, weight: 0}]}", &["weight", "from 1"]),
            ("cluster: cart, max_connect_attempts: 0", &["max_connect_attempts", "from 1"]),
            ("cluster: cart, tunneling_config: {}", &["tunneling_config` is valid but not obeyed"]),
        ],
    );
    let unknown = tcp("cluster: card");
    assert!(read(&unknown).listeners.len() == 1 && warnings(&unknown)[0].contains("did you mean `cart`?"));
}

#[test]
fn tls_of_clients_is_ended_with_files() {
    let socket = |fields: &str| {
        chain(&format!(
            "transport_socket: {{name: tls, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, {fields}}}}}"
        ))
    };
    let certificate = "tls_certificates: [{certificate_chain: {filename: /c}, private_key: {filename: /k}}]";
    let text = socket(&format!(
        "require_client_certificate: true, common_tls_context: {{{certificate}, validation_context: {{trusted_ca: {{filename: /ca}}}}}}"
    ));
    let tls = read(&text).listeners.remove(0).chains.remove(0).tls.unwrap();
    assert!(tls.require_client && tls.versions.v1_2 && tls.versions.v1_3);
    assert_eq!(
        (tls.certificates[0].key.to_str(), tls.client_ca.as_deref().and_then(|ca| ca.to_str())),
        (Some("/k"), Some("/ca"))
    );
    told(
        socket,
        &[
            ("common_tls_context: {}", &["`tls_certificates` is missing"]),
            (
                "require_sni: true, common_tls_context: {tls_certificates: [{certificate_chain: {filename: /c}, private_key: {filename: /k}}]}",
                &["require_sni"],
            ),
            (
                &format!("require_client_certificate: true, common_tls_context: {{{certificate}}}"),
                &["nothing says whose"],
            ),
            (
                "common_tls_context: {tls_certificates: [{certificate_chain: {inline_string: x}, private_key: {filename: /k}}]}",
                &["certificate_chain.inline_string", "a certificate outside of a file"],
            ),
        ],
    );
    let sds =
        errors(&socket(&format!("common_tls_context: {{{certificate}, tls_certificate_sds_secret_configs: []}}")));
    assert!(sds[0].contains("management server"), "{sds:?}");
}

#[test]
fn what_the_admin_address_logs_goes_nowhere() {
    let admin =
        |log: &str| format!("admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}, {log}}}");
    assert!(read(&admin("access_log_path: /dev/null")).admin.is_some());
    told(|log| admin(log), &[("access_log_path: /tmp/a", &["admin.access_log_path", "/dev/null"])]);
}

#[test]
fn a_collector_must_be_a_cluster_and_speak_a_protocol_that_is_spoken_here() {
    let tracing =
        |config: &str| with_manager(&format!("tracing: {{provider: {{name: a, typed_config: {{{config}}}}}}}"), "", "");
    let open = "\"@type\": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig";
    let zipkin = "\"@type\": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: cart, collector_endpoint: /api/v2/spans";
    told(
        tracing,
        &[
            (
                &format!("{open}, grpc_service: {{envoy_grpc: {{cluster_name: kart}}}}"),
                &["cluster_name", "did you mean `cart`?"],
            ),
            (&format!("{open}, service_name: a"), &["`grpc_service`, `http_service`"]),
            (
                "\"@type\": type.googleapis.com/envoy.config.trace.v3.DatadogConfig, collector_cluster: cart",
                &["typed_config.DatadogConfig` is valid but not obeyed"],
            ),
            (zipkin, &["`collector_endpoint_version` is missing"]),
            (&format!("{zipkin}, collector_endpoint_version: HTTP_PROTO"), &["`HTTP_PROTO`", "not obeyed"]),
            (
                &format!("{zipkin}, collector_endpoint_version: HTTP_JSON, trace_context_option: 1"),
                &["`USE_B3_WITH_W3C_PROPAGATION`", "not obeyed"],
            ),
        ],
    );
}

#[test]
fn names_of_clients_keep_their_kind_and_need_an_authority() {
    let socket = |fields: &str| {
        chain(&format!(
            "transport_socket: {{name: tls, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, common_tls_context: {{tls_certificates: [{{certificate_chain: {{filename: /c}}, private_key: {{filename: /k}}}}], validation_context: {{{fields}}}}}}}}}"
        ))
    };
    let names = "match_typed_subject_alt_names: [{san_type: URI, matcher: {prefix: \"spiffe://a/\"}}], match_subject_alt_names: [{exact: b}]";
    let tls =
        read(&socket(&format!("trusted_ca: {{filename: /ca}}, {names}"))).listeners.remove(0).chains.remove(0).tls;
    let names_read = tls.unwrap().client_names;
    assert_eq!(names_read.iter().map(|name| name.kind).collect::<Vec<_>>(), [Some(NameKind::Uri), None]);
    assert!(names_read[0].value.matches("spiffe://a/b") && names_read[1].value.matches("b"));
    told(
        socket,
        &[
            (names, &["nothing says who must have signed them"]),
            (
                "trusted_ca: {filename: /ca}, match_typed_subject_alt_names: [{san_type: OTHER_NAME, matcher: {exact: a}}]",
                &["OTHER_NAME"],
            ),
        ],
    );
}

#[test]
fn chains_that_share_a_name_and_nothing_more_specific_are_refused() {
    let named = |names: &str, more: &str| {
        format!("{{filter_chain_match: {{server_names: [{names}]{more}}}, filters: [{TCP}]}}")
    };
    let both = |one: String, other: String| with_listener(&format!("filter_chains: [{one}, {other}]"));
    let refused = both(named("a.example, b.example", ""), named("b.example, c.example", ""));
    assert!(errors(&refused)[0].contains("`filter_chains[1]`"), "{:?}", errors(&refused));
    let told_apart = both(named("b.example", ""), named("b.example", ", application_protocols: [h2]"));
    assert!(errors(&told_apart).is_empty(), "{:?}", errors(&told_apart));
    let wild = both(named("b.example", ""), named("\"*.example\"", ""));
    assert!(errors(&wild).is_empty());
}
