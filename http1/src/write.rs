//! Writing heads and chunks.

use crate::{Framing, Headers, Request, Response};
use bytes::BytesMut;

/// Writes a request head. The framing fields are written from `framing`, never from the headers.
pub fn request(out: &mut BytesMut, request: &Request, framing: Framing) {
    out.reserve(request.headers.size() + 64);
    out.extend_from_slice(request.method().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(request.target().as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields(out, &request.headers);
    // A request without a body needs no length, but one of a method that may have one says so.
    let bodiless = matches!(request.method(), "GET" | "HEAD" | "DELETE" | "TRACE" | "CONNECT");
    if framing == Framing::Empty && !bodiless {
        out.extend_from_slice(b"content-length: 0\r\n");
    }
    body_fields(out, framing);
}

/// Writes a response head in answer to a request of `method`.
///
/// An answer to `HEAD`, and 304, keep a `content-length` that was set: there it describes what is not sent.
pub fn response(out: &mut BytesMut, response: &Response, framing: Framing, method: &str) {
    out.reserve(response.headers.size() + 64);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(response.status).as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(reason(response.status).as_bytes());
    out.extend_from_slice(b"\r\n");
    fields(out, &response.headers);
    if framing == Framing::Empty && response.status >= 200 && response.status != 204 {
        let described = (method == "HEAD" || response.status == 304).then(|| response.headers.get("content-length"));
        match described.flatten() {
            Some(length) => field(out, "content-length", length),
            None if method == "HEAD" || response.status == 304 => {}
            None => out.extend_from_slice(b"content-length: 0\r\n"),
        }
    }
    body_fields(out, framing);
}

/// Writes one chunk; an empty one, which would end the body, is left out.
pub fn chunk(out: &mut BytesMut, payload: &[u8]) {
    if payload.is_empty() {
        return;
    }
    out.reserve(payload.len() + 24);
    chunk_size(out, payload.len());
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// Writes the end of a chunked body, with what stands behind it.
pub fn last_chunk(out: &mut BytesMut, trailers: Option<&Headers>) {
    out.extend_from_slice(b"0\r\n");
    if let Some(trailers) = trailers {
        fields(out, trailers);
    }
    out.extend_from_slice(b"\r\n");
}

fn chunk_size(out: &mut BytesMut, size: usize) {
    let digits = (usize::BITS - size.leading_zeros()).div_ceil(4);
    for digit in (0..digits).rev() {
        out.extend_from_slice(&[b"0123456789abcdef"[(size >> (digit * 4)) & 15]]);
    }
    out.extend_from_slice(b"\r\n");
}

fn fields(out: &mut BytesMut, headers: &Headers) {
    for (name, value) in headers.iter() {
        if name != "content-length" && name != "transfer-encoding" {
            field(out, name, value);
        }
    }
}

#[inline]
fn field(out: &mut BytesMut, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn body_fields(out: &mut BytesMut, framing: Framing) {
    match framing {
        Framing::Length(length) => field(out, "content-length", itoa::Buffer::new().format(length).as_bytes()),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Empty | Framing::UntilClose => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// The phrase beside a status, for people only.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_written_from_the_decision_and_never_from_the_fields() {
        let mut message = Request::new("POST", "/a");
        message.headers.add("Host", b"cart");
        message.headers.add("Content-Length", b"99");
        message.headers.add("Transfer-Encoding", b"gzip");
        for (framing, ending) in [
            (Framing::Length(3), "content-length: 3\r\n\r\n"),
            (Framing::Chunked, "transfer-encoding: chunked\r\n\r\n"),
            (Framing::Empty, "content-length: 0\r\n\r\n"),
        ] {
            let mut out = BytesMut::new();
            request(&mut out, &message, framing);
            assert_eq!(out, format!("POST /a HTTP/1.1\r\nhost: cart\r\n{ending}").as_bytes());
        }
    }

    #[test]
    fn an_answer_to_head_describes_what_it_does_not_send() {
        let mut message = Response::new(200);
        message.headers.add("content-length", b"5");
        let mut out = BytesMut::new();
        response(&mut out, &message, Framing::Empty, "HEAD");
        assert_eq!(out, &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"[..]);
        out.clear();
        response(&mut out, &Response::new(503), Framing::Empty, "GET");
        assert_eq!(out, &b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"[..]);
    }

    #[test]
    fn a_target_cannot_end_its_line() {
        let mut out = BytesMut::new();
        request(&mut out, &Request::new("GET", "/a b\r\nc"), Framing::Empty);
        assert_eq!(out, &b"GET /abc HTTP/1.1\r\n\r\n"[..]);
    }
}
