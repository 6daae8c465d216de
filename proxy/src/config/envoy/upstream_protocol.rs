//! Which protocol is spoken to the endpoints of a cluster.

use super::any::Extensions;
use super::header_match;
use super::http_protocol;
use super::message::Message;
use super::reading::Said;
use super::schema::{
    AUTO_PROTOCOL, CLIENT_PROTOCOL, ERROR_MATCHER, EXPLICIT_PROTOCOL, HEADERS_MATCH, MATCH_PREDICATE, MATCH_SET,
    UPSTREAM_HTTP, UPSTREAM_PROTOCOL,
};
use super::written::Written;
use crate::policy::{ConnectionOptions, ProtocolChoice, TextMatch, UpstreamProtocol};

/// The protocol, and what stands beside it.
#[derive(Default)]
pub(super) struct Upstream {
    pub(super) policy: UpstreamProtocol,
    /// The server name is the host of the request.
    pub(super) auto_sni: bool,
    /// The certificate must have the server name.
    pub(super) auto_names: bool,
    /// Statuses that count as failures for the detector; all from 500 where empty.
    pub(super) failures: Vec<TextMatch>,
}

/// The key of the options in a cluster.
const KEY: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

const OPTIONS: Extensions =
    Extensions { known: &[&UPSTREAM_PROTOCOL], package: "envoy.extensions.upstreams.http.", others: "" };

/// Reads the options, or the deprecated fields of the cluster itself.
pub(super) fn read(cluster: &Message<'_>, connections: &mut ConnectionOptions) -> Upstream {
    let options = cluster.entries("typed_extension_protocol_options");
    let mut upstream = None;
    for (key, value) in &options {
        if *key == KEY {
            let options = value.any(&OPTIONS);
            upstream = Some(options.map(|options| of_options(&options, connections)).unwrap_or_default());
        } else {
            value.refuse_part(key.rsplit('.').next().unwrap_or_default());
        }
    }
    let former = of_cluster(cluster, connections, upstream.is_some());
    upstream.unwrap_or(former)
}

/// HTTP/1 unless HTTP/2 has a block, or the client's protocol is to be spoken.
fn of_cluster(cluster: &Message<'_>, connections: &mut ConnectionOptions, replaced: bool) -> Upstream {
    let fields = [
        "http_protocol_options",
        "http2_protocol_options",
        "common_http_protocol_options",
        "upstream_http_protocol_options",
        "protocol_selection",
    ];
    for field in fields.into_iter().filter_map(|field| cluster.value(field)).filter(|_| replaced) {
        let said = Said::from("this excludes `typed_extension_protocol_options`");
        field.error(said.help("move it there"));
    }
    let choices = [("USE_CONFIGURED_PROTOCOL", 0, Some(false)), ("USE_DOWNSTREAM_PROTOCOL", 1, Some(true))];
    let of_client = cluster.choice("protocol_selection", &choices).unwrap_or(false);
    if let Some(common) = cluster.value("common_http_protocol_options") {
        http_protocol::server_connections(common, connections);
    }
    let mut upstream = Upstream::default();
    names(cluster, &mut upstream);
    both(cluster, &mut upstream.policy);
    upstream.policy.choice = match (of_client, cluster.has("http2_protocol_options")) {
        (true, _) => ProtocolChoice::OfClient,
        (false, true) => ProtocolChoice::Http2,
        (false, false) => ProtocolChoice::Http1,
    };
    upstream
}

fn of_options(options: &Message<'_>, connections: &mut ConnectionOptions) -> Upstream {
    let mut upstream = Upstream::default();
    if let Some(common) = options.value("common_http_protocol_options") {
        http_protocol::server_connections(common, connections);
    }
    names(options, &mut upstream);
    if let Some(matcher) = options.message("outlier_detection", &ERROR_MATCHER) {
        matcher.require("error_matcher");
        upstream.failures = matcher.value("error_matcher").map(statuses).unwrap_or_default();
    }
    let kinds = ["explicit_http_config", "use_downstream_protocol_config", "auto_config"];
    match options.one_of(&kinds, true) {
        Some(("explicit_http_config", config)) => {
            let Some(config) = config.message(&EXPLICIT_PROTOCOL) else { return upstream };
            let versions = ["http_protocol_options", "http2_protocol_options"];
            let second = matches!(config.one_of(&versions, true), Some(("http2_protocol_options", _)));
            upstream.policy.choice = if second { ProtocolChoice::Http2 } else { ProtocolChoice::Http1 };
            both(&config, &mut upstream.policy);
        }
        Some(("use_downstream_protocol_config", config)) => {
            upstream.policy.choice = ProtocolChoice::OfClient;
            config.message(&CLIENT_PROTOCOL).into_iter().for_each(|config| both(&config, &mut upstream.policy));
        }
        Some((_, config)) => {
            upstream.policy.choice = ProtocolChoice::Alpn;
            config.message(&AUTO_PROTOCOL).into_iter().for_each(|config| both(&config, &mut upstream.policy));
        }
        None => {}
    }
    upstream
}

fn both(message: &Message<'_>, policy: &mut UpstreamProtocol) {
    if let Some(written) = message.value("http_protocol_options") {
        policy.http1 = http_protocol::server_http1(written);
    }
    policy.http2 = http_protocol::http2(message, "http2_protocol_options");
}

fn names(message: &Message<'_>, upstream: &mut Upstream) {
    if let Some(options) = message.message("upstream_http_protocol_options", &UPSTREAM_HTTP) {
        upstream.auto_sni = options.flag("auto_sni");
        upstream.auto_names = options.flag("auto_san_validation");
    }
}

/// Conditions on `:status`, any of which makes an answer a failure.
fn statuses(written: &Written<'_>) -> Vec<TextMatch> {
    let Some(predicate) = written.message(&MATCH_PREDICATE) else { return Vec::new() };
    match predicate.one_of(&["or_match", "http_response_headers_match"], true) {
        Some(("or_match", set)) => {
            let rules = set.message(&MATCH_SET).map(|set| set.values("rules")).unwrap_or_default();
            if rules.len() < 2 {
                set.error("`rules` has two entries at least");
            }
            rules.iter().flat_map(statuses).collect()
        }
        Some((_, headers)) => {
            let matches = headers.message(&HEADERS_MATCH).map(|headers| header_match::all(&headers, "headers"));
            match matches.unwrap_or_default().as_slice() {
                [one] if one.name == ":status" && !one.invert => vec![one.value.clone()],
                _ => {
                    headers.refuse("anything but one condition on `:status`");
                    Vec::new()
                }
            }
        }
        None => Vec::new(),
    }
}
