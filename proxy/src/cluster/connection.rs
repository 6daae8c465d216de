//! Connections to endpoints: one request at a time, or many streams at once.

mod channel;
mod http1;
mod http2;

pub(crate) use channel::{Channel, Ends};
pub(super) use http1::Http1;
pub(super) use http2::{Http2, Stream};

use super::pool::HostPool;
use crate::clock::now;
use crate::wire::Broken;
use squall_http1::{Framing, Request};
use std::rc::Rc;
use std::time::Instant;

/// A connection that a request may use.
pub(super) enum Connection {
    /// By itself.
    Http1(Http1),
    /// As one of many.
    Http2(Stream),
}

impl Connection {
    /// False once its peer has said goodbye: no request goes there any more.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(_) => true,
            Self::Http2(stream) => stream.is_ready(),
        }
    }

    pub(super) fn opened(&self) -> Instant {
        match self {
            Self::Http1(connection) => connection.opened,
            Self::Http2(stream) => stream.opened(),
        }
    }

    /// Begins a request. Its head waits to be written in the sink.
    pub(super) async fn begin(
        self,
        request: &Request,
        framing: Framing,
        tunnel: bool,
        scheme: &str,
        max_requests: Option<u32>,
        pool: Rc<HostPool>,
    ) -> Result<Channel, Broken> {
        match self {
            Self::Http1(connection) => Ok(connection.begin(request, framing, max_requests, pool)),
            // Boxed, so that a request of HTTP/1 carries nothing of it.
            Self::Http2(stream) => Box::pin(stream.begin(request, framing, tunnel, scheme)).await,
        }
    }

    /// Gives back what was not used.
    pub(super) fn put_back(self, pool: &HostPool) {
        if let Self::Http1(connection) = self {
            pool.put_back(connection, now());
        }
    }
}
