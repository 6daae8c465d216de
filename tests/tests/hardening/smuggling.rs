//! HTTP/1 connections as nobody should write them. The rule is always the same: a backend sees the requests that a strict reader sees in
//! what the client sent, with the same bodies, and never anything else.

use proptest::prelude::*;
use squall_tests::http::Connection;
use squall_tests::proxy::Proxy;
use squall_tests::repository;
use squall_tests::strict::backend::Strict;
use squall_tests::strict::{Request, Rest, requests};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

/// An answer that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(5);

struct Road {
    proxy: Proxy,
    backend: Strict,
}

impl Road {
    fn new() -> Self {
        let backend = Strict::start();
        Self { proxy: Proxy::with_endpoints("", &[(backend.address, "v1", true)]), backend }
    }

    /// Sends bytes on a connection of their own, and compares what arrived with what a strict reader sees.
    fn hold(&self, bytes: &[u8]) -> Result<(), String> {
        let (expected, rest) = requests(bytes);
        let answers = answers(self.proxy.listen, bytes, expected.len(), rest);
        let arrived = self.backend.take();
        let essence = |request: &Request| (request.method.clone(), request.body.clone());
        // One that nobody is there for is answered here, and those behind it go on.
        let forwarded = expected.iter().zip(&answers).filter(|(_, status)| **status == 200);
        let forwarded: Vec<_> = forwarded.map(|(request, _)| essence(request)).collect();
        let arrived: Vec<_> = arrived.iter().map(essence).collect();
        let shown = bytes.escape_ascii();
        self.backend.has_understood_everything();
        if forwarded != arrived {
            return Err(format!("{shown}\narrived: {arrived:?}\nanswers: {answers:?}\nstrictly: {expected:?}"));
        }
        let refused = answers.iter().any(|status| *status >= 400);
        if answers.len() < expected.len() && !refused {
            return Err(format!("{shown}\nno answer to request {}: {answers:?}", answers.len() + 1));
        }
        if rest == Rest::Malformed && !refused {
            return Err(format!("{shown}\nnot refused: {answers:?}"));
        }
        Ok(())
    }
}

/// The statuses of answers: as many as there are requests, or to the end of the connection if one is to be refused.
fn answers(listen: SocketAddr, bytes: &[u8], number: usize, rest: Rest) -> Vec<u16> {
    let mut connection = Connection::to(listen).expect("a connection");
    connection.socket().set_read_timeout(Some(PATIENCE)).expect("a socket");
    // Whoever refuses may close amid it.
    let _ = connection.send(bytes);
    let mut answers = Vec::new();
    while answers.len() < number || rest == Rest::Malformed {
        let Ok(Some(answer)) = connection.answer() else { break };
        answers.push(answer.status());
    }
    let _ = connection.socket().shutdown(Shutdown::Both);
    answers
}

/// Bytes as a corpus has them: escapes are read, line ends are not.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = text.chars().filter(|letter| *letter != '\n');
    while let Some(letter) = letters.next() {
        let byte = match letter {
            '\\' => match letters.next() {
                Some('r') => b'\r',
                Some('n') => b'\n',
                Some('t') => b'\t',
                Some('x') => {
                    let digits: String = letters.by_ref().take(2).collect();
                    u8::from_str_radix(&digits, 16).expect("two digits")
                }
                other => other.map_or(b'\\', |letter| letter as u8),
            },
            letter => letter as u8,
        };
        bytes.push(byte);
    }
    bytes
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = repository().join("tests/corpus/http1");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("a corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("text");
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), unescaped(&text))
    };
    files.iter().map(read).collect()
}

#[test]
fn every_connection_of_the_corpus_is_read_by_the_backend_as_by_a_strict_reader() {
    let road = Road::new();
    let corpus = corpus();
    assert!(corpus.len() > 40, "{} connections", corpus.len());
    let mut wrong = Vec::new();
    for (name, bytes) in corpus {
        let (whole, rest) = requests(&bytes);
        // A name says what a strict reader makes of it.
        let told = match rest {
            Rest::Malformed => "refused",
            Rest::Nothing | Rest::Unfinished => "fine",
        };
        if !name.starts_with(told) {
            wrong.push(format!("{name}: {} requests, then {rest:?}", whole.len()));
        }
        wrong.extend(road.hold(&bytes).err().map(|error| format!("{name}: {error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn connections_of_the_corpus_with_bytes_changed_are_read_by_the_backend_as_by_a_strict_reader() {
    let road = Road::new();
    let seeds: Vec<_> = corpus().into_iter().map(|(_, bytes)| bytes).collect();
    let edit = (any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(PIECES));
    let changed = (prop::sample::select(seeds), prop::collection::vec(edit, 1..4));
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((mut bytes, edits) in changed)| {
        for (at, how, piece) in edits {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.truncate(at.max(1)),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes[at] = piece.as_bytes()[0],
                _ => drop(bytes.splice(at..at, piece.bytes())),
            }
        }
        prop_assert_eq!(road.hold(&bytes), Ok(()));
    });
}

/// What is put in between.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    ":",
    ";",
    ",",
    "0",
    "1",
    "a",
    "f",
    "+",
    "-",
    "\x7f",
    "\r\n\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "Content-Length: 5\r\n",
    "content-length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding: identity\r\n",
    "Host: cart\r\n",
    "GET / HTTP/1.1\r\nHost: cart\r\n\r\n",
    " HTTP/1.1",
    "X-A: b\r\n",
];

fn line() -> impl Strategy<Value = String> {
    let lines = [
        "x-a: b",
        "X-B:c",
        "x-c: \t d ",
        "content-length: 5",
        "content-length: 0",
        "Content-Length: 005",
        "content-length: +5",
        "content-length: 5, 5",
        "content-length: 18446744073709551621",
        "transfer-encoding: chunked",
        "Transfer-Encoding: Chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding : chunked",
        "transfer-encoding: xchunked",
        "x d: e",
        ": f",
        "nothing",
        " folded: g",
        "x-e: h\ri",
        "connection: keep-alive",
        "connection: x-a",
    ];
    // Most heads are to get through.
    prop_oneof![6 => Just("x-plain: 1".to_owned()), 5 => prop::sample::select(lines.to_vec()).prop_map(str::to_owned)]
}

fn body() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "hello",
        "5\r\nhello\r\n0\r\n\r\n",
        "5;a=b\r\nhello\r\n0\r\nx-t: u\r\n\r\n",
        "05\r\nhello\r\n00\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nbad trailer: v\r\n\r\n",
    ])
}

fn message() -> impl Strategy<Value = String> {
    let method = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]);
    (method, prop::collection::vec(line(), 0..4), body(), any::<bool>()).prop_map(|(method, lines, body, honest)| {
        let mut head = format!("{method} /x HTTP/1.1\r\nhost: cart\r\n");
        lines.iter().for_each(|line| head.extend([line.as_str(), "\r\n"]));
        if honest && body == "hello" {
            head.push_str("content-length: 5\r\n");
        } else if honest && !body.is_empty() {
            head.push_str("transfer-encoding: chunked\r\n");
        }
        head + "\r\n" + body
    })
}

#[test]
fn connections_made_of_any_heads_and_bodies_are_read_by_the_backend_as_by_a_strict_reader() {
    let road = Road::new();
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(messages in prop::collection::vec(message(), 1..4))| {
        prop_assert_eq!(road.hold(messages.concat().as_bytes()), Ok(()));
    });
}
