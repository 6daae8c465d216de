//! Requests and responses without their bodies.

use crate::headers::{Headers, Span, is_token};

/// Version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2, whose heads are carried in the same form.
    Http2,
}

/// Request line and fields.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub(crate) method: Span,
    pub(crate) target: Span,
    /// As the peer wrote it.
    pub version: Version,
    /// Its fields.
    pub headers: Headers,
}

impl Request {
    /// A request of ours. A method that is no token becomes `GET`; controls and spaces are left out of the target.
    pub fn new(method: &str, target: &str) -> Self {
        let mut request = Self::default();
        let method = if is_token(method.as_bytes()) { method } else { "GET" };
        request.method = request.headers.store(method);
        request.set_target(target);
        request
    }

    /// Replaces the method, unless that is no token.
    pub fn set_method(&mut self, method: &str) {
        if is_token(method.as_bytes()) {
            self.method = self.headers.store(method);
        }
    }

    /// The method, case as written.
    pub fn method(&self) -> &str {
        self.headers.text(self.method)
    }

    /// The target as written: `/path?query`, `http://host/path`, `*` or `host:port`.
    pub fn target(&self) -> &str {
        self.headers.text(self.target)
    }

    /// Replaces the target. Controls and spaces, which would end it, are left out.
    pub fn set_target(&mut self, target: &str) {
        let allowed = |letter: char| letter.is_ascii_graphic() || !letter.is_ascii();
        self.target = if target.chars().all(allowed) {
            self.headers.store(target)
        } else {
            self.headers.store(&target.chars().filter(|letter| allowed(*letter)).collect::<String>())
        };
    }

    /// True if the peer will take another request on the connection.
    pub fn keep_alive(&self) -> bool {
        keep_alive(self.version, &self.headers)
    }
}

/// Status line and fields.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// 100 to 999.
    pub status: u16,
    /// As the peer wrote it.
    pub version: Version,
    /// Its fields.
    pub headers: Headers,
}

impl Response {
    /// A response of ours.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// True if the peer will answer another request on the connection.
    pub fn keep_alive(&self) -> bool {
        keep_alive(self.version, &self.headers)
    }
}

fn keep_alive(version: Version, headers: &Headers) -> bool {
    match version {
        Version::Http11 | Version::Http2 => !headers.has_token("connection", "close"),
        Version::Http10 => headers.has_token("connection", "keep-alive"),
    }
}
