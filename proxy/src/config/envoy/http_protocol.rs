//! Options of HTTP/1 and HTTP/2, and of connections that speak them, on either side.

use super::message::Message;
use super::schema::{CLIENT_CONNECTIONS, CLIENT_HTTP1, HTTP2, KEEPALIVE, SERVER_CONNECTIONS, SERVER_HTTP1};
use super::written::Written;
use crate::policy::{ConnectionOptions, Http1Options, Http2Keepalive, Http2Options, HttpManager, Underscores};
use std::time::Duration;

/// Connections of clients.
pub(super) fn client_connections(manager: &Message<'_>, policy: &mut HttpManager) {
    let Some(options) = manager.message("common_http_protocol_options", &CLIENT_CONNECTIONS) else { return };
    let timeouts = &mut policy.timeouts;
    timeouts.idle = options.limit("idle_timeout", timeouts.idle);
    timeouts.max_connection = options.limit("max_connection_duration", None);
    timeouts.max_stream = options.limit("max_stream_duration", None);
    if let Some(fields) = options.within("max_headers_count", 1, i128::from(u32::MAX)) {
        policy.limits.fields = fields;
    }
    policy.limits.requests_per_connection = options.count("max_requests_per_connection").filter(|most| *most > 0);
    let actions = [
        ("ALLOW", 0, Some(Underscores::Allow)),
        ("REJECT_REQUEST", 1, Some(Underscores::Reject)),
        ("DROP_HEADER", 2, Some(Underscores::Drop)),
    ];
    policy.paths.underscores = options.choice("headers_with_underscores_action", &actions).unwrap_or_default();
}

/// Connections to upstreams.
pub(super) fn server_connections(written: &Written<'_>, connections: &mut ConnectionOptions) {
    let Some(options) = written.message(&SERVER_CONNECTIONS) else { return };
    connections.idle_timeout = options.limit("idle_timeout", connections.idle_timeout);
    connections.max_duration = options.limit("max_connection_duration", None);
    connections.max_stream = options.limit("max_stream_duration", None);
    if options.has("max_requests_per_connection") {
        connections.max_requests = options.count("max_requests_per_connection").filter(|most| *most > 0);
    }
}

/// HTTP/1 of clients. What becomes of bad messages may be said here again.
pub(super) fn client_http1(manager: &Message<'_>, keep_on_bad_message: &mut bool) -> Http1Options {
    let default = Http1Options::default();
    let Some(options) = manager.message("http_protocol_options", &CLIENT_HTTP1) else { return default };
    if let Some(keep) = options.boolean("override_stream_error_on_invalid_http_message") {
        *keep_on_bad_message = keep;
    }
    Http1Options {
        accept_http_10: options.flag("accept_http_10"),
        default_host: options.text("default_host_for_http_10").filter(|host| !host.is_empty()),
        absolute_url: options.boolean("allow_absolute_url").unwrap_or(default.absolute_url),
        trailers: options.flag("enable_trailers"),
    }
}

/// HTTP/1 of upstreams.
pub(super) fn server_http1(written: &Written<'_>) -> Http1Options {
    let options = written.message(&SERVER_HTTP1);
    let trailers = options.is_some_and(|options| options.flag("enable_trailers"));
    Http1Options { trailers, ..Http1Options::default() }
}

/// HTTP/2 of either side, under a field.
pub(super) fn http2(message: &Message<'_>, name: &str) -> Http2Options {
    message.value(name).map_or_else(|| message.at.reading.version.http2(), http2_options)
}

/// HTTP/2 of either side.
pub(super) fn http2_options(written: &Written<'_>) -> Http2Options {
    let default = written.reading.version.http2();
    let Some(options) = written.message(&HTTP2) else { return default };
    let window = |name, default| options.within(name, 65_535, (1 << 31) - 1).unwrap_or(default);
    Http2Options {
        max_concurrent_streams: options
            .within("max_concurrent_streams", 1, (1 << 31) - 1)
            .unwrap_or(default.max_concurrent_streams),
        stream_window: window("initial_stream_window_size", default.stream_window),
        connection_window: window("initial_connection_window_size", default.connection_window),
        allow_connect: options.flag("allow_connect"),
        keepalive: options.message("connection_keepalive", &KEEPALIVE).and_then(|keepalive| pings(&keepalive)),
    }
}

fn pings(keepalive: &Message<'_>) -> Option<Http2Keepalive> {
    let at_least = |name: &str| {
        let value = keepalive.value(name)?;
        let duration = value.duration()?;
        if duration < Duration::from_millis(1) {
            value.error("this must be at least 0.001s");
        }
        Some(duration)
    };
    keepalive.require("timeout");
    let (interval, timeout) = (at_least("interval"), at_least("timeout"));
    // Without an interval there are no pings.
    Some(Http2Keepalive { interval: interval?, timeout: timeout? })
}
