//! A request's place on a connection: both directions, and what becomes of the connection behind it.

use super::http1::Place;
use super::http2::Stream;
use crate::telemetry::ClusterCounter;
use crate::wire::{Sink, Source};
use std::net::SocketAddr;

/// Both directions of a connection or stream. They stay where they are, from one request to the next.
pub(crate) struct Ends {
    /// Answers.
    pub source: Source,
    /// Requests.
    pub sink: Sink,
}

impl Ends {
    /// True if nothing has come that was not used, and the peer has not closed.
    pub(in crate::cluster) fn is_quiet(&self) -> bool {
        matches!(&self.source, Source::Http1(source) if source.is_quiet())
    }

    /// Nothing has been read that was not used.
    pub(super) fn is_clean(&self) -> bool {
        matches!(&self.source, Source::Http1(source) if source.is_clean())
    }

    /// Gives the buffers back while the connection idles.
    pub(in crate::cluster) fn release(&mut self) {
        if let (Source::Http1(source), Sink::Http1(sink)) = (&mut self.source, &mut self.sink) {
            source.release();
            sink.release();
        }
    }
}

/// A request's place on a connection.
pub(crate) struct Channel {
    /// It goes into the sink, its answer comes from the source.
    pub ends: Box<Ends>,
    /// Our end of the connection.
    pub local: Option<SocketAddr>,
    /// The connection ends with this answer.
    pub last: bool,
    pub(super) back: Back,
}

/// Who gets the connection back.
pub(super) enum Back {
    Http1(Place),
    Http2 { _stream: Stream },
}

impl Channel {
    /// The answer is over: the connection serves the next request if it can, and if the answer did not say otherwise.
    pub(crate) fn finish(self, stays: bool) {
        if let Back::Http1(place) = self.back {
            let why = self.last.then_some(ClusterCounter::CxMaxRequests);
            place.give_back(self.ends, self.local, stays && !self.last, why);
        }
    }
}
