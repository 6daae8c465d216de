//! What is noted of a request on its way, and told when it has ended.

use super::client::{Client, Gone};
use super::respond::Reply;
use super::snapshot::HttpService;
use super::trace::Trace;
use super::transaction::Transaction;
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::Cluster;
use crate::policy::Address;
use crate::telemetry::metrics::Messages;
use crate::telemetry::{Flag, Flags, HttpCounter, Protocol, StreamInfo};
use squall_http1::{Headers, Request, Response, Version};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// What is noted of a request for metrics, the access log and spans.
pub(super) struct Notes {
    pub(super) begun: Instant,
    pub(super) cluster: Option<Arc<Cluster>>,
    pub(super) host: Option<Address>,
    pub(super) local: Option<SocketAddr>,
    pub(super) client: Option<SocketAddr>,
    pub(super) original_path: Option<String>,
    /// Of the request nothing can be told: it was refused while it was read.
    pub(super) unread: bool,
    /// A check of whoever is ahead: its answer says nothing about those to others.
    pub(super) health_check: bool,
    /// Tries that owe an answer; without one the request waits for the next.
    pub(super) under_way: u32,
    /// The detector has not been told yet that the last of them is late.
    pub(super) trying: bool,
    pub(super) attempts: u32,
    pub(super) details: Cow<'static, str>,
    pub(super) transport_failure: Option<Arc<str>>,
    pub(super) flags: Flags,
    pub(super) upstream_began: Option<Instant>,
    pub(super) route: String,
    /// What was answered; its body may still be on its way.
    pub(super) response: Option<Response>,
    pub(super) trailers: Option<Box<Headers>>,
    pub(super) received: u64,
    /// Messages of gRPC, both ways.
    pub(super) messages: Messages,
    /// Its span, if it is traced.
    pub(super) trace: Option<Trace>,
    /// Fields that filters add to its answer.
    pub(super) fields: Vec<(String, Vec<u8>)>,
}

impl Notes {
    pub(super) fn new() -> Self {
        Self {
            begun: now(),
            cluster: None,
            host: None,
            local: None,
            client: None,
            original_path: None,
            unread: false,
            health_check: false,
            under_way: 0,
            trying: false,
            attempts: 0,
            details: Cow::Borrowed(""),
            transport_failure: None,
            flags: Flags::NONE,
            upstream_began: None,
            route: String::new(),
            response: None,
            trailers: None,
            received: 0,
            messages: Messages::default(),
            trace: None,
            fields: Vec::new(),
        }
    }

    /// The client has left before its answer was whole.
    pub(super) fn gone(&mut self, gone: Gone) {
        let (flag, details) = match gone {
            Gone::Closed => (Flag::DownstreamClosed, "downstream_remote_disconnect"),
            Gone::Reset => (Flag::DownstreamReset, "http2.remote_reset"),
            Gone::BadMessage => (Flag::DownstreamProtocolError, "codec_error"),
            Gone::PingTimeout => (Flag::DownstreamClosed, "downstream_local_disconnect(http2_ping_timeout)"),
            Gone::Flood => (Flag::DownstreamClosed, "downstream_local_disconnect(too_many_premature_resets)"),
        };
        self.flags = flag.into();
        self.details = Cow::Borrowed(details);
    }

    /// The request as telemetry tells of it.
    pub(super) fn info<'a>(&'a self, client: &'a Client, request: &'a Request, ended: Instant) -> StreamInfo<'a> {
        let mut info = StreamInfo::new(self.begun, ended);
        info.protocol = Some(match request.version {
            Version::Http10 => Protocol::Http10,
            Version::Http11 => Protocol::Http11,
            Version::Http2 => Protocol::Http2,
        });
        info.method = request.method();
        info.scheme = client.peer.scheme();
        info.authority = request.headers.get_str("host").unwrap_or_default();
        info.path = request.target();
        info.original_path = self.original_path.as_deref().unwrap_or_default();
        info.request = &request.headers;
        if let Some(response) = &self.response {
            info.response = &response.headers;
            info.status = Some(response.status);
        }
        if let Some(trailers) = &self.trailers {
            info.trailers = &**trailers;
        }
        info.flags = self.flags;
        info.details = &self.details;
        info.transport_failure = self.transport_failure.as_deref().unwrap_or_default();
        info.upstream_began = self.upstream_began;
        info.received = self.received;
        info.sent = client.sink.payload();
        info.wire_received = self.received;
        info.wire_sent = client.sink.written();
        info.connection_id = client.peer.id;
        info.local = Some(client.peer.destination.unwrap_or(client.peer.local));
        info.remote = self.client.or(Some(client.peer.remote));
        info.direct_remote = Some(client.peer.remote);
        info.tls = client.peer.tls.as_ref();
        info.server_name = client.peer.server_name.as_deref().unwrap_or_default();
        info.cluster = self.cluster.as_ref().map_or("", |cluster| &cluster.name);
        info.upstream_host = self.host.as_ref();
        info.upstream_local = self.local;
        info.route = &self.route;
        info.attempts = self.attempts;
        info
    }
}

/// Counts and logs a request that has ended.
pub(super) fn ended(transaction: &Transaction<'_>) {
    let Transaction { worker, service, client, request, notes } = transaction;
    let ended = now();
    let status = notes.response.as_ref().map_or(0, |response| response.status);
    if !notes.health_check {
        service.stats.answered(worker.shard, status, ended.saturating_duration_since(notes.begun));
    }
    let nothing = Request::default();
    let request = if notes.unread { &nothing } else { request };
    let info = notes.info(client, request, ended);
    let metrics = &worker.shared.telemetry.metrics;
    service.report(metrics, worker.shard, notes.cluster.as_deref(), &info, client.peer.secure, notes.messages);
    if let Some(trace) = &notes.trace {
        trace.end(service, &info);
    }
    service.logs.iter().chain(&worker.shared.access_log).for_each(|log| log.log(&info));
}

/// Counts and logs what could not be read.
pub(super) fn unreadable(worker: &Rc<Worker>, service: &Arc<HttpService>, client: &mut Client, reply: &Reply) {
    service.stats.count(worker.shard, HttpCounter::CxProtocolError);
    service.stats.began(worker.shard, false);
    let mut nothing = Request::default();
    let mut transaction = Transaction::new(worker, service, client, &mut nothing);
    transaction.notes.details.clone_from(&reply.details);
    transaction.notes.flags = reply.flag.map(Flags::from).unwrap_or_default();
    transaction.notes.response = Some(reply.response.clone());
    ended(&transaction);
}
