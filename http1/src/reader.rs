//! From bytes to heads.

use crate::Refusal;
use crate::headers::Headers;
use crate::message::{Request, Response, Version};
use bytes::{Buf, BytesMut};
use std::mem::MaybeUninit;

/// How much of a head is read before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole head.
    pub head_bytes: usize,
    /// Header fields, at most 128.
    pub fields: usize,
    /// Bytes of the request target.
    pub target_bytes: usize,
}

impl Default for Limits {
    /// Envoy's: 60 KiB, 100 fields, no limit of its own for the target.
    fn default() -> Self {
        Self { head_bytes: 60 * 1024, fields: 100, target_bytes: usize::MAX }
    }
}

/// The largest number of fields that any [`Limits`] can allow.
const MOST_FIELDS: usize = 128;

/// Reads the heads of one direction of one connection.
#[derive(Debug, Default)]
pub struct HeadReader {
    limits: Limits,
    /// Bytes that are known to hold no end of a head, so that a head sent byte by byte is not searched anew each time.
    searched: usize,
}

impl HeadReader {
    /// A reader with limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, searched: 0 }
    }

    /// Takes one request head from the front of `buf` into `request`, reusing its allocations. False: more bytes are needed.
    pub fn request(&mut self, buf: &mut BytesMut, request: &mut Request) -> Result<bool, Refusal> {
        self.skip_empty_lines(buf);
        let len = self.request_at(buf, request)?;
        buf.advance(len.unwrap_or(0));
        Ok(len.is_some())
    }

    /// Reads one request head at the front of `buf` and leaves it there, for whoever passes on the very bytes; gives its length.
    pub fn request_at(&mut self, buf: &[u8], request: &mut Request) -> Result<Option<usize>, Refusal> {
        let Some(head) = self.find_head(buf)? else { return Ok(None) };
        let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        let status = parsed.parse_with_uninit_headers(head, &mut fields).map_err(|error| match error {
            httparse::Error::Version if names_a_version(head) => Refusal::Version,
            error => refusal(error),
        })?;
        let (httparse::Status::Complete(len), Some(method), Some(target), Some(version)) =
            (status, parsed.method, parsed.path, parsed.version)
        else {
            return Err(Refusal::Syntax);
        };
        if target.len() > self.limits.target_bytes {
            return Err(Refusal::TargetTooLong);
        }
        request.version = version_of(version);
        copy_fields(len, parsed.headers, self.limits.fields, &mut request.headers)?;
        request.method = request.headers.store(method);
        request.target = request.headers.store(target);
        self.searched = 0;
        Ok(Some(len))
    }

    /// Takes one response head from the front of `buf` into `response`. False: more bytes are needed.
    pub fn response(&mut self, buf: &mut BytesMut, response: &mut Response) -> Result<bool, Refusal> {
        let len = self.response_at(buf, response)?;
        buf.advance(len.unwrap_or(0));
        Ok(len.is_some())
    }

    /// Reads one response head at the front of `buf` and leaves it there; gives its length.
    pub fn response_at(&mut self, buf: &[u8], response: &mut Response) -> Result<Option<usize>, Refusal> {
        let Some(head) = self.find_head(buf)? else { return Ok(None) };
        let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let status = config.parse_response_with_uninit_headers(&mut parsed, head, &mut fields).map_err(refusal)?;
        let (httparse::Status::Complete(len), Some(code), Some(version)) = (status, parsed.code, parsed.version) else {
            return Err(Refusal::Syntax);
        };
        if code < 100 {
            return Err(Refusal::Syntax);
        }
        response.status = code;
        response.version = version_of(version);
        copy_fields(len, parsed.headers, self.limits.fields, &mut response.headers)?;
        self.searched = 0;
        Ok(Some(len))
    }

    /// A server ignores empty lines before a request (RFC 9112, 2.2).
    fn skip_empty_lines(&mut self, buf: &mut BytesMut) {
        while self.searched == 0 && buf.starts_with(b"\r\n") {
            buf.advance(2);
        }
    }

    /// The bytes up to and with the empty line that ends the head.
    fn find_head<'a>(&mut self, buf: &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
        let mut at = self.searched;
        while let Some(line) = memchr::memchr(b'\n', &buf[at..]) {
            let next = at + line + 1;
            let rest = &buf[next..];
            let end = match rest {
                [b'\n', ..] => Some(next + 1),
                [b'\r', b'\n', ..] => Some(next + 2),
                [] | [b'\r'] => {
                    self.searched = at + line;
                    return self.within(buf.len()).map(|()| None);
                }
                _ => None,
            };
            if let Some(end) = end {
                self.within(end)?;
                return Ok(Some(&buf[..end]));
            }
            at = next;
        }
        self.searched = buf.len();
        self.within(buf.len()).map(|()| None)
    }

    fn within(&self, len: usize) -> Result<(), Refusal> {
        if len > self.limits.head_bytes { Err(Refusal::HeadTooLarge) } else { Ok(()) }
    }
}

fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::TooManyFields,
        httparse::Error::HeaderValue => Refusal::BadValue,
        _ => Refusal::Syntax,
    }
}

/// True if the first line is well-formed and ends in a version of HTTP, whichever.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let mut words = line.split(|byte| *byte == b' ');
    let version = words.nth(2).and_then(|word| word.strip_prefix(b"HTTP/"));
    words.next().is_none()
        && matches!(version, Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit())
}

fn version_of(minor: u8) -> Version {
    if minor == 0 { Version::Http10 } else { Version::Http11 }
}

fn copy_fields(
    len: usize,
    fields: &[httparse::Header<'_>],
    limit: usize,
    headers: &mut Headers,
) -> Result<(), Refusal> {
    if fields.len() > limit {
        return Err(Refusal::TooManyFields);
    }
    headers.begin(len);
    for field in fields {
        // httparse takes a folded line for part of the value of its field only where it was asked to: here it never is.
        headers.add_read(field.name, field.value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
        let mut request = Request::default();
        let read = HeadReader::default().request(&mut BytesMut::from(bytes), &mut request)?;
        Ok(read.then_some(request))
    }

    #[test]
    fn a_request_is_read_whole() {
        let mut buf = BytesMut::from(&b"\r\nGET /a?b=1 HTTP/1.1\r\nHost: Cart\r\nX-A:  1 \r\n\r\nrest"[..]);
        let mut request = Request::default();
        assert_eq!(HeadReader::default().request(&mut buf, &mut request), Ok(true));
        assert_eq!((request.method(), request.target()), ("GET", "/a?b=1"));
        assert_eq!(request.headers.get("host"), Some(&b"Cart"[..]));
        assert_eq!(request.headers.get("x-a"), Some(&b"1"[..]));
        assert_eq!(&buf[..], b"rest");
        assert!(request.keep_alive());
    }

    #[test]
    fn a_head_may_arrive_in_any_pieces() {
        let head = b"GET / HTTP/1.1\r\nhost: a\r\nb: c\r\n\r\n";
        for pieces in 1..head.len() {
            let (mut reader, mut buf, mut request) = (HeadReader::default(), BytesMut::new(), Request::default());
            let mut complete = false;
            for piece in head.chunks(pieces) {
                assert!(!complete);
                buf.extend_from_slice(piece);
                complete = reader.request(&mut buf, &mut request).unwrap();
            }
            assert!(complete && buf.is_empty() && request.headers.len() == 2, "pieces of {pieces}");
        }
    }

    #[test]
    fn malformed_heads_are_refused() {
        for (bytes, refusal) in [
            (&b"GET / HTTP/1.1\r\nA : b\r\n\r\n"[..], Refusal::Syntax),
            (b"GET / HTTP/1.1\r\n: b\r\n\r\n", Refusal::Syntax),
            (b"GET / HTTP/1.1\r\nA\r\n\r\n", Refusal::Syntax),
            (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", Refusal::Syntax),
            (b"GET / HTTP/1.1\r\nA: b\0\r\n\r\n", Refusal::BadValue),
            (b"GET / HTTP/1.1\r\n A: b\r\n\r\n", Refusal::Syntax),
            (b"GET /a b HTTP/1.1\r\n\r\n", Refusal::Syntax),
            (b"GET / HTTP/2.0\r\n\r\n", Refusal::Version),
            (b"GET / HTTP/9.9\r\n\r\n", Refusal::Version),
            (b"GET / HTTP/1.1x\r\n\r\n", Refusal::Syntax),
            (b"GET / FOO\r\n\r\n", Refusal::Syntax),
            (b"G\x01T / HTTP/1.1\r\n\r\n", Refusal::Syntax),
            (b"PRI * HTTP/2.0\r\n\r\n", Refusal::Version),
        ] {
            assert_eq!(read(bytes).err(), Some(refusal), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_beyond() {
        let head = |fields: usize| {
            let mut head = b"GET / HTTP/1.1\r\n".to_vec();
            (0..fields).for_each(|_| head.extend_from_slice(b"a: b\r\n"));
            head.extend_from_slice(b"\r\n");
            head
        };
        assert!(read(&head(100)).unwrap().is_some());
        assert_eq!(read(&head(101)).err(), Some(Refusal::TooManyFields));
        assert_eq!(read(&head(1000)).err(), Some(Refusal::TooManyFields));

        let sized = |bytes: usize| {
            let mut head = b"GET / HTTP/1.1\r\na: ".to_vec();
            head.resize(bytes - 4, b'x');
            head.extend_from_slice(b"\r\n\r\n");
            head
        };
        assert!(read(&sized(60 * 1024)).unwrap().is_some());
        assert_eq!(read(&sized(60 * 1024 + 1)).err(), Some(Refusal::HeadTooLarge));
        assert_eq!(read(&vec![b'x'; 70_000]).err(), Some(Refusal::HeadTooLarge));
    }

    #[test]
    fn a_response_is_read_whole() {
        let mut buf = BytesMut::from(&b"HTTP/1.0 503 Too bad\r\nContent-Length: 0\r\n\r\n"[..]);
        let mut response = Response::default();
        assert_eq!(HeadReader::default().response(&mut buf, &mut response), Ok(true));
        assert_eq!((response.status, response.keep_alive()), (503, false));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = HeadReader::default().response(&mut BytesMut::from(&bytes[..]), &mut Response::default());
        }

        #[test]
        fn a_byte_that_no_name_may_have_is_refused_wherever_it_stands(byte in any::<u8>(), at in 0_usize..4) {
            let mut head = b"GET / HTTP/1.1\r\nwxyz: a\r\n\r\n".to_vec();
            head[16 + at] = byte;
            if let Ok(Some(request)) = read(&head) {
                // Nothing else can come of it than a name of four letters, or a shorter one before another colon.
                let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                prop_assert!(request.headers.iter().all(|(name, _)| !name.is_empty() && name.bytes().all(token)));
                // A line end that stands first makes the line an empty one, with which the head ends.
                let ends = byte == b'\n' && at == 0;
                prop_assert!(ends || token(byte) || byte == b':' && at > 0, "{byte:#x} at {at}");
            }
        }

        #[test]
        fn a_byte_that_no_first_line_may_have_is_refused_wherever_it_stands(byte in 0_u8..0x21, at in 0_usize..14) {
            let mut head = b"GET /ab HTTP/1.1\r\na: b\r\n\r\n".to_vec();
            prop_assume!(head[at] != byte && !(at == 0 && matches!(byte, b'\r' | b'\n')));
            head[at] = byte;
            prop_assert!(!matches!(read(&head), Ok(Some(_))), "{}", head.escape_ascii());
        }

        #[test]
        fn no_control_byte_gets_into_a_value(byte in any::<u8>(), at in 0_usize..4) {
            let mut head = b"GET / HTTP/1.1\r\na: wxyz\r\n\r\n".to_vec();
            head[19 + at] = byte;
            if let Ok(Some(request)) = read(&head) {
                let fine = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
                prop_assert!(request.headers.iter().all(|(_, value)| value.iter().all(fine)));
            }
        }
    }
}
