//! What is told of a request, or of one try of it, in a trace.

use super::SpanContext;
use crate::policy::{Direction, Node};
use crate::telemetry::{Tale, grpc};
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
    /// The span that it is part of.
    pub parent: Option<u64>,
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
    pub(crate) fn of_request(
        context: SpanContext,
        parent: Option<u64>,
        direction: Direction,
        node: &Node,
        tale: &Tale<'_>,
    ) -> Self {
        let (name, kind) = match direction {
            Direction::Outbound => (format!("egress {}", tale.authority), Kind::Client),
            _ => ("ingress".to_owned(), Kind::Server),
        };
        let header = |name| tale.request.text(name).filter(|value| !value.is_empty());
        let or_dash = |name| header(name).unwrap_or("-").to_owned();
        let mut attributes = vec![("node_id", node.id.clone()), ("zone", node.place.zone.clone())];
        attributes.extend(header("x-request-id").map(|id| ("guid:x-request-id", id.to_owned())));
        attributes.extend([
            ("http.url", url(tale)),
            ("http.method", tale.method.to_owned()),
            ("downstream_cluster", or_dash("x-envoy-downstream-service-cluster")),
            ("user_agent", or_dash("user-agent")),
            ("http.protocol", protocol(tale)),
        ]);
        attributes.extend(tale.direct_remote.map(|address| ("peer.address", address.ip().to_string())));
        attributes.extend(header("x-client-trace-id").map(|id| ("guid:x-client-trace-id", id.to_owned())));
        if grpc::is_request(tale.request) {
            attributes.push(("grpc.path", tale.path.to_owned()));
            attributes.push(("grpc.authority", tale.authority.to_owned()));
            attributes.push(("grpc.content_type", or_dash("content-type")));
            attributes.extend(header("grpc-timeout").map(|timeout| ("grpc.timeout", timeout.to_owned())));
        }
        attributes.push(("request_size", tale.received.to_string()));
        attributes.push(("response_size", tale.sent.to_string()));
        attributes.extend(tale.upstream_host.map(|host| ("upstream_address", host.to_string())));
        Self::new(context, parent, name, kind, attributes, tale)
    }

    /// Of one try of it, whose times and outcome `tale` has: told apart only where the router says so.
    pub(crate) fn of_try(context: SpanContext, parent: u64, tale: &Tale<'_>) -> Self {
        let mut attributes = vec![("http.protocol", protocol(tale))];
        if let Some(host) = tale.upstream_host.map(ToString::to_string) {
            attributes.push(("upstream_address", host.clone()));
            attributes.push(("peer.address", host));
        }
        if tale.attempts > 1 {
            attributes.push(("retry.count", (tale.attempts - 1).to_string()));
        }
        let name = format!("router {} egress", tale.cluster);
        Self::new(context, Some(parent), name, Kind::Client, attributes, tale)
    }

    fn new(
        context: SpanContext,
        parent: Option<u64>,
        name: String,
        kind: Kind,
        mut attributes: Vec<(&'static str, String)>,
        tale: &Tale<'_>,
    ) -> Self {
        attributes.push(("component", "proxy".to_owned()));
        if !tale.cluster.is_empty() {
            attributes.push(("upstream_cluster", tale.cluster.to_owned()));
            attributes.push(("upstream_cluster.name", tale.cluster.to_owned()));
        }
        attributes.push(("http.status_code", tale.status.unwrap_or(0).to_string()));
        attributes.push(("response_flags", tale.flags.to_string()));
        let said = |name| tale.trailers.text(name).or_else(|| tale.response.text(name)).map(ToOwned::to_owned);
        let grpc_status = said("grpc-status");
        let failed = tale.status.is_none_or(|status| status >= 500)
            || grpc_status.as_deref().is_some_and(|status| status != "0");
        attributes.extend(grpc_status.map(|status| ("grpc.status_code", status)));
        attributes.extend(said("grpc-message").map(|message| ("grpc.message", message)));
        if failed {
            attributes.push(("error", "true".to_owned()));
        }
        let (start, end) = (nanos(tale.started_at, Duration::ZERO), nanos(tale.started_at, tale.duration()));
        Self { context, parent, name, kind, start, end, attributes, failed }
    }
}

fn nanos(moment: SystemTime, later: Duration) -> u64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(later);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn protocol(tale: &Tale<'_>) -> String {
    tale.protocol.map_or("-", |protocol| protocol.name()).to_owned()
}

/// As the client asked, its path cut.
fn url(tale: &Tale<'_>) -> String {
    let path = if tale.original_path.is_empty() { tale.path } else { tale.original_path };
    let end = (0..=LONGEST_PATH).rev().find_map(|end| path.get(..end)).filter(|_| path.len() > LONGEST_PATH);
    let path = end.unwrap_or(path);
    format!("{}://{}{path}", tale.scheme, tale.authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Address;
    use crate::telemetry::{Flag, Protocol};
    use squall_http1::Headers;

    fn context() -> SpanContext {
        SpanContext { trace: 1, span: 2, sampled: Some(true), state: String::new() }
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
        let tale = Tale {
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
            ..Tale::new(now, UNIX_EPOCH + Duration::from_secs(5), now + Duration::from_millis(20))
        };
        let node = Node { id: "web-1".to_owned(), ..Node::default() };
        let span = Span::of_request(context(), Some(9), Direction::Outbound, &node, &tale);
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
        assert_eq!((span.name.as_str(), span.kind, span.parent), ("egress cart:80", Kind::Client, Some(9)));
        assert_eq!((span.start, span.end), (5_000_000_000, 5_020_000_000));
        let inbound = Span::of_request(context(), None, Direction::Inbound, &node, &tale);
        assert_eq!((inbound.name.as_str(), inbound.kind), ("ingress", Kind::Server));
        let one_try = Span::of_try(context(), 2, &Tale { attempts: 3, ..tale });
        assert_eq!((one_try.name.as_str(), one_try.parent), ("router outbound|80||cart egress", Some(2)));
        assert_eq!(attribute(&one_try, "retry.count"), Some("2"));
        assert_eq!(attribute(&one_try, "peer.address"), Some("10.0.0.1:80"));
    }

    #[test]
    fn no_answer_and_a_grpc_failure_are_failures_and_a_404_is_none() {
        let grpc = fields(&[("content-type", "application/grpc"), ("grpc-timeout", "1S")]);
        let (bad, good) = (fields(&[("grpc-status", "14"), ("grpc-message", "gone")]), fields(&[("grpc-status", "0")]));
        let now = crate::clock::now();
        let tale = Tale { request: &grpc, status: Some(200), ..Tale::new(now, UNIX_EPOCH, now) };
        let span = |tale: &Tale<'_>| Span::of_request(context(), None, Direction::Gateway, &Node::default(), tale);
        let failed = span(&Tale { trailers: &bad, ..tale });
        assert!(failed.failed);
        assert_eq!(attribute(&failed, "grpc.status_code"), Some("14"));
        assert_eq!(attribute(&failed, "grpc.message"), Some("gone"));
        assert_eq!(attribute(&failed, "grpc.timeout"), Some("1S"));
        assert!(!span(&Tale { trailers: &good, ..tale }).failed);
        for (status, failed) in [(404, false), (499, false), (500, true), (503, true)] {
            assert_eq!(span(&Tale { status: Some(status), ..tale }).failed, failed, "{status}");
        }
        assert!(span(&Tale { status: None, ..tale }).failed);
    }

    #[test]
    fn a_long_path_is_cut_between_letters() {
        let path = format!("/{}", "é".repeat(300));
        let now = crate::clock::now();
        let tale = Tale { path: &path, scheme: "http", authority: "a", ..Tale::new(now, UNIX_EPOCH, now) };
        assert_eq!(url(&tale).len(), "http://a".len() + 255);
    }
}
