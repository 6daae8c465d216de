//! Sends spans to whoever collects them. What cannot be sent is lost: no request waits for a collector.

use crate::balance::{Turn, Wish};
use crate::cluster::{Bound, Cluster, Member, PoolKey, open};
use crate::net::Transport;
use crate::policy::{Node, Priority, ProtocolChoice, TraceContext, TraceProtocol, TraceProvider};
use crate::serve::snapshot::Snapshot;
use crate::telemetry::metrics::Worker;
use crate::telemetry::trace::{Resource, Span, export, grpc_frame, list};
use crate::wire::{self, http1, http2};
use rand::Rng;
use squall_http1::{Framing, Limits, Request, Response};
use std::sync::Arc;
use std::time::Duration;

/// Spans of one message.
const BATCH: usize = 512;

/// How long a collector may take unless it is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where gRPC takes spans.
const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Sends what waits.
pub(super) fn send_waiting(snapshot: &Snapshot, rng: &mut impl Rng) {
    for message in waiting(snapshot, rng) {
        tokio::task::spawn_local(message.send(None));
    }
}

/// Sends what waits, and waits until it is sent, so long at most: for the end, when nobody asks any more.
pub(super) async fn send_last(snapshot: &Snapshot, rng: &mut impl Rng, patience: Duration) {
    let mut under_way = tokio::task::JoinSet::new();
    for message in waiting(snapshot, rng) {
        under_way.spawn_local(message.send(Some(patience)));
    }
    while under_way.join_next().await.is_some() {}
}

/// Spans that are told together, and who is told.
struct Batch {
    cluster: Arc<Cluster>,
    member: Arc<Member>,
    provider: TraceProvider,
    message: Vec<u8>,
}

/// Everything that waits, in messages.
fn waiting(snapshot: &Snapshot, rng: &mut impl Rng) -> Vec<Batch> {
    let mut batches = Vec::new();
    for spans in snapshot.spans() {
        let Some(cluster) = snapshot.cluster(&spans.provider.cluster) else { continue };
        loop {
            let waiting = spans.queue.take(BATCH);
            if waiting.is_empty() {
                break;
            }
            let (mut turn, bound) = (Turn::new(rng.next_u32()), Bound::Requests(Priority::Default));
            let member = cluster.pick(&mut turn, &Wish::default(), bound, rng, Worker::CONTROL);
            // Without an endpoint of the collector they are lost.
            let Some(member) = member else { continue };
            let message = message(&spans.provider, &snapshot.config.node, &waiting);
            batches.push(Batch { cluster: Arc::clone(cluster), member, provider: spans.provider.clone(), message });
        }
    }
    batches
}

fn message(provider: &TraceProvider, node: &Node, spans: &[Span]) -> Vec<u8> {
    let service = provider.service_name.as_ref().unwrap_or(&node.cluster);
    match provider.protocol {
        TraceProtocol::Zipkin { .. } => {
            list(service, matches!(provider.context, TraceContext::B3 { shared: true, .. }), spans)
        }
        TraceProtocol::OtlpGrpc | TraceProtocol::OtlpHttp(_) => {
            export(&Resource { service: service.clone(), instance: node.id.clone() }, spans)
        }
    }
}

impl Batch {
    /// `most`: however long the collector may take otherwise.
    async fn send(self, most: Option<Duration>) {
        let Self { cluster, member, provider, message } = self;
        let patience = provider.timeout.unwrap_or(PATIENCE);
        let patience = most.map_or(patience, |most| most.min(patience));
        // Spans are worth no second try.
        let _ = tokio::time::timeout(patience, send(&cluster, &member, &provider, message)).await;
    }
}

async fn send(cluster: &Cluster, member: &Member, provider: &TraceProvider, message: Vec<u8>) -> Option<()> {
    let key = PoolKey { protocol: ProtocolChoice::Http1, server_name: None, priority: Priority::Default };
    let (transport, _) = open(cluster, member, &key).await.ok()?;
    let post = |path: &str, host: &str, kind: &str| {
        let mut request = Request::new("POST", path);
        request.headers.add("host", host.as_bytes());
        request.headers.add("content-type", kind.as_bytes());
        request
    };
    match &provider.protocol {
        TraceProtocol::OtlpHttp(path) => {
            over_http1(transport, &post(path, &cluster.name, "application/x-protobuf"), &message).await
        }
        TraceProtocol::Zipkin { path, host } => {
            over_http1(transport, &post(path, host, "application/json"), &message).await
        }
        TraceProtocol::OtlpGrpc => {
            let mut request = post(GRPC_PATH, &cluster.name, "application/grpc");
            request.headers.add("te", b"trailers");
            let head = http2::request_head(&request, "http", Framing::Chunked)?;
            let (send, connection) = h2::client::handshake(transport).await.ok()?;
            let mut send = send.ready().await.ok()?;
            let (answer, mut body) = send.send_request(head, false).ok()?;
            body.send_data(grpc_frame(&message).into(), true).ok()?;
            tokio::select! {
                answer = answer => answer.ok().map(drop),
                _ = connection => None,
            }
        }
    }
}

async fn over_http1(transport: Transport, request: &Request, message: &[u8]) -> Option<()> {
    let (reader, writer) = transport.split();
    let mut sink = http1::Sink::new(writer);
    sink.request(request, Framing::Length(message.len() as u64));
    let mut sink = wire::Sink::Http1(sink);
    sink.data(message);
    sink.flush().await.ok()?;
    let mut source = wire::Source::Http1(http1::Source::new(reader, Limits::default()));
    let asked = wire::Asked { method: "POST", tunnel: false };
    source.head(&mut Response::default(), asked).await.ok().map(drop)
}
