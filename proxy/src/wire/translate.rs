//! Heads of HTTP/2 as heads of HTTP/1, and back.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use squall_http1::{Framing, Headers, Request, Response, Version, is_token};

/// Fields that are written by whoever frames a message.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// Fields that HTTP/2 has no use for.
const OF_HTTP1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The head of a request of HTTP/2, its authority as `host`. None: it names two that differ, or a field has a name
/// that HTTP/1 has no word for.
pub(crate) fn request(parts: &http::request::Parts, into: &mut Request) -> Option<()> {
    let upgrade = parts.extensions.get::<h2::ext::Protocol>();
    let method = if upgrade.is_some() { "GET" } else { parts.method.as_str() };
    let target = match parts.uri.path_and_query() {
        Some(path) => path.as_str(),
        // CONNECT names a place to go to, and no path.
        None => parts.uri.authority().map_or("/", http::uri::Authority::as_str),
    };
    *into = Request::new(method, target);
    into.version = Version::Http2;
    let host = parts.headers.get("host").map(HeaderValue::as_bytes);
    match (parts.uri.authority(), host) {
        (Some(authority), Some(host)) if !host.eq_ignore_ascii_case(authority.as_str().as_bytes()) => return None,
        (Some(authority), _) => into.headers.add("host", authority.as_str().as_bytes()),
        (None, Some(host)) => into.headers.add("host", host),
        (None, None) => {}
    }
    if let Some(protocol) = upgrade {
        into.headers.add("connection", b"upgrade");
        into.headers.add("upgrade", protocol.as_str().as_bytes());
    }
    let mut cookie: Vec<u8> = Vec::new();
    for (name, value) in &parts.headers {
        match name.as_str() {
            "host" => {}
            // Crumbs are put together again.
            "cookie" => {
                if !cookie.is_empty() {
                    cookie.extend_from_slice(b"; ");
                }
                cookie.extend_from_slice(value.as_bytes());
            }
            // The names of HTTP/2's library are wider than a token by one letter.
            name if !is_token(name.as_bytes()) => return None,
            name => into.headers.add(name, value.as_bytes()),
        }
    }
    if !cookie.is_empty() {
        into.headers.add("cookie", &cookie);
    }
    Some(())
}

/// The head of an answer of HTTP/2, without fields whose names are no tokens.
pub(super) fn response(status: StatusCode, headers: &HeaderMap, into: &mut Response) {
    into.status = status.as_u16();
    into.version = Version::Http2;
    into.headers.clear();
    copy(headers, &mut into.headers);
}

/// Trailers, the same.
pub(super) fn fields(headers: &HeaderMap) -> Headers {
    let mut fields = Headers::new();
    copy(headers, &mut fields);
    fields
}

fn copy(from: &HeaderMap, into: &mut Headers) {
    let tokens = from.iter().filter(|(name, _)| is_token(name.as_str().as_bytes()));
    tokens.for_each(|(name, value)| into.add(name.as_str(), value.as_bytes()));
}

/// Where the body of a message ends. HTTP/2 itself says when; a length that was given is kept, and has been checked against the data.
pub(crate) fn framing(headers: &Headers, whole: bool) -> Framing {
    let length = headers.get_str("content-length").and_then(|length| length.parse().ok());
    match length {
        _ if whole => Framing::Empty,
        Some(0) | None => Framing::Chunked,
        Some(length) => Framing::Length(length),
    }
}

/// The head of an answer for HTTP/2. None: it has something in it that cannot be written.
pub(super) fn response_head(response: &Response, framing: Framing) -> Option<http::Response<()>> {
    let mut head = http::Response::new(());
    // Whoever switched protocols in HTTP/1 has accepted in HTTP/2.
    let status = if response.status == 101 { 200 } else { response.status };
    *head.status_mut() = StatusCode::from_u16(status).ok()?;
    *head.headers_mut() = header_map(&response.headers);
    write_length(head.headers_mut(), framing, &response.headers, response.status >= 200 && response.status != 204);
    Some(head)
}

/// The head of a request for HTTP/2. None: it has something in it that cannot be written.
pub(crate) fn request_head(request: &Request, scheme: &str, framing: Framing) -> Option<http::Request<()>> {
    let mut head = http::Request::new(());
    let host = request.headers.get_str("host").unwrap_or_default();
    let upgrade = request.headers.get_str("upgrade").filter(|_| request.headers.has_token("connection", "upgrade"));
    let connect = request.method() == "CONNECT";
    let method = if upgrade.is_some() { "CONNECT" } else { request.method() };
    *head.method_mut() = http::Method::from_bytes(method.as_bytes()).ok()?;
    let uri = Uri::builder().authority(host);
    let uri = if connect { uri } else { uri.scheme(scheme).path_and_query(request.target()) };
    *head.uri_mut() = uri.build().ok()?;
    *head.version_mut() = http::Version::HTTP_2;
    *head.headers_mut() = header_map(&request.headers);
    head.headers_mut().remove("host");
    if let Some(protocol) = upgrade {
        head.extensions_mut().insert(h2::ext::Protocol::from(protocol));
    }
    write_length(head.headers_mut(), framing, &request.headers, false);
    Some(head)
}

/// Fields of a message, without those of HTTP/1's connections.
pub(super) fn header_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len() + 2);
    let kept = headers.iter().filter(|(name, _)| !OF_HTTP1.contains(name) && !FRAMING.contains(name));
    for (name, value) in kept {
        // Both were checked when they were read or configured.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

/// The length as it was decided; for a message without a body, as it was described.
fn write_length(map: &mut HeaderMap, framing: Framing, headers: &Headers, describe: bool) {
    let length = match framing {
        Framing::Length(length) => Some(HeaderValue::from(length)),
        Framing::Empty if describe => {
            headers.get("content-length").and_then(|length| HeaderValue::from_bytes(length).ok())
        }
        _ => None,
    };
    if let Some(length) = length {
        map.insert(http::header::CONTENT_LENGTH, length);
    }
}
