//! Spans of requests, to a collector that speaks OpenTelemetry's protocol or Zipkin's.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{
    ENVOY_GRPC, GRPC_SERVICE, HTTP_SERVICE, HTTP_URI, OPEN_TELEMETRY, TRACE_PROVIDER, TRACING, ZIPKIN,
};
use super::{references, share};
use crate::policy::{Fraction, TraceContext, TraceProtocol, TraceProvider, Tracing};

const PROVIDERS: Extensions =
    Extensions { known: &[&OPEN_TELEMETRY, &ZIPKIN], package: "envoy.config.trace.v3.", others: OTHERS };
// Known, and nothing here speaks their protocols.
const OTHERS: &str = "DatadogConfig DynamicOtConfig LightstepConfig SkyWalkingConfig OpenCensusConfig \
    XRayConfig";

/// The block, and whether each try has a span of its own.
pub(super) fn read(manager: &Message<'_>) -> Option<(Tracing, bool)> {
    let tracing = manager.message("tracing", &TRACING)?;
    let sampling = |name| share::percent(&tracing, name).map_or(Fraction::ALL, Fraction::percent);
    let provider = tracing.message("provider", &TRACE_PROVIDER).and_then(|provider| provider_of(&provider));
    let policy = Tracing {
        random: sampling("random_sampling"),
        client: sampling("client_sampling"),
        overall: sampling("overall_sampling"),
        provider,
    };
    Some((policy, tracing.flag("spawn_upstream_span")))
}

fn provider_of(provider: &Message<'_>) -> Option<TraceProvider> {
    let config = provider.extension(&PROVIDERS)?;
    if config.is(&ZIPKIN) { Some(zipkin(&config)) } else { open_telemetry(&config) }
}

fn zipkin(config: &Message<'_>) -> TraceProvider {
    let cluster = named(config, "collector_cluster");
    let path = config.required_text("collector_endpoint");
    let host = config.text("collector_hostname").filter(|host| !host.is_empty());
    let versions = [("HTTP_JSON", 1, Some(())), ("HTTP_PROTO", 2, None), ("GRPC", 3, None)];
    if config.require("collector_endpoint_version") {
        config.choice("collector_endpoint_version", &versions);
    }
    config.choice("trace_context_option", &[("USE_B3", 0, Some(())), ("USE_B3_WITH_W3C_PROPAGATION", 1, None)]);
    let context = TraceContext::B3 {
        wide: config.flag("trace_id_128bit"),
        shared: config.boolean("shared_span_context").unwrap_or(true),
    };
    let protocol = TraceProtocol::Zipkin { path, host: host.unwrap_or_else(|| cluster.clone()) };
    TraceProvider { context, cluster, protocol, service_name: None }
}

fn open_telemetry(config: &Message<'_>) -> Option<TraceProvider> {
    let service_name = config.text("service_name").filter(|name| !name.is_empty());
    let (cluster, protocol) = match config.one_of(&["grpc_service", "http_service"], true)? {
        ("grpc_service", service) => {
            let service = service.message(&GRPC_SERVICE)?;
            service.require("envoy_grpc");
            let grpc = service.message("envoy_grpc", &ENVOY_GRPC)?;
            (named(&grpc, "cluster_name"), TraceProtocol::OtlpGrpc)
        }
        (_, service) => {
            let service = service.message(&HTTP_SERVICE)?;
            service.require("http_uri");
            let uri = service.message("http_uri", &HTTP_URI)?;
            uri.require("timeout");
            uri.duration("timeout");
            let text = uri.required_text("uri");
            (named(&uri, "cluster"), TraceProtocol::OtlpHttp(path_of(&uri, &text)))
        }
    };
    let service_name = service_name.unwrap_or_else(|| "unknown_service:envoy".to_owned());
    Some(TraceProvider { context: TraceContext::W3c, cluster, protocol, service_name: Some(service_name) })
}

fn named(message: &Message<'_>, field: &str) -> String {
    let name = message.required_text(field);
    if let Some(value) = message.value(field).filter(|_| !name.is_empty()) {
        references::want(value, &name, true);
    }
    name
}

/// The path of `http://collector:4318/v1/traces`; who the host is says the cluster.
fn path_of(uri: &Message<'_>, text: &str) -> String {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    if path.is_empty() && !text.is_empty() {
        uri.at
            .error(Said::from(format!("`{text}` has no path")).expected("one such as http://collector:4318/v1/traces"));
    }
    path.to_owned()
}
