//! Sends spans to whoever collects them. What cannot be sent is lost: nothing waits for a collector.

use crate::balance::{Turn, Wish};
use crate::cluster::{Bound, Cluster, PoolKey, open};
use crate::policy::{Priority, ProtocolChoice, TraceProtocol, TraceProvider};
use crate::serve::snapshot::Snapshot;
use crate::telemetry::metrics::Worker;
use crate::telemetry::trace::{Resource, export, grpc_frame};
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
    let node = &snapshot.config.node;
    for spans in snapshot.spans() {
        let waiting = spans.queue.take(BATCH);
        let cluster = snapshot.cluster(&spans.provider.cluster);
        let Some(cluster) = cluster.filter(|_| !waiting.is_empty()) else { continue };
        let wish = Wish::default();
        let (mut turn, bound) = (Turn::new(rng.next_u32()), Bound::Requests(Priority::Default));
        let Some(member) = cluster.pick(&mut turn, &wish, bound, rng, Worker::CONTROL) else { continue };
        let resource = Resource { service: spans.provider.service_name.clone(), instance: node.id.clone() };
        let message = export(&resource, &waiting);
        let (cluster, provider) = (Arc::clone(cluster), spans.provider.clone());
        tokio::task::spawn_local(async move {
            let patience = provider.timeout.unwrap_or(PATIENCE);
            // Spans are worth no second try.
            let _ = tokio::time::timeout(patience, send(&cluster, &member, &provider, message)).await;
        });
    }
}

async fn send(
    cluster: &Cluster,
    member: &crate::cluster::Member,
    provider: &TraceProvider,
    message: Vec<u8>,
) -> Option<()> {
    let key = PoolKey { protocol: ProtocolChoice::Http1, server_name: None, priority: Priority::Default };
    let (transport, _) = open(cluster, member, &key).await.ok()?;
    let post = |path: &str, kind: &str| {
        let mut request = Request::new("POST", path);
        request.headers.add("host", cluster.name.as_bytes());
        request.headers.add("content-type", kind.as_bytes());
        request
    };
    match &provider.protocol {
        TraceProtocol::OtlpHttp(path) => {
            let (reader, writer) = transport.split();
            let mut sink = http1::Sink::new(writer);
            sink.request(&post(path, "application/x-protobuf"), Framing::Length(message.len() as u64));
            let mut sink = wire::Sink::Http1(sink);
            sink.data(&message);
            sink.flush().await.ok()?;
            let mut source = wire::Source::Http1(http1::Source::new(reader, Limits::default()));
            let asked = wire::Asked { method: "POST", tunnel: false };
            source.head(&mut Response::default(), asked).await.ok()?;
        }
        TraceProtocol::OtlpGrpc => {
            let mut request = post(GRPC_PATH, "application/grpc");
            request.headers.add("te", b"trailers");
            let head = http2::request_head(&request, "http", Framing::Chunked)?;
            let (send, connection) = h2::client::handshake(transport).await.ok()?;
            let mut send = send.ready().await.ok()?;
            let (answer, mut body) = send.send_request(head, false).ok()?;
            body.send_data(grpc_frame(&message).into(), true).ok()?;
            tokio::select! {
                answer = answer => drop(answer.ok()?),
                _ = connection => return None,
            }
        }
    }
    Some(())
}
