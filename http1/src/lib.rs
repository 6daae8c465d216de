//! The one HTTP/1.1 codec of Squall.
//!
//! A message is read once, its framing is decided once, and it is written anew from what was decided: no framing byte
//! of a peer is ever passed on. That is why proxy, relay, load generator and test service share this codec: two
//! readings of one message are how requests are smuggled.
//!
//! - [`HeadReader`] turns bytes into a [`Request`] or a [`Response`], within [`Limits`].
//! - [`Framing`] says where the body ends; [`Request::framing`] and [`Response::framing`] are the only places that decide it.
//! - [`BodyReader`] finds the payload in the bytes that follow.
//! - [`write`] puts heads and chunks into a buffer.
//!
//! There are no sockets, no clocks and no tasks here. Line ends of a bare LF are accepted in heads and always written as CRLF.

mod body;
mod framing;
mod headers;
mod message;
mod reader;
pub mod write;

pub use body::{BodyReader, Step};
pub use framing::Framing;
pub use headers::{Headers, is_token};
pub use message::{Request, Response, Version};
pub use reader::{HeadReader, Limits};

/// Why a message is refused. The connection cannot be used any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The head is longer than [`Limits::head_bytes`].
    #[error("head is longer than the limit")]
    HeadTooLarge,
    /// More fields than [`Limits::fields`].
    #[error("more header fields than the limit")]
    TooManyFields,
    /// The request target is longer than [`Limits::target_bytes`].
    #[error("request target is longer than the limit")]
    TargetTooLong,
    /// Not HTTP/1.x.
    #[error("bytes are not an HTTP/1 message")]
    Syntax,
    /// HTTP/1, but of another version than 1.0 and 1.1, or HTTP of another kind.
    #[error("neither HTTP/1.0 nor HTTP/1.1")]
    Version,
    /// A byte in a value that no value may have.
    #[error("control byte in a value")]
    BadValue,
    /// `Content-Length` beside `Transfer-Encoding`.
    #[error("both content-length and transfer-encoding")]
    LengthAndChunked,
    /// `Content-Length` that is no plain decimal number, or more than one.
    #[error("content-length is not one decimal number")]
    BadLength,
    /// A transfer coding other than one `chunked`.
    #[error("transfer-encoding other than chunked")]
    TransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, where it means nothing.
    #[error("transfer-encoding in HTTP/1.0")]
    ChunkedInOldVersion,
    /// A chunk's size line, its end, or the trailers are malformed or too long.
    #[error("malformed chunk")]
    BadChunk,
    /// The peer closed amid the body.
    #[error("closed before the end of the body")]
    ClosedInBody,
}

impl Refusal {
    /// The status of the reply to a refused request.
    pub fn status(self) -> u16 {
        match self {
            Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::TargetTooLong => 414,
            Self::TransferEncoding => 501,
            Self::Version => 426,
            _ => 400,
        }
    }
}
