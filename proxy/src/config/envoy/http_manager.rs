//! The HTTP connection manager.

use super::http_filters;
use super::message::Message;
use super::reading::Said;
use super::schema::{CLIENT_CERT_DETAILS, INTERNAL_ADDRESSES, MANAGER_UPGRADE, ROUTE_TABLE};
use super::{access_log, address, http_protocol, route_table, tracing};
use crate::policy::{
    AuthorityRules, ClientAddress, ClientCertDetails, Codec, EscapedSlashes, ForwardClientCert, HttpManager,
    HttpTimeouts, PathRules, RequestId, ServerHeader, ServerTransformation, StripPort,
};
use std::time::Duration;

/// How the requests of a chain are served.
pub(super) fn read(manager: &Message<'_>) -> HttpManager {
    let stat_prefix = manager.required_text("stat_prefix");
    let (filters, mut router) = http_filters::read(manager);
    manager.require("route_config");
    let routes = manager.message("route_config", &ROUTE_TABLE).map(|table| route_table::read(&table));
    let mut policy = HttpManager::new(&stat_prefix, routes.unwrap_or_default());
    let codecs = [
        ("AUTO", 0, Some(Codec::Auto)),
        ("HTTP1", 1, Some(Codec::Http1)),
        ("HTTP2", 2, Some(Codec::Http2)),
        ("HTTP3", 3, None),
    ];
    policy.codec = manager.choice("codec_type", &codecs).unwrap_or_default();
    if let Some((tracing, child_spans)) = tracing::read(manager) {
        policy.tracing = Some(tracing);
        router.start_child_span |= child_spans;
    }
    policy.filters = filters;
    policy.router = router;
    policy.timeouts = timeouts(manager);
    http_protocol::client_connections(manager, &mut policy);
    if let Some(kilobytes) = manager.within::<usize>("max_request_headers_kb", 1, 8192) {
        policy.limits.head_bytes = kilobytes * 1024;
    }
    policy.keep_connection_on_bad_message = manager.flag("stream_error_on_invalid_http_message");
    policy.http1 = http_protocol::client_http1(manager, &mut policy.keep_connection_on_bad_message);
    policy.http2 = http_protocol::http2(manager, "http2_protocol_options");
    policy.paths = paths(manager, policy.paths);
    policy.authority = authority(manager);
    policy.client_address = client_address(manager);
    policy.request_id = RequestId {
        generate: manager.boolean("generate_request_id").unwrap_or(true),
        preserve_external: manager.flag("preserve_external_request_id"),
        in_response: manager.flag("always_set_request_id_in_response"),
    };
    policy.server_header = server_header(manager);
    policy.via = manager.text("via").filter(|via| !via.is_empty());
    policy.client_cert = client_cert(manager);
    policy.client_cert_details = client_cert_details(manager, policy.client_cert);
    policy.proxy_100_continue = manager.flag("proxy_100_continue");
    policy.upgrades = upgrades(manager);
    policy.access_logs = access_log::all(manager, "access_log");
    policy
}

fn timeouts(manager: &Message<'_>) -> HttpTimeouts {
    let default = HttpTimeouts::default();
    let or = |name: &str, default: Duration| manager.duration(name).unwrap_or(default);
    HttpTimeouts {
        stream_idle: manager.limit("stream_idle_timeout", default.stream_idle),
        request: manager.limit("request_timeout", default.request),
        request_headers: manager.limit("request_headers_timeout", default.request_headers),
        drain: or("drain_timeout", default.drain),
        delayed_close: or("delayed_close_timeout", default.delayed_close),
        ..default
    }
}

fn paths(manager: &Message<'_>, before: PathRules) -> PathRules {
    let actions = [
        ("IMPLEMENTATION_SPECIFIC_DEFAULT", 0, Some(EscapedSlashes::Keep)),
        ("KEEP_UNCHANGED", 1, Some(EscapedSlashes::Keep)),
        ("REJECT_REQUEST", 2, Some(EscapedSlashes::Reject)),
        ("UNESCAPE_AND_REDIRECT", 3, Some(EscapedSlashes::Redirect)),
        ("UNESCAPE_AND_FORWARD", 4, Some(EscapedSlashes::Forward)),
    ];
    PathRules {
        normalize: manager.flag("normalize_path"),
        merge_slashes: manager.flag("merge_slashes"),
        escaped_slashes: manager.choice("path_with_escaped_slashes_action", &actions).unwrap_or_default(),
        ..before
    }
}

fn authority(manager: &Message<'_>) -> AuthorityRules {
    let (matching, any) = (manager.flag("strip_matching_host_port"), manager.flag("strip_any_host_port"));
    if matching && any {
        manager.at.error("`strip_matching_host_port` and `strip_any_host_port` exclude each other");
    }
    let strip_port = match (matching, any) {
        (_, true) => StripPort::Any,
        (true, false) => StripPort::Matching,
        (false, false) => StripPort::Never,
    };
    AuthorityRules { strip_port, strip_trailing_dot: manager.flag("strip_trailing_host_dot") }
}

fn client_address(manager: &Message<'_>) -> ClientAddress {
    let internal = manager.message("internal_address_config", &INTERNAL_ADDRESSES);
    ClientAddress {
        use_remote: manager.flag("use_remote_address"),
        trusted_hops: manager.count("xff_num_trusted_hops").unwrap_or(0),
        skip_append: manager.flag("skip_xff_append"),
        append_port: manager.flag("append_x_forwarded_port"),
        internal: internal.map_or_else(
            || manager.at.reading.version.internal_addresses(),
            |config| address::ranges(&config, "cidr_ranges"),
        ),
    }
}

fn server_header(manager: &Message<'_>) -> ServerHeader {
    let default = ServerHeader::default();
    let transformations = [
        ("OVERWRITE", 0, Some(ServerTransformation::Overwrite)),
        ("APPEND_IF_ABSENT", 1, Some(ServerTransformation::AppendIfAbsent)),
        ("PASS_THROUGH", 2, Some(ServerTransformation::PassThrough)),
    ];
    let transformation = manager.choice("server_header_transformation", &transformations);
    ServerHeader {
        name: manager.text("server_name").filter(|name| !name.is_empty()).unwrap_or(default.name),
        transformation: transformation.unwrap_or(default.transformation),
    }
}

fn client_cert(manager: &Message<'_>) -> ForwardClientCert {
    let details = [
        ("SANITIZE", 0, Some(ForwardClientCert::Sanitize)),
        ("FORWARD_ONLY", 1, Some(ForwardClientCert::ForwardOnly)),
        ("APPEND_FORWARD", 2, Some(ForwardClientCert::AppendForward)),
        ("SANITIZE_SET", 3, Some(ForwardClientCert::SanitizeSet)),
        ("ALWAYS_FORWARD_ONLY", 4, Some(ForwardClientCert::AlwaysForwardOnly)),
    ];
    manager.choice("forward_client_cert_details", &details).unwrap_or_default()
}

fn client_cert_details(manager: &Message<'_>, forward: ForwardClientCert) -> ClientCertDetails {
    let Some(details) = manager.message("set_current_client_cert_details", &CLIENT_CERT_DETAILS) else {
        return ClientCertDetails::default();
    };
    if !matches!(forward, ForwardClientCert::AppendForward | ForwardClientCert::SanitizeSet) {
        let said = Said::from("these details are told by `APPEND_FORWARD` and `SANITIZE_SET` alone");
        details.at.warn(said.help("say one of them under `forward_client_cert_details`"));
    }
    ClientCertDetails {
        cert: details.flag("cert"),
        chain: details.flag("chain"),
        subject: details.flag("subject"),
        uri: details.flag("uri"),
        dns: details.flag("dns"),
    }
}

/// What is allowed unless a route forbids it; what is listed and not enabled, a route may allow.
fn upgrades(manager: &Message<'_>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut allowed = Vec::new();
    for upgrade in manager.messages("upgrade_configs", &MANAGER_UPGRADE) {
        let kind = upgrade.required_text("upgrade_type").to_ascii_lowercase();
        if seen.contains(&kind) {
            upgrade.at.error(Said::from(format!("`{kind}` stands here twice")));
        }
        if upgrade.boolean("enabled").unwrap_or(true) {
            allowed.push(kind.clone());
        }
        seen.push(kind);
    }
    allowed
}
