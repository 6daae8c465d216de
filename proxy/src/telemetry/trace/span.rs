//! What is told of a request, or of one try of it, in a trace.

use super::SpanContext;
use crate::policy::{Direction, Node};
use crate::telemetry::{StreamInfo, grpc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Letters of a path that are told; Envoy's default.
const LONGEST_PATH: usize = 256;

/// On whose side a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of the service.
    Server,
    /// Of the caller.
    Client,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// Which.
    pub context: SpanContext,
    /// `ingress`, `egress cart:80`, `router outbound|80||cart egress`.
    pub name: String,
    /// On whose side it stands.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// In Envoy's words.
    pub attributes: Vec<(&'static str, String)>,
    /// No answer, one of 500 or more, or a gRPC status other than OK.
    pub failed: bool,
}

impl Span {
    /// Of a request.
    pub(crate) fn of_request(context: SpanContext, direction: Direction, node: &Node, info: &StreamInfo<'_>) -> Self {
        let (name, kind) = match direction {
            Direction::Outbound => (format!("egress {}", info.authority), Kind::Client),
            _ => ("ingress".to_owned(), Kind::Server),
        };
        let header = |name| info.request.text(name).filter(|value| !value.is_empty());
        let or_dash = |name| header(name).unwrap_or("-").to_owned();
        let mut attributes = vec![("node_id", node.id.clone()), ("zone", node.place.zone.clone())];
        attributes.extend(header("x-request-id").map(|id| ("guid:x-request-id", id.to_owned())));
        attributes.extend([
            ("http.url", url(info)),
            ("http.method", info.method.to_owned()),
            ("downstream_cluster", or_dash("x-envoy-downstream-service-cluster")),
            ("user_agent", or_dash("user-agent")),
            ("http.protocol", protocol(info)),
        ]);
        attributes.extend(info.direct_remote.map(|address| ("peer.address", address.ip().to_string())));
        attributes.extend(header("x-client-trace-id").map(|id| ("guid:x-client-trace-id", id.to_owned())));
        if grpc::is_request(info.request) {
            attributes.push(("grpc.path", info.path.to_owned()));
            attributes.push(("grpc.authority", info.authority.to_owned()));
            attributes.push(("grpc.content_type", or_dash("content-type")));
            attributes.extend(header("grpc-timeout").map(|timeout| ("grpc.timeout", timeout.to_owned())));
        }
        attributes.push(("request_size", info.received.to_string()));
        attributes.push(("response_size", info.sent.to_string()));
        attributes.extend(info.upstream_host.map(|host| ("upstream_address", host.to_string())));
        Self::new(context, name, kind, attributes, info)
    }

    /// Of one try of it, whose times and outcome `info` has: told apart only where the router says so.
    pub(crate) fn of_try(context: SpanContext, info: &StreamInfo<'_>) -> Self {
        let mut attributes = vec![("http.protocol", protocol(info))];
        if let Some(host) = info.upstream_host.map(ToString::to_string) {
            attributes.push(("upstream_address", host.clone()));
            attributes.push(("peer.address", host));
        }
        if info.attempts > 1 {
            attributes.push(("retry.count", (info.attempts - 1).to_string()));
        }
        let name = format!("router {} egress", info.cluster);
        Self::new(context, name, Kind::Client, attributes, info)
    }

    fn new(
        context: SpanContext,
        name: String,
        kind: Kind,
        mut attributes: Vec<(&'static str, String)>,
        info: &StreamInfo<'_>,
    ) -> Self {
        attributes.push(("component", "proxy".to_owned()));
        if !info.cluster.is_empty() {
            attributes.push(("upstream_cluster", info.cluster.to_owned()));
            attributes.push(("upstream_cluster.name", info.cluster.to_owned()));
        }
        attributes.push(("http.status_code", info.status.unwrap_or(0).to_string()));
        attributes.push(("response_flags", info.flags.to_string()));
        let said = |name| info.trailers.text(name).or_else(|| info.response.text(name)).map(ToOwned::to_owned);
        let grpc_status = said("grpc-status");
        let failed = info.status.is_none_or(|status| status >= 500)
            || grpc_status.as_deref().is_some_and(|status| status != "0");
        attributes.extend(grpc_status.map(|status| ("grpc.status_code", status)));
        attributes.extend(said("grpc-message").map(|message| ("grpc.message", message)));
        if failed {
            attributes.push(("error", "true".to_owned()));
        }
        let (start, end) = (nanos(info.started_at(), Duration::ZERO), nanos(info.started_at(), info.duration()));
        Self { context, name, kind, start, end, attributes, failed }
    }
}

fn nanos(moment: SystemTime, later: Duration) -> u64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(later);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn protocol(info: &StreamInfo<'_>) -> String {
    info.protocol.map_or("-", |protocol| protocol.name()).to_owned()
}

/// As the client asked, its path cut.
fn url(info: &StreamInfo<'_>) -> String {
    let path = if info.original_path.is_empty() { info.path } else { info.original_path };
    let end = (0..=LONGEST_PATH).rev().find_map(|end| path.get(..end)).filter(|_| path.len() > LONGEST_PATH);
    let path = end.unwrap_or(path);
    format!("{}://{}{path}", info.scheme, info.authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Address;
    use crate::telemetry::{Flag, Protocol};
    use squall_http1::Headers;

    fn context() -> SpanContext {
        SpanContext { trace: 1, span: 2, parent: None, sampled: Some(true), state: String::new() }
    }

    fn fields(pairs: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        pairs.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers
    }

    fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
        let mut all = span.attributes.iter().filter(|(known, _)| *known == name);
        let first = all.next().map(|(_, value)| value.as_str());
        assert_eq!(all.next(), None, "{name} stands there twice");
        first
    }

    #[test]
    fn a_request_is_told_with_envoys_attributes() {
        let request = fields(&[("x-request-id", "id-1"), ("user-agent", "curl")]);
        let host = Address::Socket("10.0.0.1:80".parse().unwrap());
        let now = crate::clock::now();
        let info = StreamInfo {
            protocol: Some(Protocol::Http11),
            method: "GET",
            scheme: "http",
            authority: "cart:80",
            path: "/new",
            original_path: "/old?x=1",
            request: &request,
            status: Some(503),
            flags: Flag::FaultInjected.into(),
            received: 3,
            sent: 18,
            cluster: "outbound|80||cart",
            upstream_host: Some(&host),
            direct_remote: Some("127.0.0.9:5".parse().unwrap()),
            on_the_wall: Some(UNIX_EPOCH + Duration::from_secs(5)),
            ..StreamInfo::new(now, now + Duration::from_millis(20))
        };
        let node = Node { id: "web-1".to_owned(), ..Node::default() };
        let span = Span::of_request(context(), Direction::Outbound, &node, &info);
        for (name, expected) in [
            ("node_id", Some("web-1")),
            ("guid:x-request-id", Some("id-1")),
            ("guid:x-client-trace-id", None),
            ("http.url", Some("http://cart:80/old?x=1")),
            ("http.method", Some("GET")),
            ("http.protocol", Some("HTTP/1.1")),
            ("http.status_code", Some("503")),
            ("downstream_cluster", Some("-")),
            ("user_agent", Some("curl")),
            ("peer.address", Some("127.0.0.9")),
            ("request_size", Some("3")),
            ("response_size", Some("18")),
            ("component", Some("proxy")),
            ("upstream_cluster", Some("outbound|80||cart")),
            ("upstream_address", Some("10.0.0.1:80")),
            ("response_flags", Some("FI")),
            ("error", Some("true")),
        ] {
            assert_eq!(attribute(&span, name), expected, "{name}");
        }
        assert_eq!((span.name.as_str(), span.kind), ("egress cart:80", Kind::Client));
        assert_eq!((span.start, span.end), (5_000_000_000, 5_020_000_000));
        let inbound = Span::of_request(context(), Direction::Inbound, &node, &info);
        assert_eq!((inbound.name.as_str(), inbound.kind), ("ingress", Kind::Server));
        let one_try = Span::of_try(context(), &StreamInfo { attempts: 3, ..info });
        assert_eq!(one_try.name, "router outbound|80||cart egress");
        assert_eq!(attribute(&one_try, "retry.count"), Some("2"));
        assert_eq!(attribute(&one_try, "peer.address"), Some("10.0.0.1:80"));
    }

    #[test]
    fn no_answer_and_a_grpc_failure_are_failures_and_a_404_is_none() {
        let grpc = fields(&[("content-type", "application/grpc"), ("grpc-timeout", "1S")]);
        let (bad, good) = (fields(&[("grpc-status", "14"), ("grpc-message", "gone")]), fields(&[("grpc-status", "0")]));
        let now = crate::clock::now();
        let info = StreamInfo { request: &grpc, status: Some(200), ..StreamInfo::new(now, now) };
        let span = |info: &StreamInfo<'_>| Span::of_request(context(), Direction::Gateway, &Node::default(), info);
        let failed = span(&StreamInfo { trailers: &bad, ..info });
        assert!(failed.failed);
        assert_eq!(attribute(&failed, "grpc.status_code"), Some("14"));
        assert_eq!(attribute(&failed, "grpc.message"), Some("gone"));
        assert_eq!(attribute(&failed, "grpc.timeout"), Some("1S"));
        assert!(!span(&StreamInfo { trailers: &good, ..info }).failed);
        for (status, failed) in [(404, false), (499, false), (500, true), (503, true)] {
            assert_eq!(span(&StreamInfo { status: Some(status), ..info }).failed, failed, "{status}");
        }
        assert!(span(&StreamInfo { status: None, ..info }).failed);
    }

    #[test]
    fn a_long_path_is_cut_between_letters() {
        let path = format!("/{}", "é".repeat(300));
        let now = crate::clock::now();
        let info = StreamInfo { path: &path, scheme: "http", authority: "a", ..StreamInfo::new(now, now) };
        assert_eq!(url(&info).len(), "http://a".len() + 255);
    }
}
