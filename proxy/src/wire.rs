//! Messages on a connection: where the bytes of one come from, and where they go, in either version of HTTP.
//!
//! A [`Source`] gives the body of a message that is being received, a [`Sink`] takes one that is being sent. A request goes from the
//! client's source to the upstream's sink, its answer from the upstream's source to the client's sink: any protocol to any other.
//! Whatever waits may be dropped at any time and begun again; nothing is lost by that.

mod gathered;
mod grpc_messages;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod keepalive;
mod spare;
mod translate;

pub(crate) use gathered::gathered;
pub(crate) use grpc_messages::GrpcMessages;

use squall_http1::{Framing, Headers, Refusal, Request, Response};

/// Why a message goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection is gone.
    Lost,
    /// The peer has given up this stream; its connection goes on.
    Reset,
    /// The peer has not begun with this stream: another may be asked.
    Refused,
    /// What the peer sends is no message.
    Malformed(Refusal),
}

/// The body of a message that is being received.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a stream, and a pointer more is a miss more")]
pub(crate) enum Source {
    /// On a connection of its own.
    Http1(http1::Source),
    /// As a stream among others.
    Http2(http2::Source),
}

/// A message that is being sent.
#[derive(Debug)]
pub(crate) enum Sink {
    /// On a connection of its own.
    Http1(http1::Sink),
    /// As a stream among others.
    Http2(http2::Sink),
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Another follows.
    Interim,
    /// The answer, with where its body ends.
    Last(Framing),
    /// The connection is a tunnel from here on.
    Tunnel,
}

/// What was asked, as far as it decides what an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// An upgrade or CONNECT: the answer may be a tunnel.
    pub tunnel: bool,
}

impl Source {
    /// Waits for the head of an answer. May be dropped and begun again.
    pub(crate) async fn head(&mut self, response: &mut Response, asked: Asked<'_>) -> Result<Head, Broken> {
        let framing = match self {
            Self::Http2(source) => match source.response(response).await? {
                // Their end may come as a frame of its own, which must not be taken for a body to frame.
                _ if matches!(response.status, 204 | 304) => Framing::Empty,
                framing => framing,
            },
            Self::Http1(source) => {
                while !source.response(response)? {
                    source.fill_head().await?;
                }
                response.framing(asked.method).map_err(Broken::Malformed)?
            }
        };
        let switched = match self {
            Self::Http1(_) => response.status == 101,
            Self::Http2(_) => response.status == 200 && asked.method != "CONNECT",
        };
        let accepted = asked.method == "CONNECT" && (200..300).contains(&response.status);
        if asked.tunnel && (switched || accepted) {
            if let Self::Http1(source) = self {
                source.begin(Framing::UntilClose, false);
            }
            return Ok(Head::Tunnel);
        }
        match response.status {
            // Nobody asked to switch.
            101 => Err(Broken::Malformed(Refusal::Syntax)),
            ..200 => Ok(Head::Interim),
            _ => {
                if let Self::Http1(source) = self {
                    source.begin(framing, true);
                }
                Ok(Head::Last(framing))
            }
        }
    }

    /// An accepted upgrade as HTTP/1 says it, whichever version has said so; a CONNECT is accepted by its status alone.
    pub(crate) fn switched(&self, response: &mut Response, request: &Request) {
        if matches!(self, Self::Http2(_))
            && let Some(upgrade) = request.headers.get("upgrade")
            && request.method() != "CONNECT"
        {
            response.status = 101;
            response.headers.set("connection", b"upgrade");
            response.headers.set("upgrade", upgrade);
        }
    }

    /// Hands out payload that is there already, without waiting.
    pub(crate) fn take(&mut self, into: impl FnMut(&[u8])) -> Result<(), Broken> {
        match self {
            Self::Http1(source) => source.take(into),
            Self::Http2(source) => {
                source.take(into);
                Ok(())
            }
        }
    }

    /// Waits for more. Only while it is not done.
    pub(crate) async fn fill(&mut self) -> Result<(), Broken> {
        match self {
            Self::Http1(source) => source.fill().await,
            Self::Http2(source) => source.fill().await,
        }
    }

    /// True once the whole body has been taken.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Http1(source) => source.is_done(),
            Self::Http2(source) => source.is_done(),
        }
    }

    /// Fields behind the body, if there are any; once.
    pub(crate) fn trailers(&mut self) -> Option<Box<Headers>> {
        let trailers = match self {
            Self::Http1(source) => source.trailers(),
            Self::Http2(source) => source.trailers(),
        };
        trailers.map(Box::new)
    }
}

impl Sink {
    /// Takes a piece of the body.
    pub(crate) fn data(&mut self, payload: &[u8]) {
        match self {
            Self::Http1(sink) => sink.data(payload),
            Self::Http2(sink) => sink.data(payload),
        }
    }

    /// Nothing comes behind what was taken but these fields.
    pub(crate) fn end(&mut self, trailers: Option<&Headers>) {
        match self {
            Self::Http1(sink) => sink.end(trailers),
            Self::Http2(sink) => sink.end(trailers),
        }
    }

    /// True if nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        match self {
            Self::Http1(sink) => sink.is_flushed(),
            Self::Http2(sink) => sink.is_flushed(),
        }
    }

    /// Bytes of this message that were written; the head of one of HTTP/2 does not count.
    pub(crate) fn written(&self) -> u64 {
        match self {
            Self::Http1(sink) => sink.written(),
            Self::Http2(sink) => sink.written(),
        }
    }

    /// Bytes of this message's body, without what frames them.
    pub(crate) fn payload(&self) -> u64 {
        match self {
            Self::Http1(sink) => sink.payload(),
            Self::Http2(sink) => sink.written(),
        }
    }

    /// True if any of it was written: the head of a message of HTTP/2 always was.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(self, Self::Http2(_)) || self.written() > 0
    }

    /// Writes what waits.
    pub(crate) async fn flush(&mut self) -> Result<(), Broken> {
        while !self.is_flushed() {
            self.step().await?;
        }
        Ok(())
    }

    /// Writes some of what waits.
    pub(crate) async fn step(&mut self) -> Result<(), Broken> {
        match self {
            Self::Http1(sink) => sink.step().await,
            Self::Http2(sink) => sink.step().await,
        }
    }
}
