//! HTTP/2 frame by frame, by hand: what no library would send.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a client says first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub mod kind {
    /// A part of a body.
    pub const DATA: u8 = 0;
    /// Fields.
    pub const HEADERS: u8 = 1;
    /// Obsolete, and still to be read.
    pub const PRIORITY: u8 = 2;
    /// A stream is given up.
    pub const RESET: u8 = 3;
    /// Settings.
    pub const SETTINGS: u8 = 4;
    /// Are you there?
    pub const PING: u8 = 6;
    /// The connection ends.
    pub const GO_AWAY: u8 = 7;
    /// Room for more.
    pub const WINDOW: u8 = 8;
    /// More fields.
    pub const CONTINUATION: u8 = 9;
}

/// The message ends here.
pub const END_STREAM: u8 = 1;
/// The answer to a PING or SETTINGS.
pub const ACK: u8 = 1;
/// The fields end here.
pub const END_HEADERS: u8 = 4;

/// The field `:status: 200`, which has a number of its own.
pub const STATUS_200: u8 = 0x88;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// One of [`kind`].
    pub kind: u8,
    /// Of its kind.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// The rest.
    pub payload: Vec<u8>,
}

impl Frame {
    /// One.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        Self { kind, flags, stream, payload: payload.to_vec() }
    }

    /// The next one; none at the end.
    pub fn read(from: &mut impl Read) -> Option<Self> {
        let mut head = [0; 9];
        from.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        from.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & (u32::MAX >> 1);
        Some(Self { kind: head[3], flags: head[4], stream, payload })
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = (self.payload.len() as u32).to_be_bytes();
        let head = [&length[1..], &[self.kind, self.flags], &self.stream.to_be_bytes()].concat();
        [&head, self.payload.as_slice()].concat()
    }

    /// A status, if it is the head of an answer that begins with one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.payload.as_slice() {
            _ if self.kind != kind::HEADERS => None,
            [at @ 0x88..=0x8e, ..] => Some([200, 204, 206, 304, 400, 404, 500][usize::from(at - 0x88)]),
            [0x48 | 0x08 | 0x18, length, rest @ ..] => {
                let value = rest.get(..usize::from(length & 0x7f))?;
                if length & 0x80 == 0 { std::str::from_utf8(value).ok()?.parse().ok() } else { digits(value) }
            }
            _ => None,
        }
    }
}

/// Three digits in Huffman's code: five bits for 0 to 2, six for the others.
fn digits(bytes: &[u8]) -> Option<u16> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let five = bits.by_ref().take(5).fold(0, |sum, bit| sum * 2 + bit);
        number = number * 10 + if five < 3 { five } else { (five * 2 + bits.next()?).checked_sub(0x16)? };
    }
    Some(number)
}

/// Fields, each as a literal that no table remembers.
#[must_use]
pub fn fields(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            length(&mut out, text.len());
            out.extend_from_slice(text);
        }
    }
    out
}

fn length(out: &mut Vec<u8>, mut length: usize) {
    if length < 127 {
        return out.push(length as u8);
    }
    out.push(127);
    length -= 127;
    while length >= 128 {
        out.push((length % 128 + 128) as u8);
        length /= 128;
    }
    out.push(length as u8);
}

/// The fields of a request to the host `cart`, and more behind them.
#[must_use]
pub fn request(method: &str, path: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let own: [(&[u8], &[u8]); 4] =
        [(b":method", method.as_bytes()), (b":scheme", b"http"), (b":path", path.as_bytes()), (b":authority", b"cart")];
    fields(&[&own, more].concat())
}

/// A client's connection.
#[derive(Debug)]
pub struct Frames {
    stream: TcpStream,
}

impl Frames {
    /// Connects, and says what a client says first.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        Self::with_settings(address, &[])
    }

    /// The same with settings: numbers and values.
    #[must_use]
    pub fn with_settings(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut own = Self::bare(TcpStream::connect(address).expect("a connection"));
        own.stream.write_all(PREFACE).expect("sent");
        let settings = settings
            .iter()
            .flat_map(|(number, value)| [number.to_be_bytes().to_vec(), value.to_be_bytes().to_vec()].concat());
        own.send(kind::SETTINGS, 0, 0, &settings.collect::<Vec<_>>()).expect("sent");
        own
    }

    /// A connection on which nothing has been said.
    #[must_use]
    pub fn bare(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { stream }
    }

    /// The socket below.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a frame.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.write(&Frame::new(kind, flags, stream, payload).bytes())
    }

    /// Sends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Begins a request.
    pub fn ask(&mut self, stream: u32, flags: u8, fields: &[u8]) -> io::Result<()> {
        self.send(kind::HEADERS, flags | END_HEADERS, stream, fields)
    }

    /// The next frame; none at the end.
    pub fn read(&mut self) -> Option<Frame> {
        Frame::read(&mut self.stream)
    }

    /// The next frame of a stream that ends or answers it, settings and pings being acknowledged meanwhile; none at the end.
    pub fn next_of(&mut self, stream: u32) -> Option<Frame> {
        loop {
            let frame = self.read()?;
            match frame.kind {
                kind::SETTINGS | kind::PING if frame.flags & ACK == 0 => {
                    let payload = if frame.kind == kind::PING { frame.payload.as_slice() } else { &[] };
                    // Whoever has closed meanwhile shows it at the next read.
                    let _ = self.send(frame.kind, ACK, 0, payload);
                }
                kind::GO_AWAY => return Some(frame),
                _ if frame.stream == stream => return Some(frame),
                _ => {}
            }
        }
    }

    /// Reads to the end: the reason of the last goodbye, if there was one.
    pub fn end(&mut self) -> Option<u32> {
        let mut reason = None;
        while let Some(frame) = self.read() {
            if let (kind::GO_AWAY, Some(code)) = (frame.kind, frame.payload.get(4..8)) {
                reason = code.try_into().ok().map(u32::from_be_bytes);
            }
        }
        reason
    }
}
