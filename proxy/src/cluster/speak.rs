//! A connection from the end of its handshake on, in the protocol that both of its ends speak.

use super::connection::{Ends, Http1, Http2};
use super::open::ConnectError;
use super::pool::{Ended, HostPool};
use super::{Cluster, PoolKey, Slot};
use crate::clock::now;
use crate::net::Transport;
use crate::policy::ProtocolChoice;
use crate::telemetry::ClusterCounter;
use crate::wire::{Sink, Source, http1, keepalive};
use squall_http1::Limits;
use std::net::SocketAddr;
use std::rc::Rc;

/// Puts a connection to use in the protocol that its ends speak.
pub(super) async fn speak(
    transport: Transport,
    local: Option<SocketAddr>,
    slot: Slot,
    pool: &Rc<HostPool>,
    cluster: &Cluster,
    key: &PoolKey,
) {
    let http2 = match key.protocol {
        ProtocolChoice::Http2 => true,
        ProtocolChoice::Alpn => transport.alpn() == Some(b"h2"),
        ProtocolChoice::Http1 | ProtocolChoice::OfClient => false,
    };
    pool.counts(if http2 { ClusterCounter::CxHttp2Total } else { ClusterCounter::CxHttp1Total });
    if http2 {
        return serve_streams(transport, local, slot, pool, cluster).await;
    }
    let (reader, writer) = transport.split();
    let trailers = cluster.policy.protocol.http1.trailers;
    let source = Source::Http1(http1::Source::new(reader, Limits::default()).with_trailers(trailers));
    let sink = Sink::Http1(http1::Sink::new(writer).with_trailers(trailers));
    let ends = Box::new(Ends { source, sink });
    let opened = now();
    pool.opened();
    pool.put_back(Http1 { ends, requests: 0, opened, idle_since: opened, local, _slot: slot }, opened);
}

/// Drives a connection of HTTP/2 to its end.
async fn serve_streams(
    transport: Transport,
    local: Option<SocketAddr>,
    slot: Slot,
    pool: &Rc<HostPool>,
    cluster: &Cluster,
) {
    let options = &cluster.policy.protocol.http2;
    let shaken = h2::client::Builder::new()
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_header_list_size(60 * 1024)
        .enable_push(false)
        .handshake(transport)
        .await;
    let Ok((send, mut connection)) = shaken else {
        pool.failed(&ConnectError::Failed("remote connection failure".into()));
        return;
    };
    let limits = (options.max_concurrent_streams, cluster.policy.connections.max_requests);
    let http2 = Http2::new(send, limits, local, pool);
    let opened = http2.opened;
    let unanswered = keepalive::unanswered(connection.ping_pong(), options.keepalive);
    pool.opened();
    // Once nobody else holds it the connection ends.
    let http2 = pool.add_streams(http2);
    tokio::select! {
        // However it ends, its streams have been told.
        _ = connection => {}
        () = unanswered => {}
    }
    let left = http2.upgrade();
    left.iter().filter(|http2| Http2::is_ready(http2)).for_each(|http2| Http2::close(http2, None));
    let active = left.is_some_and(|http2| http2.is_active());
    drop(slot);
    pool.gone(Ended { active, opened, why: None });
}
