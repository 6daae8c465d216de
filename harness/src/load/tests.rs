//! Known truths about the generator, against real sockets. Each server is a few lines that do one thing.

use super::wire::*;
use super::work;
use crate::clock::now;
use bytes::BytesMut;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Serves each connection on a thread of its own; the threads end with their peers.
fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Answers every request with the same bytes.
fn answering(bytes: &'static str) -> SocketAddr {
    server(move |mut stream| {
        while request(&mut stream) {
            if stream.write_all(bytes.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// Reads one request without a body. False: the peer has closed.
fn request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-squall-instance: cart/2\r\n\r\nok";

struct Load {
    flow: FlowPlan,
}

fn load(to: SocketAddr, rate: f64, millis: u64) -> Load {
    Load {
        flow: FlowPlan {
            name: "load".to_owned(),
            to: vec![to],
            authority: "cart".to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body_bytes: 0,
            accept: vec![(200, 399)],
            time_out: Duration::from_millis(500),
            connections: Connections::UpTo(64),
            drop_after: Duration::from_millis(100),
            schedule: vec![Segment { from: 0, to: millis * 1_000_000, rate }],
        },
    }
}

impl Load {
    fn connections(mut self, connections: Connections) -> Self {
        self.flow.connections = connections;
        self
    }

    /// Runs to its end; gives the announced plan and every sample.
    fn run(self) -> (Ready, Vec<Sample>) {
        let plan = Plan { flows: vec![self.flow], instances: vec!["cart/1".into(), "cart/2".into()], seed: 7 };
        let (input, mut orders) = tokio::io::duplex(1 << 16);
        let output = Shared::default();
        let seen = output.clone();
        let script = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                use tokio::io::AsyncWriteExt;
                let line = |value: String| format!("{value}\n").into_bytes();
                orders.write_all(&line(serde_json::to_string(&plan).unwrap())).await.unwrap();
                orders
                    .write_all(&line(serde_json::to_string(&Go { at: now().0 + 50_000_000 }).unwrap()))
                    .await
                    .unwrap();
                // The worker takes a closed input for an order to stop.
                while !seen.is_done() {
                    tokio::task::yield_now().await;
                    std::thread::park_timeout(Duration::from_millis(5));
                }
            });
        });
        work(input, output.clone()).unwrap();
        script.join().unwrap();
        output.read()
    }
}

/// What the worker has written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn frames(&self) -> Option<(Ready, Vec<Frame>)> {
        let bytes = self.0.lock().unwrap();
        let line = bytes.iter().position(|byte| *byte == b'\n')?;
        let ready = serde_json::from_slice(&bytes[..line]).unwrap();
        let mut buf = BytesMut::from(&bytes[line + 1..]);
        let frames = std::iter::from_fn(|| Frame::decode(&mut buf).unwrap()).collect();
        Some((ready, frames))
    }

    fn is_done(&self) -> bool {
        self.frames().is_some_and(|(_, frames)| frames.contains(&Frame::Done))
    }

    fn read(&self) -> (Ready, Vec<Sample>) {
        let (ready, frames) = self.frames().unwrap();
        assert_eq!(frames.last(), Some(&Frame::Done));
        let sample = |frame: &Frame| if let Frame::Sample(sample) = frame { Some(*sample) } else { None };
        (ready, frames.iter().filter_map(sample).collect())
    }
}

#[test]
fn planned_is_the_sum_of_what_ended() {
    let (ready, samples) = load(answering(OK), 400.0, 500).run();
    assert_eq!(ready.planned, 200);
    assert_eq!(samples.len(), 200);
    let mut ids: Vec<_> = samples.iter().map(|sample| sample.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..200).collect::<Vec<_>>());
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable && sample.status == 200));
    assert!(samples.iter().all(|sample| sample.instance == Some(1)));
    for sample in &samples {
        let (sent, first) = (sample.sent.unwrap(), sample.first_byte.unwrap());
        assert!(sample.due <= sample.released && sample.released <= sent && sent <= first && first <= sample.done);
    }
}

#[test]
fn each_way_to_end_has_its_word() {
    let closing = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    });
    let resetting = server(|mut stream| {
        request(&mut stream);
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    });
    let silent = server(|mut stream| {
        request(&mut stream);
        request(&mut stream);
    });
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (to, end) in [
        (answering("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"), End::Status),
        (answering("HTTP/1.1 200 OK\r\nx-squall-degraded: 1\r\ncontent-length: 0\r\n\r\n"), End::Degraded),
        (answering("nonsense\r\n\r\n"), End::Malformed),
        (closing, End::Closed),
        (resetting, End::Reset),
        (silent, End::TimeOut),
        (nobody, End::Refused),
    ] {
        let (_, samples) = load(to, 50.0, 100).run();
        assert_eq!(samples.len(), 5, "{end:?}");
        assert!(samples.iter().all(|sample| sample.end == end), "{end:?}: {samples:?}");
    }
}

#[test]
fn without_a_free_connection_a_request_is_dropped_and_counted() {
    let slow = server(|mut stream| {
        while request(&mut stream) {
            std::thread::park_timeout(Duration::from_millis(150));
            let _ = stream.write_all(OK.as_bytes());
        }
    });
    let (_, samples) = load(slow, 100.0, 500).connections(Connections::Fixed(2)).run();
    let dropped = samples.iter().filter(|sample| sample.end == End::Dropped).count();
    assert_eq!(samples.len(), 50);
    assert!(dropped > 25, "{dropped}");
    assert!(samples.iter().all(|sample| (sample.end == End::Dropped) == sample.sent.is_none()));
}

#[test]
fn a_fixed_service_time_is_measured_as_such() {
    let fixed = server(|mut stream| {
        while request(&mut stream) {
            let timer = now();
            while now().since(timer) < Duration::from_millis(20) {
                std::thread::park_timeout(Duration::from_millis(20).saturating_sub(now().since(timer)));
            }
            let _ = stream.write_all(OK.as_bytes());
        }
    });
    let (_, samples) = load(fixed, 50.0, 1000).run();
    let mut service: Vec<_> = samples.iter().map(|sample| sample.done - sample.sent.unwrap()).collect();
    service.sort_unstable();
    let median = service[service.len() / 2] as f64 / 1e6;
    assert!((20.0..21.5).contains(&median), "{median} ms");
}

#[test]
fn one_connection_a_request_and_a_server_that_closes_lose_nothing() {
    let once = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end");
    });
    for connections in [Connections::Each, Connections::Fixed(8), Connections::UpTo(8)] {
        let (_, samples) = load(once, 100.0, 300).connections(connections).run();
        assert!(samples.iter().all(|sample| sample.end == End::Acceptable), "{connections:?}: {samples:?}");
    }
}
