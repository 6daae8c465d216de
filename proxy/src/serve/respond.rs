//! Our own answers, each in a form that its caller understands.

mod failure;

pub(super) use failure::Failure;

use crate::telemetry::{Flag, grpc};
use squall_http1::{Framing, Response};
use std::borrow::Cow;

/// Says that a breaker of ours is open.
pub(super) const OVERLOADED: &str = "x-envoy-overloaded";

/// A whole answer of ours.
pub(super) struct Reply {
    pub(super) response: Response,
    pub(super) body: Vec<u8>,
    pub(super) flag: Option<Flag>,
    pub(super) details: Cow<'static, str>,
}

impl Reply {
    /// The answer to a failure. gRPC gets its own form: 200, and the trouble in fields.
    pub(super) fn to(failure: &Failure, retried: bool, grpc: bool) -> Self {
        let local = failure.local_reply(retried);
        let own = match failure {
            Failure::FaultAbortGrpc(status) if grpc => Some(*status),
            Failure::RateLimited { resource_exhausted: true, .. } if grpc => Some(8),
            Failure::StreamTooOld(_) if grpc => Some(4),
            _ => None,
        };
        let body = local.body.into_bytes();
        let (mut response, body) = match own {
            Some(status) => (in_grpc(status, &body), Vec::new()),
            None => head_and_body(local.status, body, grpc),
        };
        if *failure == Failure::Overflow {
            response.headers.add(OVERLOADED, b"true");
        }
        Self { response, body, flag: local.flag, details: local.details }
    }

    /// Where its body ends.
    pub(super) fn framing(&self) -> Framing {
        if self.body.is_empty() { Framing::Empty } else { Framing::Length(self.body.len() as u64) }
    }
}

/// An answer of ours as a caller understands it: gRPC does not look at statuses and bodies.
pub(super) fn head_and_body(status: u16, body: Vec<u8>, grpc: bool) -> (Response, Vec<u8>) {
    if grpc {
        return (in_grpc(grpc::of_http(status), &body), Vec::new());
    }
    let mut response = Response::new(status);
    if !body.is_empty() {
        response.headers.add("content-type", b"text/plain");
    }
    (response, body)
}

/// A head that is all there is: 200, and the trouble in fields.
fn in_grpc(status: u32, message: &[u8]) -> Response {
    let mut response = Response::new(200);
    response.headers.add("content-type", b"application/grpc");
    response.headers.add("grpc-status", itoa::Buffer::new().format(status).as_bytes());
    if !message.is_empty() {
        response.headers.add("grpc-message", &percent_encoded(message));
    }
    response
}

fn percent_encoded(text: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        b' '..=b'~' if *byte != b'%' => vec![*byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    text.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_says_whether_it_was_tried_again() {
        let body = |retried| String::from_utf8(Reply::to(&Failure::Closed, retried, false).body).unwrap();
        let prefix = "upstream connect error or disconnect/reset before headers.";
        assert_eq!(body(false), format!("{prefix} reset reason: connection termination"));
        assert_eq!(body(true), format!("{prefix} retried and the latest reset reason: connection termination"));
    }

    #[test]
    fn an_overflow_says_so_and_grpc_is_told_in_fields() {
        let overflow = Reply::to(&Failure::Overflow, false, false);
        assert_eq!(overflow.response.headers.get("x-envoy-overloaded"), Some(&b"true"[..]));
        let grpc = Reply::to(&Failure::NoHealthyUpstream, false, true);
        assert_eq!((grpc.response.status, grpc.framing()), (200, Framing::Empty));
        assert_eq!(grpc.response.headers.get("grpc-status"), Some(&b"14"[..]));
        assert_eq!(grpc.response.headers.get("grpc-message"), Some(&b"no healthy upstream"[..]));
    }
}
