//! A second reader of HTTP/1.1 requests, strict and simple enough to be believed: what it makes of some bytes is what everybody else has to
//! make of them. Where RFC 9112 leaves a choice it takes the one that Squall documents: a bare LF ends a line of a head, and nothing else.

/// A whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its target.
    pub target: String,
    /// Fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What stands behind the whole requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// The beginning of one.
    Unfinished,
    /// Something that is none.
    Malformed,
}

/// The whole requests at the front, and what follows them.
#[must_use]
pub fn requests(mut bytes: &[u8]) -> (Vec<Request>, Rest) {
    let mut requests = Vec::new();
    loop {
        if bytes.is_empty() {
            return (requests, Rest::Nothing);
        }
        match request(bytes) {
            Ok((request, rest)) => {
                requests.push(request);
                bytes = rest;
            }
            Err(rest) => return (requests, rest),
        }
    }
}

fn request(bytes: &[u8]) -> Result<(Request, &[u8]), Rest> {
    let (head, rest) = head(bytes).ok_or(Rest::Unfinished)?;
    // One character a byte.
    let text: String = head.iter().copied().map(char::from).collect();
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, "HTTP/1.1"] = words.as_slice() else { return Err(Rest::Malformed) };
    let known = ["GET", "POST", "PUT", "DELETE", "PATCH"].contains(method);
    if !known || !target.starts_with('/') || target.bytes().any(|byte| byte <= b' ') {
        return Err(Rest::Malformed);
    }
    let fields = lines.map(field).collect::<Option<Vec<_>>>().ok_or(Rest::Malformed)?;
    let all = |name: &str| fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
    let (lengths, codings, hosts): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (all("content-length"), all("transfer-encoding"), all("host"));
    let (body, rest) = match (lengths.as_slice(), codings.as_slice(), hosts.as_slice()) {
        ([], [], [_]) => (Vec::new(), rest),
        ([length], [], [_]) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            let length: usize = length.parse().map_err(|_| Rest::Malformed)?;
            if rest.len() < length {
                return Err(Rest::Unfinished);
            }
            (rest[..length].to_vec(), &rest[length..])
        }
        ([], [coding], [_]) if coding.eq_ignore_ascii_case("chunked") => chunks(rest)?,
        _ => return Err(Rest::Malformed),
    };
    Ok((Request { method: (*method).to_owned(), target: (*target).to_owned(), fields, body }, rest))
}

/// The lines of a head without the empty one that ends it; empty lines ahead are passed over.
fn head(mut bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    while let [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    let mut at = 0;
    loop {
        at += 1 + bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
        match &bytes[at..] {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => return Some((&bytes[..at - 1], rest)),
            _ => {}
        }
    }
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fine = !name.is_empty() && name.bytes().all(token);
    let value = value.trim_matches([' ', '\t']);
    let plain = |letter: char| letter == '\t' || letter >= ' ' && letter != '\u{7f}';
    (fine && value.chars().all(plain)).then(|| (name.to_ascii_lowercase(), value.to_owned()))
}

fn chunks(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Rest> {
    let mut body = Vec::new();
    loop {
        let Some((line, after)) = until(rest, b"\r\n") else {
            // What cannot become a size any more is none, whether or not its line ends.
            let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let hopeful = match rest.get(digits) {
                None => digits < 16,
                Some(b'\r') => digits > 0 && rest.len() == digits + 1,
                Some(b';') => digits > 0 && !rest.contains(&b'\n'),
                Some(_) => false,
            };
            return Err(if hopeful { Rest::Unfinished } else { Rest::Malformed });
        };
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let fine = !digits.is_empty() && digits.len() < 16 && digits.iter().all(u8::is_ascii_hexdigit);
        let size =
            std::str::from_utf8(digits).ok().filter(|_| fine && !line.contains(&b'\n') && !line.contains(&b'\r'));
        let size = size.and_then(|digits| usize::from_str_radix(digits, 16).ok()).ok_or(Rest::Malformed)?;
        if size == 0 {
            return trailers(after).map(|rest| (body, rest));
        }
        let Some((payload, after)) = after.split_at_checked(size) else { return Err(Rest::Unfinished) };
        body.extend_from_slice(payload);
        rest = match after {
            [b'\r', b'\n', rest @ ..] => rest,
            [] | [b'\r'] => return Err(Rest::Unfinished),
            _ => return Err(Rest::Malformed),
        };
    }
}

fn trailers(mut rest: &[u8]) -> Result<&[u8], Rest> {
    loop {
        let (line, after) = until(rest, b"\r\n").ok_or(Rest::Unfinished)?;
        if line.is_empty() {
            return Ok(after);
        }
        let text: String = line.iter().copied().map(char::from).collect();
        field(&text).ok_or(Rest::Malformed)?;
        rest = after;
    }
}

fn until<'b>(bytes: &'b [u8], end: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    Some((&bytes[..at], &bytes[at + end.len()..]))
}

/// A backend that reads what it is sent as strictly as this, answers each request with 200, and keeps them all.
pub mod backend {
    use super::{Request, Rest, requests};
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    /// What has arrived.
    #[derive(Debug, Default)]
    struct Seen {
        requests: Vec<Request>,
        malformed: Vec<Vec<u8>>,
    }

    /// The backend.
    #[derive(Debug)]
    pub struct Strict {
        /// Where it listens.
        pub address: SocketAddr,
        seen: Arc<Mutex<Seen>>,
    }

    impl Strict {
        /// Listens, for as long as the test lives.
        #[must_use]
        pub fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("an address");
            let seen = Arc::<Mutex<Seen>>::default();
            let shared = Arc::clone(&seen);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let seen = Arc::clone(&shared);
                    std::thread::spawn(move || serve(stream, &seen));
                }
            });
            Self { address, seen }
        }

        /// The whole requests since this was last asked, in order of their arrival.
        #[must_use]
        pub fn take(&self) -> Vec<Request> {
            std::mem::take(&mut self.seen.lock().expect("no panic").requests)
        }

        /// Fails if anything has arrived that is no request.
        pub fn has_understood_everything(&self) {
            let seen = self.seen.lock().expect("no panic");
            let shown: Vec<_> = seen.malformed.iter().map(|bytes| bytes.escape_ascii().to_string()).collect();
            assert!(shown.is_empty(), "no requests: {shown:#?}");
        }
    }

    fn serve(mut stream: TcpStream, seen: &Mutex<Seen>) {
        let (mut bytes, mut piece, mut known) = (Vec::new(), [0; 4096], 0);
        while let Ok(read @ 1..) = stream.read(&mut piece) {
            bytes.extend_from_slice(&piece[..read]);
            let (whole, rest) = requests(&bytes);
            let fresh = whole.get(known..).unwrap_or_default();
            seen.lock().expect("no panic").requests.extend_from_slice(fresh);
            for _ in fresh {
                // A proxy that has gone does not matter.
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
            known = whole.len();
            if rest == Rest::Malformed {
                return seen.lock().expect("no panic").malformed.push(bytes);
            }
        }
    }
}
