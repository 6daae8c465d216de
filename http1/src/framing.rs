//! Where a body ends: the only place that decides it.

use crate::{Headers, Refusal, Request, Response, Version};

/// Where the body of a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes, at least one.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// When the peer closes (responses only).
    UntilClose,
}

impl Request {
    /// Decides the framing of the body.
    pub fn framing(&self) -> Result<Framing, Refusal> {
        Ok(declared(self.version, &self.headers)?.unwrap_or(Framing::Empty))
    }
}

impl Response {
    /// Decides the framing of the body in answer to a request of `method`.
    pub fn framing(&self, method: &str) -> Result<Framing, Refusal> {
        let declared = declared(self.version, &self.headers)?;
        if method == "HEAD" || self.status < 200 || self.status == 204 || self.status == 304 {
            return Ok(Framing::Empty);
        }
        Ok(declared.unwrap_or(Framing::UntilClose))
    }
}

/// What the fields say, strictly: a message that could be read in two ways is refused.
fn declared(version: Version, headers: &Headers) -> Result<Option<Framing>, Refusal> {
    let length = length(headers)?;
    let mut codings = headers.get_all("transfer-encoding");
    let Some(coding) = codings.next() else {
        return Ok(length.map(|length| if length == 0 { Framing::Empty } else { Framing::Length(length) }));
    };
    if length.is_some() {
        return Err(Refusal::LengthAndChunked);
    }
    if version == Version::Http10 {
        return Err(Refusal::ChunkedInOldVersion);
    }
    if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") {
        return Err(Refusal::TransferEncoding);
    }
    Ok(Some(Framing::Chunked))
}

/// The one `Content-Length`. Repetitions are refused even if they agree: a peer that sends two is not to be trusted.
fn length(headers: &Headers) -> Result<Option<u64>, Refusal> {
    let mut values = headers.get_all("content-length");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadLength);
    }
    Ok(Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: Version, fields: &[(&str, &str)]) -> Result<Framing, Refusal> {
        let mut request = Request::new("POST", "/");
        request.version = version;
        fields.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
        request.framing()
    }

    type Case<'a> = (&'a [(&'a str, &'a str)], Result<Framing, Refusal>);

    #[test]
    fn a_request_that_could_be_read_in_two_ways_is_refused() {
        let length = "content-length";
        let coding = "transfer-encoding";
        let cases: &[Case<'_>] = &[
            (&[], Ok(Framing::Empty)),
            (&[(length, "0")], Ok(Framing::Empty)),
            (&[(length, "12")], Ok(Framing::Length(12))),
            (&[(length, "12"), (length, "12")], Err(Refusal::BadLength)),
            (&[(length, "12, 12")], Err(Refusal::BadLength)),
            (&[(length, "+12")], Err(Refusal::BadLength)),
            (&[(length, "-1")], Err(Refusal::BadLength)),
            (&[(length, "")], Err(Refusal::BadLength)),
            (&[(length, "1 2")], Err(Refusal::BadLength)),
            (&[(length, "0x10")], Err(Refusal::BadLength)),
            (&[(length, "99999999999999999999")], Err(Refusal::BadLength)),
            (&[(coding, "chunked")], Ok(Framing::Chunked)),
            (&[(coding, "Chunked")], Ok(Framing::Chunked)),
            (&[(coding, "chunked"), (length, "3")], Err(Refusal::LengthAndChunked)),
            (&[(length, "3"), (coding, "chunked")], Err(Refusal::LengthAndChunked)),
            (&[(coding, "gzip, chunked")], Err(Refusal::TransferEncoding)),
            (&[(coding, "chunked"), (coding, "chunked")], Err(Refusal::TransferEncoding)),
            (&[(coding, "chunked, identity")], Err(Refusal::TransferEncoding)),
            (&[(coding, "xchunked")], Err(Refusal::TransferEncoding)),
            (&[(coding, "")], Err(Refusal::TransferEncoding)),
        ];
        for (fields, expected) in cases {
            assert_eq!(request(Version::Http11, fields), *expected, "{fields:?}");
        }
        assert_eq!(request(Version::Http10, &[(coding, "chunked")]), Err(Refusal::ChunkedInOldVersion));
    }

    #[test]
    fn some_responses_have_no_body_whatever_they_say() {
        for (method, status, expected) in [
            ("GET", 200, Framing::Length(5)),
            ("HEAD", 200, Framing::Empty),
            ("GET", 204, Framing::Empty),
            ("GET", 304, Framing::Empty),
            ("GET", 100, Framing::Empty),
        ] {
            let mut response = Response::new(status);
            response.headers.add("content-length", b"5");
            assert_eq!(response.framing(method), Ok(expected), "{method} {status}");
        }
        assert_eq!(Response::new(200).framing("GET"), Ok(Framing::UntilClose));
    }
}
