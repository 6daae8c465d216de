use super::support::{cluster, errors, told, warnings, with_cluster};
use crate::policy::{
    HealthProbe, OutlierDetection, PoolLimits, ProtocolChoice, ServerNames, Sni, Threshold, TlsVersions, Trust,
};
use std::time::Duration;

#[test]
fn an_empty_detector_is_on_with_envoys_defaults_and_each_field_changes_one() {
    assert_eq!(cluster("outlier_detection: {}").outlier, Some(OutlierDetection::envoy_default()));
    let outlier = |fields: &str| cluster(&format!("outlier_detection: {{{fields}}}")).outlier.unwrap();
    let default = OutlierDetection::envoy_default();
    assert_eq!(outlier("consecutive_5xx: 0").consecutive_5xx.count, None);
    assert_eq!(outlier("enforcing_consecutive_gateway_failure: 100").consecutive_gateway, Threshold::at(5));
    assert_eq!(outlier("success_rate_stdev_factor: 1000").success_rate.stdev_factor, 1000);
    assert_eq!(outlier("enforcing_failure_percentage: 7").failure_percentage.enforcing, 7);
    assert_eq!(outlier("max_ejection_time_jitter: 3s").max_ejection_time_jitter, Duration::from_secs(3));
    assert_eq!(outlier("base_ejection_time: 400s").max_ejection_time, Duration::from_secs(400));
    assert_eq!(outlier("max_ejection_time: 40s").max_ejection_time, Duration::from_secs(40));
    let flags = outlier("always_eject_one_host: true, successful_active_health_check_uneject_host: false");
    assert_eq!(flags, OutlierDetection { always_eject_one: true, check_ends_ejection: false, ..default });
    told(
        |fields| with_cluster(&format!("outlier_detection: {{{fields}}}")),
        &[
            ("max_ejection_time: 10s", &["`max_ejection_time` is less than `base_ejection_time`"]),
            ("interval: 0s", &["outlier_detection.interval", "above 0s"]),
            ("enforcing_success_rate: 101", &["enforcing_success_rate", "0 to 100"]),
            ("monitors: []", &["outlier_detection.monitors` is valid but not obeyed"]),
        ],
    );
}

#[test]
fn breakers_hold_for_the_priorities_that_they_name() {
    let default = PoolLimits::envoy_default();
    let read = cluster("circuit_breakers: {thresholds: [{max_connections: 0, max_retries: 7}]}");
    assert_eq!(read.limits, PoolLimits { connections: 0, retries: 7, ..default });
    assert_eq!(read.high_limits, default);
    let read = cluster(
        "circuit_breakers: {thresholds: [{priority: HIGH, max_requests: 1}], per_host_thresholds: [{max_connections: 4}]}",
    );
    assert_eq!(read.high_limits.requests, 1);
    assert_eq!((read.limits.connections_per_host, read.limits.connections), (4, 1024));
    let budget = cluster("circuit_breakers: {thresholds: [{retry_budget: {}}]}").limits.retry_budget.unwrap();
    assert_eq!((budget.percent, budget.min_concurrency), (20.0, 3));
    told(
        with_cluster,
        &[(
            "circuit_breakers: {per_host_thresholds: [{max_requests: 4}]}",
            &["per_host_thresholds[0].max_requests", "only `max_connections`"],
        )],
    );
    let twice = "circuit_breakers: {thresholds: [{max_requests: 4}, {max_requests: 5}]}";
    assert_eq!(cluster(twice).limits.requests, 4);
    assert!(warnings(&with_cluster(twice))[0].contains("thresholds[1]"));
}

#[test]
fn a_check_has_envoys_defaults_for_what_it_does_not_say() {
    let form = |probe: &str| {
        format!("health_checks: [{{timeout: 1s, interval: 2s, healthy_threshold: 1, unhealthy_threshold: 3, {probe}}}]")
    };
    let check = cluster(&form("http_health_check: {path: /h}")).health_checks.remove(0);
    assert_eq!(check.no_traffic_interval, Some(Duration::from_secs(60)));
    assert_eq!((check.no_traffic_healthy_interval, check.unhealthy_interval), (None, None));
    assert_eq!((check.initial_jitter, check.interval_jitter_percent), (Duration::ZERO, 0));
    assert!(check.reuse_connection);
    let HealthProbe::Http(probe) = &check.probe else { panic!("http") };
    assert_eq!((probe.method.as_str(), probe.expected.as_slice()), ("GET", [(200, 201)].as_slice()));
    let tcp = cluster(&form("tcp_health_check: {send: {text: 50494e47}, receive: [{binary: UE9ORw==}]}"));
    // Digits that are all decimal would be a number; these are a text.
    let expected = HealthProbe::Tcp { send: b"PING".to_vec(), receive: vec![b"PONG".to_vec()] };
    assert_eq!(tcp.health_checks[0].probe, expected);
    assert_eq!(cluster(&form("tcp_health_check: {}")).health_checks.len(), 1);
    told(
        |probe| with_cluster(&form(probe)),
        &[
            ("http_health_check: {}", &["health_checks[0].http_health_check", "`path` is missing"]),
            (
                "http_health_check: {path: /h, expected_statuses: [{start: 300, end: 200}]}",
                &["expected_statuses[0]", "above"],
            ),
            (
                "http_health_check: {path: /h, expected_statuses: [{start: 99, end: 200}]}",
                &["expected_statuses[0]", "100 and 600"],
            ),
            ("http_health_check: {path: /h, method: CONNECT}", &["method", "not obeyed"]),
            ("http_health_check: {path: /h, receive: []}", &["http_health_check.receive` is valid but not obeyed"]),
            ("tcp_health_check: {send: {text: xyz}}", &["send.text", "hexadecimal"]),
            ("grpc_health_check: {}", &["needs HTTP/2"]),
            ("reuse_connection: true", &["`http_health_check`, `tcp_health_check`, `grpc_health_check`"]),
            ("tcp_health_check: {}, grpc_health_check: {}", &["exclude each other"]),
        ],
    );
    let bare = errors(&with_cluster("health_checks: [{tcp_health_check: {}}]"));
    assert_eq!(bare.len(), 4, "{bare:#?}");
}

#[test]
fn the_protocol_is_http_1_unless_the_options_say_otherwise() {
    let options = |fields: &str| {
        format!(
            "typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": \
            type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions{fields}}}}}"
        )
    };
    for (fields, choice) in [
        (String::new(), ProtocolChoice::Http1),
        (options(", explicit_http_config: {http_protocol_options: {}}"), ProtocolChoice::Http1),
        (options(", explicit_http_config: {http2_protocol_options: {}}"), ProtocolChoice::Http2),
        (options(", use_downstream_protocol_config: {}"), ProtocolChoice::OfClient),
        ("http2_protocol_options: {}".to_owned(), ProtocolChoice::Http2),
        ("protocol_selection: USE_DOWNSTREAM_PROTOCOL".to_owned(), ProtocolChoice::OfClient),
    ] {
        assert_eq!(cluster(&fields).protocol.choice, choice, "{fields}");
    }
    let connections = cluster(&options(
        ", explicit_http_config: {http_protocol_options: {}}, common_http_protocol_options: {idle_timeout: 0s, max_requests_per_connection: 5}",
    ))
    .connections;
    assert_eq!((connections.idle_timeout, connections.max_requests), (None, Some(5)));
    let matcher = options(
        ", use_downstream_protocol_config: {}, outlier_detection: {error_matcher: {or_match: {rules: [\
         {http_response_headers_match: {headers: [{name: \":status\", string_match: {exact: \"429\"}}]}}, \
         {http_response_headers_match: {headers: [{name: \":status\", range_match: {start: 500, end: 600}}]}}]}}}",
    );
    let statuses = cluster(&format!("outlier_detection: {{}}, {matcher}")).outlier.unwrap().error_statuses.unwrap();
    assert_eq!((statuses.len(), statuses[0], statuses[100]), (101, (429, 430), (599, 600)));
    told(
        with_cluster,
        &[
            (&options(""), &["`explicit_http_config`, `use_downstream_protocol_config`, `auto_config`"]),
            (&options(", auto_config: {}"), &["ALPN", "transport_socket"]),
            (
                &options(", explicit_http_config: {http3_protocol_options: {}, http_protocol_options: {}}"),
                &["http3_protocol_options"],
            ),
            (
                &format!("http2_protocol_options: {{}}, {}", options(", use_downstream_protocol_config: {}")),
                &["excludes"],
            ),
        ],
    );
}

#[test]
fn tls_towards_a_server_verifies_what_it_is_told_to() {
    let socket = |fields: &str| {
        format!(
            "transport_socket: {{name: tls, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext{fields}}}}}"
        )
    };
    let tls = cluster(&socket("")).tls.unwrap();
    assert_eq!((&tls.sni, &tls.trust, &tls.names), (&Sni::None, &Trust::Nobody, &ServerNames::Any));
    assert_eq!(tls.versions, TlsVersions { v1_2: true, v1_3: false });
    assert!(warnings(&with_cluster(&socket("")))[0].contains("not verified"));
    let tls = cluster(&socket(
        ", sni: a, common_tls_context: {tls_params: {tls_maximum_protocol_version: TLSv1_3}, \
         validation_context: {trusted_ca: {filename: /ca}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: a}}]}}",
    ))
    .tls
    .unwrap();
    assert_eq!((&tls.sni, &tls.trust), (&Sni::Fixed("a".to_owned()), &Trust::File("/ca".into())));
    assert!(matches!(&tls.names, ServerNames::OneOf(names) if names.len() == 1) && tls.versions.v1_3);
    let raw = "transport_socket: {name: raw, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}}";
    assert_eq!(cluster(raw).tls, None);
    told(
        |fields| with_cluster(&socket(fields)),
        &[
            (
                ", common_tls_context: {validation_context: {trusted_ca: {inline_string: x}}}",
                &["trusted_ca.inline_string", "filename"],
            ),
            (
                ", common_tls_context: {tls_certificates: [{certificate_chain: {filename: a}}]}",
                &["`private_key` is missing"],
            ),
            (", common_tls_context: {tls_params: {tls_minimum_protocol_version: TLSv1_0}}", &["TLSv1_0", "not obeyed"]),
            (
                ", common_tls_context: {tls_params: {tls_minimum_protocol_version: TLSv1_3}}",
                &["no version of TLS is left"],
            ),
            (", auto_host_sni: true", &["auto_host_sni` is valid but not obeyed"]),
        ],
    );
}
