//! A connection from its first byte to whoever serves it.

use super::client::Peer;
use super::snapshot::{ChainId, ListenerId, Runtime, Service};
use super::worker::Worker;
use super::{http1, http2, tcp};
use crate::clock::now;
use crate::net::{Inspected, Transport, begins_http2, inspect, original_destination};
use crate::policy::{ChainMatch, Codec, Inspection, TransportProtocol};
use crate::telemetry::metrics::{HttpStats, HttpTime};
use crate::telemetry::{HttpCounter, HttpLevel};
use bytes::BytesMut;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a client that has begun may take to say whether it speaks HTTP/2.
const FIRST_WORDS: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take.
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves a connection that a listener has taken.
pub(super) async fn serve(worker: Rc<Worker>, listener: ListenerId, stream: TcpStream, remote: SocketAddr) {
    let Ok(local) = stream.local_addr() else { return };
    // Small writes are whole messages here.
    let _ = stream.set_nodelay(true);
    let snapshot = worker.snapshot();
    let Some(runtime) = snapshot.listener(listener) else { return };
    let destination = original_destination(&stream).filter(|destination| *destination != local);
    let mut peer = Peer {
        remote,
        local,
        destination,
        secure: false,
        server_name: None,
        tls: None,
        buckets: RefCell::default(),
        id: worker.next_connection(),
        requests: Cell::new(0),
        given_up: Cell::new(0),
        closing: Cell::new(false),
    };
    let mut transport = Transport::from(stream);
    let Some(found) = look(&mut transport, runtime.inspection).await else { return };
    if let Some((client, destination)) = found.proxied {
        peer.remote = client;
        peer.destination = Some(destination);
    }
    let Some((chain, runtime)) = choose(runtime, &peer, &found) else { return };
    let transport = if let Some(tls) = &runtime.tls {
        let shaken = tokio::time::timeout(TLS_HANDSHAKE, tls.accept(transport)).await;
        let Ok(Ok(transport)) = shaken else { return };
        peer.learn(&transport);
        transport
    } else {
        peer.server_name = found.tls.and_then(|hello| hello.server_name);
        transport
    };
    let peer = Rc::new(peer);
    match &runtime.service {
        Service::Tcp(proxy) => tcp::serve(worker, proxy, transport, &peer).await,
        Service::Http(service) => {
            let how = (service.manager.codec, service.manager.timeouts.idle.unwrap_or(Duration::MAX));
            let stats = Arc::clone(&service.stats);
            // Long connections must not keep a configuration alive that is no longer in use.
            drop(snapshot);
            let opened = now();
            speak(&worker, &stats, how, transport, peer, chain).await;
            stats.took(worker.shard, HttpTime::CxLength, now().saturating_duration_since(opened));
        }
    }
}

/// Serves a client in the version of HTTP that it speaks.
async fn speak(
    worker: &Rc<Worker>,
    stats: &HttpStats,
    (codec, idle): (Codec, Duration),
    mut transport: Transport,
    peer: Rc<Peer>,
    chain: ChainId,
) {
    let Some(http2) = speaks_http2(worker, codec, idle, &mut transport).await else { return };
    let shard = worker.shard;
    let (counter, level) = if http2 {
        (HttpCounter::CxHttp2Total, HttpLevel::CxHttp2Active)
    } else {
        (HttpCounter::CxHttp1Total, HttpLevel::CxHttp1Active)
    };
    let secure = peer.secure;
    stats.count(shard, HttpCounter::CxTotal);
    stats.count(shard, counter);
    let levels = [Some(HttpLevel::CxActive), Some(level), secure.then_some(HttpLevel::CxSslActive)];
    levels.iter().flatten().for_each(|level| stats.up(shard, *level));
    if secure {
        stats.count(shard, HttpCounter::CxSslTotal);
    }
    if http2 {
        http2::serve(Rc::clone(worker), transport, peer, chain).await;
    } else {
        http1::serve(Rc::clone(worker), transport, peer, chain).await;
    }
    levels.iter().flatten().for_each(|level| stats.down(shard, *level));
    stats.count(shard, HttpCounter::CxDestroy);
}

/// Whether a client speaks HTTP/2. None: the connection is over before anybody can tell.
async fn speaks_http2(worker: &Worker, codec: Codec, idle: Duration, transport: &mut Transport) -> Option<bool> {
    match (codec, transport.alpn()) {
        (Codec::Http1, _) => Some(false),
        (Codec::Http2, _) | (Codec::Auto, Some(b"h2")) => Some(true),
        (Codec::Auto, Some(_)) => Some(false),
        (Codec::Auto, None) => {
            tokio::select! {
                begun = tokio::time::timeout(idle, begins_http2(transport, FIRST_WORDS)) => begun.ok()?.ok(),
                () = worker.draining() => None,
            }
        }
    }
}

/// Looks at the first bytes, in time. None: the connection is over.
async fn look(transport: &mut Transport, wanted: Inspection) -> Option<Inspected> {
    if !(wanted.tls || wanted.http || wanted.proxy_protocol) {
        return Some(Inspected::default());
    }
    let mut seen = BytesMut::new();
    let looked = inspect(transport, wanted, &mut seen);
    let found = match wanted.timeout {
        Some(limit) => match tokio::time::timeout(limit, looked).await {
            Ok(found) => found.ok(),
            Err(_) if wanted.continue_on_timeout => Some(Inspected::default()),
            Err(_) => None,
        },
        None => looked.await.ok(),
    };
    transport.put_back(seen);
    found
}

/// The chain for a connection: field by field the most specific that is left, without going back; else the default.
fn choose<'r>(runtime: &'r Runtime, peer: &Peer, found: &Inspected) -> Option<(ChainId, &'r super::snapshot::Chain)> {
    let going_to = peer.destination.unwrap_or(peer.local);
    let transport = if found.tls.is_some() { TransportProtocol::Tls } else { TransportProtocol::RawBuffer };
    let server_name = found.tls.as_ref().and_then(|hello| hello.server_name.as_deref()).unwrap_or_default();
    let mut left: Vec<usize> = (0..runtime.chains.len()).collect();
    let condition = |at: usize| &runtime.chains[at].matches;
    narrow(&mut left, |at| of_option(condition(at).destination_port, going_to.port()));
    narrow(&mut left, |at| of_ranges(condition(at), |chain| &chain.destination_ranges, going_to.ip()));
    narrow(&mut left, |at| of_names(&condition(at).server_names, server_name));
    narrow(&mut left, |at| of_option(condition(at).transport, transport));
    narrow(&mut left, |at| of_protocols(&condition(at).application_protocols, found));
    narrow(&mut left, |at| of_ranges(condition(at), |chain| &chain.source_ranges, peer.remote.ip()));
    narrow(&mut left, |at| of_list(&condition(at).source_ports, &peer.remote.port()));
    match left.first() {
        Some(at) => Some((runtime.chains[*at].id, &runtime.chains[*at])),
        None => runtime.default_chain.as_ref().map(|chain| (chain.id, chain)),
    }
}

/// Keeps those that fit best, of those that fit at all; 0 fits without saying so.
fn narrow(left: &mut Vec<usize>, fit: impl Fn(usize) -> Option<u32>) {
    let best = left.iter().filter_map(|at| fit(*at)).max();
    left.retain(|at| fit(*at) == best && best.is_some());
}

fn of_option<T: PartialEq + Copy>(wanted: Option<T>, there: T) -> Option<u32> {
    match wanted {
        None => Some(0),
        Some(wanted) => (wanted == there).then_some(1),
    }
}

fn of_list<T: PartialEq>(wanted: &[T], there: &T) -> Option<u32> {
    if wanted.is_empty() { Some(0) } else { wanted.contains(there).then_some(1) }
}

fn of_ranges(
    chain: &ChainMatch,
    ranges: impl Fn(&ChainMatch) -> &Vec<crate::policy::Cidr>,
    address: IpAddr,
) -> Option<u32> {
    let ranges = ranges(chain);
    if ranges.is_empty() {
        return Some(0);
    }
    ranges.iter().filter(|range| range.contains(address)).map(|range| 1 + u32::from(range.prefix)).max()
}

/// Exact before the longest suffix.
fn of_names(wanted: &[String], name: &str) -> Option<u32> {
    if wanted.is_empty() {
        return Some(0);
    }
    let fit = |wanted: &String| match wanted.strip_prefix('*') {
        Some(suffix) => (name.len() > suffix.len() && name.ends_with(suffix)).then_some(1 + suffix.len() as u32),
        None => (wanted == name).then_some(u32::MAX),
    };
    wanted.iter().filter_map(fit).max()
}

fn of_protocols(wanted: &[String], found: &Inspected) -> Option<u32> {
    if wanted.is_empty() {
        return Some(0);
    }
    let offered = found.tls.iter().flat_map(|hello| hello.protocols.iter().map(String::as_str));
    offered.chain(found.http).any(|protocol| wanted.iter().any(|wanted| wanted == protocol)).then_some(1)
}
