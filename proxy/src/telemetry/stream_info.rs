//! All that is known of one request when it has ended: numbers, and what is borrowed from where it stands.

use super::{Fields, Flags, NoFields, grpc};
use crate::clock::wall;
use crate::policy::Address;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

/// A protocol, in Envoy's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// `HTTP/1.1`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// What is known of a client's TLS; kept by its connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsFacts {
    /// `TLSv1.3`.
    pub version: &'static str,
    /// Subject of our certificate, possibly empty.
    pub local_subject: String,
    /// Its URIs.
    pub local_uris: Vec<String>,
    /// Subject of the client's certificate; empty where it showed none.
    pub peer_subject: String,
    /// Its URIs.
    pub peer_uris: Vec<String>,
}

/// One request, or one forwarded connection, that has ended; named after Envoy's. A text that is empty is not known.
#[derive(Clone, Copy)]
pub(crate) struct StreamInfo<'a> {
    /// When its first byte came.
    pub started: Instant,
    /// The same on the wall; otherwise the clock is asked.
    pub on_the_wall: Option<SystemTime>,
    /// When its last byte came.
    pub request_received: Option<Instant>,
    /// When the first byte of the upstream's answer came.
    pub upstream_began: Option<Instant>,
    /// When the last byte of the answer was sent.
    pub ended: Instant,
    /// None where bytes were forwarded.
    pub protocol: Option<Protocol>,
    /// `GET`.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host asked, after changes.
    pub authority: &'a str,
    /// Path and query, after changes.
    pub path: &'a str,
    /// The same before changes, if there were any.
    pub original_path: &'a str,
    /// Fields of the request, as they were sent on.
    pub request: &'a dyn Fields,
    /// Fields of the answer, as they were sent.
    pub response: &'a dyn Fields,
    /// Trailers of the answer.
    pub trailers: &'a dyn Fields,
    /// None where there was no answer.
    pub status: Option<u16>,
    /// Why the answer is what it is.
    pub flags: Flags,
    /// The same in a word: `via_upstream`.
    pub details: &'a str,
    /// Why the client's connection was closed.
    pub termination_details: &'a str,
    /// Why no connection to the upstream could be made.
    pub transport_failure: &'a str,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the answer's body.
    pub sent: u64,
    /// All bytes of the request.
    pub wire_received: u64,
    /// All bytes of the answer.
    pub wire_sent: u64,
    /// A number that no other connection of this process has.
    pub connection_id: u64,
    /// Where the client was going.
    pub local: Option<SocketAddr>,
    /// The client, by `x-forwarded-for` where that is trusted.
    pub remote: Option<SocketAddr>,
    /// Who the connection came from.
    pub direct_remote: Option<SocketAddr>,
    /// The client's TLS, if it spoke it.
    pub tls: Option<&'a TlsFacts>,
    /// Server name that the client asked for.
    pub server_name: &'a str,
    /// The cluster.
    pub cluster: &'a str,
    /// The endpoint of the last try.
    pub upstream_host: Option<&'a Address>,
    /// Our side of the connection to it.
    pub upstream_local: Option<SocketAddr>,
    /// Name of the route.
    pub route: &'a str,
    /// Tries made.
    pub attempts: u32,
}

impl StreamInfo<'_> {
    /// One that nothing but its times is known of.
    pub(crate) fn new(started: Instant, ended: Instant) -> Self {
        Self {
            started,
            on_the_wall: None,
            request_received: None,
            upstream_began: None,
            ended,
            protocol: None,
            method: "",
            scheme: "",
            authority: "",
            path: "",
            original_path: "",
            request: &NoFields,
            response: &NoFields,
            trailers: &NoFields,
            status: None,
            flags: Flags::NONE,
            details: "",
            termination_details: "",
            transport_failure: "",
            received: 0,
            sent: 0,
            wire_received: 0,
            wire_sent: 0,
            connection_id: 0,
            local: None,
            remote: None,
            direct_remote: None,
            tls: None,
            server_name: "",
            cluster: "",
            upstream_host: None,
            upstream_local: None,
            route: "",
            attempts: 0,
        }
    }

    /// When its first byte came, on the wall.
    pub(crate) fn started_at(&self) -> SystemTime {
        self.on_the_wall.unwrap_or_else(|| wall(self.started))
    }

    /// From the first byte in to the last byte out.
    pub(crate) fn duration(&self) -> Duration {
        self.ended.saturating_duration_since(self.started)
    }

    /// From the first byte in to `moment`.
    pub(crate) fn until(&self, moment: Option<Instant>) -> Option<Duration> {
        moment.map(|moment| moment.saturating_duration_since(self.started))
    }

    /// How it ended, if it is gRPC.
    pub(crate) fn grpc_status(&self) -> Option<u32> {
        grpc::is_request(self.request).then(|| grpc::status(self.trailers, self.response, self.status)).flatten()
    }
}
