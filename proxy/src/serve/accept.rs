//! A connection from its first byte to whoever serves it.

use super::client::Peer;
use super::routing::{self, Arrival};
use super::snapshot::{ChainId, ListenerId, Runtime, Service};
use super::worker::{Opened, Worker};
use super::{http1, http2, tcp};
use crate::clock::now;
use crate::net::{Inspected, Transport, begins_http2, inspect, original_destination};
use crate::policy::{Codec, HttpTimeouts, Inspection, TransportProtocol};
use crate::telemetry::metrics::{HttpStats, HttpTime, ListenerCounter, Raised};
use crate::telemetry::{HttpCounter, HttpLevel};
use bytes::BytesMut;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long a client that has begun may take to say whether it speaks HTTP/2.
const FIRST_WORDS: Duration = Duration::from_secs(10);

/// Serves a connection that a listener has taken, and holds its place among the others until it is over.
pub(super) async fn serve(
    worker: Rc<Worker>,
    listener: ListenerId,
    stream: TcpStream,
    remote: SocketAddr,
    _place: Opened,
) {
    let Ok(local) = stream.local_addr() else { return };
    // Small writes are whole messages here.
    let _ = stream.set_nodelay(true);
    let snapshot = worker.snapshot();
    let Some(runtime) = snapshot.listener(listener) else { return };
    let destination = original_destination(&stream).filter(|destination| *destination != local);
    let mut peer = Peer::new(remote, local, destination, worker.next_connection());
    let mut transport = Transport::from(stream);
    let found = match look(&mut transport, runtime.inspection).await {
        Looked::Found(found) => found,
        Looked::TooLate => {
            runtime.stats.count(worker.shard, ListenerCounter::PreCxTimeout);
            if !runtime.inspection.continue_on_timeout {
                return;
            }
            Inspected::default()
        }
        Looked::Over => return,
    };
    if let Some((client, destination)) = found.proxied {
        peer.remote = client;
        peer.destination = Some(destination);
    }
    let Some((chain, chosen)) = choose(runtime, &peer, &found) else { return };
    let mut transport = if let Some(tls) = &chosen.tls {
        let shaking = tls.accept(transport);
        let shaken = match runtime.tls_handshake {
            Some(limit) => tokio::time::timeout_at((peer.opened + limit).into(), shaking).await,
            None => Ok(shaking.await),
        };
        let Ok(shaken) = shaken else {
            return runtime.stats.count(worker.shard, ListenerCounter::HandshakeTimeout);
        };
        let Ok((transport, ours)) = shaken else { return };
        peer.learn(&transport, ours);
        transport
    } else {
        peer.server_name = found.tls.and_then(|hello| hello.server_name);
        transport
    };
    let peer = Rc::new(peer);
    // Long connections must not keep a configuration alive that is no longer in use.
    match &chosen.service {
        Service::Tcp(proxy) => {
            let proxy = Arc::clone(proxy);
            drop(snapshot);
            tcp::serve(worker, &proxy, transport, &peer).await;
        }
        Service::Http(service) => {
            let (codec, timeouts) = (service.manager.codec, service.manager.timeouts);
            if let Some(limit) = timeouts.slow_reader {
                transport.set_patience(limit, Rc::clone(&peer.stalled));
            }
            let stats = Arc::clone(&service.stats);
            drop(snapshot);
            let opened = now();
            speak(&worker, &stats, codec, timeouts, transport, peer, chain).await;
            stats.took(worker.shard, HttpTime::CxLength, now().saturating_duration_since(opened));
        }
    }
}

/// Serves a client in the version of HTTP that it speaks.
async fn speak(
    worker: &Rc<Worker>,
    stats: &HttpStats,
    codec: Codec,
    timeouts: HttpTimeouts,
    mut transport: Transport,
    peer: Rc<Peer>,
    chain: ChainId,
) {
    let speaks = speaks_http2(worker, stats, codec, timeouts, (peer.opened, chain), &mut transport);
    let Some(http2) = speaks.await else { return };
    let shard = worker.shard;
    let (counter, level) = if http2 {
        (HttpCounter::CxHttp2Total, HttpLevel::CxHttp2Active)
    } else {
        (HttpCounter::CxHttp1Total, HttpLevel::CxHttp1Active)
    };
    let (secure, stalled) = (peer.secure, Rc::clone(&peer.stalled));
    stats.count(shard, HttpCounter::CxTotal);
    stats.count(shard, counter);
    let levels = [Some(HttpLevel::CxActive), Some(level), secure.then_some(HttpLevel::CxSslActive)];
    let raised = levels.map(|level| level.map(|level| Raised::new(stats, shard, level)));
    if secure {
        stats.count(shard, HttpCounter::CxSslTotal);
    }
    if http2 {
        http2::serve(Rc::clone(worker), transport, peer, chain).await;
    } else {
        http1::serve(Rc::clone(worker), transport, peer, chain).await;
    }
    drop(raised);
    stats.count(shard, HttpCounter::CxDestroy);
    if stalled.get() {
        stats.count(shard, HttpCounter::CxSlowReader);
    }
}

/// Whether a client speaks HTTP/2. None: the connection is over before anybody can tell.
async fn speaks_http2(
    worker: &Worker,
    stats: &HttpStats,
    codec: Codec,
    timeouts: HttpTimeouts,
    (opened, chain): (Instant, ChainId),
    transport: &mut Transport,
) -> Option<bool> {
    match (codec, transport.alpn()) {
        (Codec::Http1, _) => Some(false),
        (Codec::Http2, _) | (Codec::Auto, Some(b"h2")) => Some(true),
        (Codec::Auto, Some(_)) => Some(false),
        (Codec::Auto, None) => {
            let patience = FIRST_WORDS.min(timeouts.head.unwrap_or(FIRST_WORDS));
            let limit = [timeouts.idle, timeouts.head].into_iter().flatten().min();
            tokio::select! {
                begun = begins_http2(transport, patience) => begun.ok(),
                () = worker.alarms.until(limit.map(|limit| opened + limit)) => {
                    if limit == timeouts.head {
                        // Whoever says nothing is told so in HTTP/1.
                        return Some(false);
                    }
                    stats.count(worker.shard, HttpCounter::CxIdleTimeout);
                    None
                }
                () = worker.dismissed(chain, timeouts.drain) => None,
            }
        }
    }
}

/// What looking at the first bytes has come to.
enum Looked {
    Found(Inspected),
    TooLate,
    Over,
}

/// Looks at the first bytes, in time.
async fn look(transport: &mut Transport, wanted: Inspection) -> Looked {
    if !(wanted.tls || wanted.http || wanted.proxy_protocol) {
        return Looked::Found(Inspected::default());
    }
    let mut seen = BytesMut::new();
    let looked = inspect(transport, wanted, &mut seen);
    let found = match wanted.timeout {
        Some(limit) => match tokio::time::timeout(limit, looked).await {
            Ok(found) => found.map_or(Looked::Over, Looked::Found),
            Err(_) => Looked::TooLate,
        },
        None => looked.await.map_or(Looked::Over, Looked::Found),
    };
    transport.put_back(seen);
    found
}

/// The chain for a connection; else the default.
fn choose<'r>(runtime: &'r Runtime, peer: &Peer, found: &Inspected) -> Option<(ChainId, &'r super::snapshot::Chain)> {
    let hello = found.tls.as_ref();
    let arrival = Arrival {
        going_to: peer.destination.unwrap_or(peer.local),
        from: peer.remote,
        transport: if hello.is_some() { TransportProtocol::Tls } else { TransportProtocol::RawBuffer },
        server_name: hello.and_then(|hello| hello.server_name.as_deref()).unwrap_or_default(),
        protocols: hello.map(|hello| hello.protocols.as_slice()).unwrap_or_default(),
        http: found.http,
    };
    let conditions: Vec<_> = runtime.chains.iter().map(|chain| &chain.matches).collect();
    let chosen = routing::choose(&conditions, &arrival, |_, _, _| {});
    let chain = chosen.and_then(|at| runtime.chains.get(at)).or(runtime.default_chain.as_ref());
    chain.map(|chain| (chain.id, chain))
}
