//! What a connection is, found out from its first bytes.

use super::Transport;
use crate::policy::Inspection;
use bytes::{Buf, BytesMut};
use rustls::server::Acceptor;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// Most bytes that are looked at.
const MOST: usize = 64 * 1024;

/// Longest first line that may still be a request's.
const LINE: usize = 8 * 1024;

/// The first words of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What has been found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inspected {
    /// What a TLS client asked for.
    pub tls: Option<Hello>,
    /// What plain bytes are: `http/1.1`, `http/1.0`, `h2c`.
    pub http: Option<&'static str>,
    /// Client and destination by a PROXY header.
    pub proxied: Option<(SocketAddr, SocketAddr)>,
}

/// What a TLS client asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// Server name, in lower case.
    pub server_name: Option<String>,
    /// ALPN, in the client's order.
    pub protocols: Vec<String>,
}

/// The connection is over, or is not what was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotThis;

/// Looks at the first bytes for as long as they can still be something else. They are put back.
pub(crate) async fn inspect(
    transport: &mut Transport,
    wanted: Inspection,
    seen: &mut BytesMut,
) -> Result<Inspected, NotThis> {
    let mut found = Inspected::default();
    if wanted.proxy_protocol {
        loop {
            match proxy_header(seen) {
                Verdict::Is((addresses, length)) => {
                    seen.advance(length);
                    found.proxied = addresses;
                    break;
                }
                Verdict::MayBe => more(transport, seen).await?,
                Verdict::IsNot => return Err(NotThis),
            }
        }
    }
    if wanted.tls {
        loop {
            match hello(seen) {
                Verdict::Is(hello) => {
                    found.tls = Some(hello);
                    return Ok(found);
                }
                Verdict::MayBe => more(transport, seen).await?,
                Verdict::IsNot => break,
            }
        }
    }
    loop {
        match words(seen) {
            _ if !wanted.http => break,
            Verdict::Is(protocol) => {
                found.http = Some(protocol);
                break;
            }
            Verdict::MayBe => {
                if more(transport, seen).await.is_err() {
                    break;
                }
            }
            Verdict::IsNot => break,
        }
    }
    Ok(found)
}

/// True if a client begins with the first words of HTTP/2; known as soon as any byte is another. What was read is put back.
pub(crate) async fn begins_http2(transport: &mut Transport, patience: Duration) -> Result<bool, NotThis> {
    let mut seen = BytesMut::with_capacity(1024);
    more(transport, &mut seen).await?;
    // Who has begun may not take for ever.
    let told = tokio::time::timeout(patience, async {
        loop {
            let common = PREFACE.len().min(seen.len());
            if seen[..common] != PREFACE[..common] {
                return Ok(false);
            }
            if common == PREFACE.len() {
                return Ok(true);
            }
            more(transport, &mut seen).await?;
        }
    });
    let told = told.await.unwrap_or(Ok(false));
    transport.put_back(seen);
    told
}

async fn more(transport: &mut Transport, seen: &mut BytesMut) -> Result<(), NotThis> {
    if seen.len() >= MOST {
        return Err(NotThis);
    }
    match transport.read_buf(seen).await {
        Ok(0) | Err(_) => Err(NotThis),
        Ok(_) => Ok(()),
    }
}

/// What bytes are so far.
enum Verdict<T> {
    Is(T),
    MayBe,
    IsNot,
}

/// A TLS client hello. A record that cannot be one is not TLS.
fn hello(seen: &[u8]) -> Verdict<Hello> {
    match seen {
        [] => return Verdict::MayBe,
        [0x16] | [0x16, 0x03, ..] => {}
        _ => return Verdict::IsNot,
    }
    let mut acceptor = Acceptor::default();
    let mut rest = seen;
    while !rest.is_empty() {
        if acceptor.read_tls(&mut rest).is_err() {
            return Verdict::IsNot;
        }
    }
    match acceptor.accept() {
        Ok(Some(accepted)) => {
            let hello = accepted.client_hello();
            let protocols = hello.alpn().into_iter().flatten();
            Verdict::Is(Hello {
                server_name: hello.server_name().map(str::to_ascii_lowercase),
                protocols: protocols.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
            })
        }
        Ok(None) => Verdict::MayBe,
        Err(_) => Verdict::IsNot,
    }
}

/// The first words of HTTP: the preface of HTTP/2, or the whole first line of a request.
fn words(seen: &[u8]) -> Verdict<&'static str> {
    let common = PREFACE.len().min(seen.len());
    if seen[..common] == PREFACE[..common] {
        return if common == PREFACE.len() { Verdict::Is("h2c") } else { Verdict::MayBe };
    }
    let Some(end) = memchr::memchr(b'\n', seen) else {
        let method = seen.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b'-').count();
        let begun = method > 0 && seen.get(method).is_none_or(|next| *next == b' ');
        return if begun && seen.len() < LINE { Verdict::MayBe } else { Verdict::IsNot };
    };
    let line = seen[..end].trim_ascii_end();
    if line.ends_with(b" HTTP/1.1") {
        Verdict::Is("http/1.1")
    } else if line.ends_with(b" HTTP/1.0") {
        Verdict::Is("http/1.0")
    } else {
        Verdict::IsNot
    }
}

type Addresses = Option<(SocketAddr, SocketAddr)>;

/// A header of the PROXY protocol, version 1 or 2: who the client is, and where it was going.
fn proxy_header(seen: &[u8]) -> Verdict<(Addresses, usize)> {
    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    let common = V2.len().min(seen.len());
    if seen[..common] == V2[..common] {
        return binary_header(seen);
    }
    let common = 6.min(seen.len());
    if seen[..common] != b"PROXY "[..common] {
        return Verdict::IsNot;
    }
    let Some(end) = seen.windows(2).take(107).position(|pair| pair == b"\r\n") else {
        return if seen.len() < 108 { Verdict::MayBe } else { Verdict::IsNot };
    };
    let Ok(line) = std::str::from_utf8(&seen[6..end]) else { return Verdict::IsNot };
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["UNKNOWN", ..] => Verdict::Is((None, end + 2)),
        ["TCP4" | "TCP6", client, destination, client_port, destination_port] => {
            let address = |host: &str, port: &str| Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?));
            match (address(client, client_port), address(destination, destination_port)) {
                (Some(client), Some(destination)) => Verdict::Is((Some((client, destination)), end + 2)),
                _ => Verdict::IsNot,
            }
        }
        _ => Verdict::IsNot,
    }
}

fn binary_header(seen: &[u8]) -> Verdict<(Addresses, usize)> {
    let [.., command, family, high, low] = seen.get(..16).unwrap_or_default() else { return Verdict::MayBe };
    let length = 16 + usize::from(u16::from_be_bytes([*high, *low]));
    if command >> 4 != 2 {
        return Verdict::IsNot;
    }
    if seen.len() < length {
        return Verdict::MayBe;
    }
    let body = &seen[16..length];
    let port = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let v4 = |at: usize| Some(<[u8; 4]>::try_from(body.get(at..at + 4)?).ok()?.into());
    let v6 = |at: usize| Some(<[u8; 16]>::try_from(body.get(at..at + 16)?).ok()?.into());
    let pair = |client: Option<std::net::IpAddr>, destination: Option<std::net::IpAddr>, ports: usize| {
        Some((SocketAddr::new(client?, port(ports)?), SocketAddr::new(destination?, port(ports + 2)?)))
    };
    let addresses = match (command & 0x0f, family) {
        (1, 0x11) => pair(v4(0), v4(4), 8),
        (1, 0x21) => pair(v6(0), v6(16), 32),
        _ => return Verdict::Is((None, length)),
    };
    match addresses {
        Some(addresses) => Verdict::Is((Some(addresses), length)),
        None => Verdict::IsNot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> &'static str {
        match words(bytes) {
            Verdict::Is(protocol) => protocol,
            Verdict::MayBe => "may be",
            Verdict::IsNot => "is not",
        }
    }

    #[test]
    fn http_is_known_by_its_first_line_however_it_is_cut() {
        for (whole, protocol) in [
            (&b"GET /a HTTP/1.1\r\nhost: a\r\n"[..], "http/1.1"),
            (b"POST / HTTP/1.0\r\n", "http/1.0"),
            (PREFACE, "h2c"),
            (b"M-SEARCH * HTTP/1.1\r\n", "http/1.1"),
        ] {
            let end = if protocol == "h2c" { whole.len() } else { memchr::memchr(b'\n', whole).unwrap() + 1 };
            for cut in 0..end {
                assert_eq!(told(&whole[..cut]), "may be", "{}", whole[..cut].escape_ascii());
            }
            assert_eq!(told(&whole[..end]), protocol);
        }
    }

    #[test]
    fn other_bytes_are_known_not_to_be_http_at_once_or_at_their_first_line() {
        for bytes in [&b"\x16\x03\x01"[..], b"*1\r\n$4\r\nPING\r\n", b"HELO there\r\n", b"\0\0"] {
            assert_eq!(told(bytes), "is not", "{}", bytes.escape_ascii());
        }
        assert_eq!(told(&[b'A'; LINE]), "is not");
    }

    fn client(bytes: &[u8]) -> Option<(String, usize)> {
        match proxy_header(bytes) {
            Verdict::Is((addresses, length)) => Some((addresses?.0.to_string(), length)),
            _ => None,
        }
    }

    #[test]
    fn a_proxy_header_names_the_client_in_either_version() {
        let line = b"PROXY TCP4 10.0.0.1 10.0.0.2 1000 80\r\nGET /";
        assert_eq!(client(line), Some(("10.0.0.1:1000".to_owned(), 38)));
        let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        binary.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x03, 0xe8, 0, 80]);
        assert_eq!(client(&binary), Some(("10.0.0.1:1000".to_owned(), 28)));
        for cut in 0..binary.len() {
            assert!(matches!(proxy_header(&binary[..cut]), Verdict::MayBe), "{cut}");
        }
        assert!(matches!(proxy_header(b"GET / HTTP/1.1\r\n"), Verdict::IsNot));
        assert!(matches!(proxy_header(b"PROXY TCP4 nonsense\r\n"), Verdict::IsNot));
    }

    #[test]
    fn plain_bytes_are_no_client_hello() {
        assert!(matches!(hello(b""), Verdict::MayBe));
        assert!(matches!(hello(b"\x16\x03\x01"), Verdict::MayBe));
        assert!(matches!(hello(b"GET / HTTP/1.1"), Verdict::IsNot));
        assert!(matches!(hello(b"\x16\x03\x01\0\x05nonsense"), Verdict::IsNot));
    }
}
