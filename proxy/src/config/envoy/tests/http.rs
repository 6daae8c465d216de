use super::support::{errors, manager, told, warnings, with_manager};
use crate::policy::{
    Abort, AbortWith, DescriptionWord, EscapedSlashes, Fraction, HostDescriptions, HttpFilter, HttpManager, LogFormat,
    StripPort, Underscores,
};
use std::time::Duration;

#[test]
fn a_manager_that_says_nothing_has_envoys_defaults() {
    let read = manager(&with_manager("", "", ""));
    assert_eq!(read, HttpManager::new("in", read.routes.clone()));
}

#[test]
fn each_field_of_a_manager_changes_one_thing() {
    let of = |fields: &str| manager(&with_manager(fields, "", ""));
    assert_eq!(of("stream_idle_timeout: 0s").timeouts.stream_idle, None);
    assert_eq!(of("common_http_protocol_options: {idle_timeout: 0s}").timeouts.idle, None);
    assert_eq!(of("max_request_headers_kb: 96").limits.head_bytes, 96 * 1024);
    assert_eq!(of("path_with_escaped_slashes_action: REJECT_REQUEST").paths.escaped_slashes, EscapedSlashes::Reject);
    let drop = of("common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}, normalize_path: true");
    assert!(drop.paths.underscores == Underscores::Drop && drop.paths.normalize);
    assert_eq!(of("strip_any_host_port: true").authority.strip_port, StripPort::Any);
    assert!(of("stream_error_on_invalid_http_message: true").keep_connection_on_bad_message);
    assert!(
        of("http_protocol_options: {override_stream_error_on_invalid_http_message: true}")
            .keep_connection_on_bad_message
    );
    assert!(of("upgrade_configs: [{upgrade_type: websocket, enabled: false}]").upgrades.is_empty());
    assert!(!of("generate_request_id: false").request_id.generate);
    assert_eq!(of("via: a").via.as_deref(), Some("a"));
    told(
        |fields| with_manager(fields, "", ""),
        &[
            ("strip_any_host_port: true, strip_matching_host_port: true", &["exclude each other"]),
            ("codec_type: HTTP3", &["codec_type", "`HTTP3` is valid but not obeyed"]),
            ("max_request_headers_kb: 8193", &["1 to 8192"]),
            ("http2_protocol_options: {initial_stream_window_size: 1}", &["initial_stream_window_size", "65535"]),
            ("http2_protocol_options: {connection_keepalive: {interval: 1s}}", &["`timeout` is missing"]),
            ("local_reply_config: {}", &["typed_config.local_reply_config` is valid but not obeyed"]),
            ("rds: {}", &["typed_config.rds", "management server"]),
        ],
    );
}

#[test]
fn the_router_is_there_and_the_last() {
    let text = with_manager("", "", "").replace(super::support::ROUTER, "");
    assert!(errors(&text)[0].contains("does not end in the router"));
    let text = with_manager("", "", "").replace(super::support::ROUTER, "{name: envoy.filters.http.router}");
    let told = errors(&text);
    assert!(told.len() == 1 && told[0].contains("`typed_config` is missing"), "{told:?}");
    let text = with_manager("", super::support::ROUTER, "");
    assert!(errors(&text)[0].contains("make the router the last one"));
}

fn fault(fields: &str) -> String {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    with_manager("", &format!("{{name: fault, typed_config: {{\"@type\": {kind}, {fields}}}}}"), "")
}

#[test]
fn faults_are_read_in_millionths_and_of_nothing_where_no_percentage_is_given() {
    let filter = |fields: &str| match manager(&fault(fields)).filters.remove(0) {
        HttpFilter::Fault(fault) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(filter(""), None);
    for (percentage, share) in [
        ("{numerator: 5}", 50_000),
        ("{numerator: 5, denominator: TEN_THOUSAND}", 500),
        ("{numerator: 5, denominator: 2}", 5),
        ("{numerator: 500}", 1_000_000),
        ("{}", 0),
    ] {
        let abort = filter(&format!("abort: {{grpc_status: 14, percentage: {percentage}}}")).unwrap().abort;
        assert_eq!(abort, Some(Abort { with: AbortWith::Grpc(14), share: Fraction(share) }), "{percentage}");
    }
    let headers =
        "abort: {header_abort: {}, percentage: {numerator: 1}}, delay: {header_delay: {}, percentage: {numerator: 1}}";
    let controlled = filter(headers).unwrap();
    assert_eq!((controlled.abort.unwrap().with, controlled.delay.unwrap().fixed), (AbortWith::Header, None));
    assert_eq!(filter("abort: {http_status: 500}").unwrap().abort.unwrap().share, Fraction::NONE);
    assert!(warnings(&fault("abort: {http_status: 500}"))[0].contains("without a `percentage`"));
    told(
        fault,
        &[
            ("abort: {http_status: 600, percentage: {numerator: 1}}", &["abort.http_status", "200 to 599"]),
            ("delay: {fixed_delay: 0s, percentage: {numerator: 1}}", &["delay.fixed_delay", "above 0s"]),
            ("delay: {percentage: {numerator: 1}}", &["`fixed_delay`, `header_delay`"]),
            (
                "response_rate_limit: {fixed_limit: {limit_kbps: 0}, percentage: {numerator: 1}}",
                &["limit_kbps", "from 1"],
            ),
            ("downstream_nodes: []", &["downstream_nodes` is valid but not obeyed"]),
        ],
    );
}

#[test]
fn a_rate_limit_does_nothing_unless_it_is_enabled_and_enforced() {
    let limit = |fields: &str| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
        with_manager("", &format!("{{name: limit, typed_config: {{\"@type\": {kind}, stat_prefix: l, {fields}}}}}"), "")
    };
    let on = "filter_enabled: {default_value: {numerator: 100}}, filter_enforced: {default_value: {numerator: 100}}";
    let filter = |fields: &str| match manager(&limit(fields)).filters.remove(0) {
        HttpFilter::LocalRateLimit(limit) => limit,
        other => panic!("{other:?}"),
    };
    let off = filter("token_bucket: {max_tokens: 5, fill_interval: 1s}");
    assert_eq!(
        (off.enabled, off.enforced, off.bucket.tokens_per_fill, off.status),
        (Fraction::NONE, Fraction::NONE, 1, 429)
    );
    assert_eq!(warnings(&limit("")).len(), 2);
    for (status, expected) in [("503", 503), ("200", 429), ("TooManyRequests", 429), ("\"418\"", 418)] {
        let read =
            filter(&format!("{on}, status: {{code: {status}}}, token_bucket: {{max_tokens: 5, fill_interval: 1s}}"));
        assert_eq!(read.status, expected, "{status}");
    }
    told(
        limit,
        &[
            (on, &["`token_bucket` is missing"]),
            (&format!("{on}, token_bucket: {{max_tokens: 0, fill_interval: 1s}}"), &["max_tokens", "from 1"]),
            (&format!("{on}, token_bucket: {{max_tokens: 1, fill_interval: 0.04s}}"), &["fill_interval", "0.05s"]),
            (
                &format!("{on}, token_bucket: {{max_tokens: 1, fill_interval: 1s}}, local_cluster_rate_limit: {{}}"),
                &["local_cluster_rate_limit` is valid"],
            ),
            (
                &format!(
                    "{on}, {ONE}, descriptors: [{{entries: [{{key: a, value: b}}], {ONE}}}, {{entries: [{{key: a, value: b}}], {ONE}}}]"
                ),
                &["descriptors[1]", "the same entries"],
            ),
            (&format!("{on}, {ONE}, descriptors: [{{entries: [], {ONE}}}]"), &["`entries` is missing"]),
            (&format!("{on}, {ONE}, rate_limits: [{{actions: [{{}}]}}]"), &["generic_key"]),
            (&format!("{on}, {ONE}, stage: 11"), &["stage", "0 to 10"]),
        ],
    );
    let described = filter(&format!(
        "{ONE}, {on}, descriptors: [{{entries: [{{key: user}}, {{key: path, value: buy}}], {ONE}}}], vh_rate_limits: INCLUDE, always_consume_default_token_bucket: false, max_dynamic_descriptors: 3"
    ));
    let entries = [("user".to_owned(), String::new()), ("path".to_owned(), "buy".to_owned())];
    assert_eq!(described.descriptors[0].entries, entries);
    assert_eq!(
        (described.of_host, described.always_of_all, described.most_values),
        (HostDescriptions::Beside, false, 3)
    );
}

const ONE: &str = "token_bucket: {max_tokens: 1, fill_interval: 1s}";

#[test]
fn routes_and_their_hosts_describe_requests_for_limits() {
    let table = "virtual_hosts: [{name: all, domains: [\"*\"], rate_limits: [{actions: [{remote_address: {}}]}], routes: [{match: {prefix: /}, route: {cluster: cart, include_vh_rate_limits: true, \
        rate_limits: [{stage: 1, actions: [{generic_key: {descriptor_value: a}}, {request_headers: {header_name: X-User, descriptor_key: user}}, \
        {header_value_match: {descriptor_value: buys, expect_match: false, headers: [{name: \":path\", string_match: {prefix: /buy}}]}}, {destination_cluster: {}}, {source_cluster: {}}]}]}}]}]";
    let text = with_manager("", "", table);
    let manager = manager(&text);
    let descriptions = &manager.routes.virtual_hosts[0].routes[0].descriptions;
    assert!(descriptions.beside && warnings(&text)[0].contains("include_vh_rate_limits"));
    assert_eq!(descriptions.of_host[0].words, [DescriptionWord::RemoteAddress]);
    let [own] = descriptions.own.as_slice() else { panic!("{descriptions:?}") };
    assert_eq!((own.stage, own.words.len()), (1, 5));
    let generic = DescriptionWord::Generic { key: "generic_key".to_owned(), value: "a".to_owned() };
    let field = DescriptionWord::Field { name: "x-user".to_owned(), key: "user".to_owned(), optional: false };
    assert_eq!(own.words[..2], [generic, field]);
    assert!(matches!(&own.words[2], DescriptionWord::Matching { key, expect: false, .. } if key == "header_match"));
}

#[test]
fn a_log_without_a_format_has_envoys_own() {
    let logs = |log: &str| {
        with_manager(
            &format!(
                "access_log: [{{name: a, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.access_loggers.{log}}}}}]"
            ),
            "",
            "",
        )
    };
    let log = manager(&logs("stream.v3.StdoutAccessLog")).access_logs.remove(0);
    let LogFormat::Text(format) = &log.format else { panic!("a text") };
    assert_eq!(format.pieces.len(), 31, "fifteen commands, with a text around each");
    told(
        logs,
        &[
            ("file.v3.FileAccessLog", &["`path` is missing"]),
            (
                "file.v3.FileAccessLog, path: /a, log_format: {json_format: {a: {b: c}}}",
                &["json_format[a]", "not obeyed"],
            ),
            (
                "file.v3.FileAccessLog, path: /a, log_format: {text_format_source: {inline_string: \"%NOPE%\"}}",
                &["NOPE"],
            ),
            (
                "file.v3.FileAccessLog, path: /a, log_format: {omit_empty_values: true, json_format: {a: b}}",
                &["omit_empty_values"],
            ),
            ("grpc.v3.HttpGrpcAccessLogConfig", &["typed_config.HttpGrpcAccessLogConfig` is valid but not obeyed"]),
        ],
    );
}

#[test]
fn a_collector_over_http_may_take_so_long() {
    let timeout = |time: &str| {
        let config = format!(
            "\"@type\": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, \
             http_service: {{http_uri: {{uri: \"http://otel:4318/v1/traces\", cluster: cart, timeout: {time}}}}}"
        );
        let tracing = format!("tracing: {{provider: {{name: a, typed_config: {{{config}}}}}}}");
        manager(&with_manager(&tracing, "", "")).tracing.unwrap().provider.unwrap().timeout
    };
    assert_eq!(timeout("0.25s"), Some(Duration::from_millis(250)));
    // Without a limit a collector that hangs would be waited for: what is usual here holds.
    assert_eq!(timeout("0s"), None);
}
