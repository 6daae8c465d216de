//! Known truths about the generator, against real sockets. Each server is a few lines that do one thing.

mod journeys;
mod protocols;

use super::schedule::Schedule;
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

/// Reads one request without a body; the next one comes only after its answer. False: the peer has closed.
fn request(stream: &mut TcpStream) -> bool {
    let (mut head, mut read) = ([0; 1024], 0);
    while !head[..read].ends_with(b"\r\n\r\n") {
        match stream.read(&mut head[read..]) {
            Ok(0) | Err(_) => return false,
            Ok(more) => read += more,
        }
    }
    true
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-squall-instance: cart/2\r\n\r\nok";

struct Load {
    flow: FlowPlan,
    /// Flows behind it.
    steps: Vec<FlowPlan>,
}

fn load(to: SocketAddr, rate: f64, millis: u64) -> Load {
    Load {
        flow: FlowPlan {
            time_out: Duration::from_millis(500),
            pace: Pace::Open(Schedule::constant(rate, millis * 1_000_000)),
            ..FlowPlan::new("load", vec![to], "cart")
        },
        steps: Vec::new(),
    }
}

impl Load {
    fn connections(mut self, connections: Connections) -> Self {
        self.flow.connections = connections;
        self
    }

    /// Runs to its end; gives the announced plan and every sample.
    fn run(self) -> (Ready, Vec<Sample>) {
        let plan = Plan {
            flows: [self.flow].into_iter().chain(self.steps).collect(),
            instances: vec!["cart/1".into(), "cart/2".into()],
            seed: 7,
            tells: Tells::Samples,
        };
        let (input, mut orders) = tokio::io::duplex(1 << 16);
        let output = Shared::default();
        let seen = output.clone();
        let script = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                use tokio::io::AsyncWriteExt;
                let line = |value: String| format!("{value}\n").into_bytes();
                orders.write_all(&line(serde_json::to_string(&plan).unwrap())).await.unwrap();
                while seen.frames().is_none() {
                    std::thread::park_timeout(Duration::from_millis(5));
                }
                orders
                    .write_all(&line(serde_json::to_string(&Go { at: now().0 + 50_000_000 }).unwrap()))
                    .await
                    .unwrap();
                // The worker takes a closed input for an order to stop.
                while !seen.is_done() {
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
        });
        crate::clock::precise_thread().unwrap();
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
        let mut last = Vec::new();
        Frame::Done.encode(&mut last);
        self.0.lock().unwrap().ends_with(&last)
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
    // Bound, so that nobody else gets the port, and not listening.
    let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let nobody = bound.local_addr().unwrap().as_socket().unwrap();
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

/// Waits exactly so long, not merely at least.
fn wait_until(due: crate::clock::Nanos) {
    while now() < due {
        std::thread::park_timeout(due.since(now()));
    }
}

/// Microseconds at a quantile, by nearest rank.
fn quantile(values: &[u64], quantile: f64) -> f64 {
    values[(values.len() as f64 * quantile).ceil() as usize - 1] as f64 / 1e3
}

/// How long a machine may be too busy for anything to be measured on it.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs again, as a run does, where the generator itself released later than `tolerance` at the quantile that is to be judged: that
/// lateness would be taken for the server's.
fn by_a_punctual_generator(at: f64, tolerance: Duration, run: impl Fn() -> Vec<Sample>) -> Vec<Sample> {
    let (begin, mut late) = (now(), Vec::new());
    while now().since(begin) < PATIENCE {
        let samples = run();
        let mut lag: Vec<_> = samples.iter().map(|sample| sample.released - sample.due).collect();
        lag.sort_unstable();
        late.push(quantile(&lag, at));
        if late.last().is_some_and(|late| *late < tolerance.as_micros() as f64) {
            return samples;
        }
    }
    panic!("this machine is too busy to release requests in time: by try, the quantile {at} is {late:?} us late");
}

#[test]
fn a_fixed_service_time_is_measured_as_such() {
    let fixed = server(|mut stream| {
        while request(&mut stream) {
            wait_until(now().after(Duration::from_millis(50)));
            let _ = stream.write_all(OK.as_bytes());
        }
    });
    let samples = by_a_punctual_generator(0.5, Duration::from_millis(1), || load(fixed, 50.0, 1000).run().1);
    let mut service: Vec<_> = samples.iter().map(|sample| sample.done - sample.sent.unwrap()).collect();
    service.sort_unstable();
    let median = quantile(&service, 0.5);
    assert!((50_000.0..51_500.0).contains(&median), "{median} us");
}

/// Coordinated omission would show it as 20 % of requests at most 200 ms late on each connection, and hide the rest.
#[test]
fn a_server_that_stalls_200_ms_each_second_at_1000_a_second_has_the_percentiles_of_a_stall() {
    const STALL: u64 = 200_000_000;
    let stalling = server(|mut stream| {
        while request(&mut stream) {
            let since_second = now().0 % 1_000_000_000;
            if since_second < STALL {
                wait_until(crate::clock::Nanos(now().0 - since_second + STALL));
            }
            if stream.write_all(OK.as_bytes()).is_err() {
                return;
            }
        }
    });
    let samples = by_a_punctual_generator(0.99, Duration::from_millis(5), || {
        let mut load = load(stalling, 1000.0, 3000).connections(Connections::UpTo(300));
        load.flow.drop_after = Duration::from_millis(500);
        load.run().1
    });
    assert!(samples.iter().all(|sample| sample.end == End::Acceptable));
    let mut response: Vec<_> = samples.iter().map(|sample| sample.done - sample.due).collect();
    response.sort_unstable();
    let mean = response.iter().sum::<u64>() as f64 / response.len() as f64 / 1e3;
    let seen = [quantile(&response, 0.90), quantile(&response, 0.95), quantile(&response, 0.99), mean];
    for (seen, truth) in seen.iter().zip([100_000.0, 150_000.0, 190_000.0, 20_000.0]) {
        assert!(
            (seen - truth).abs() <= truth * 0.05 + 2_000.0,
            "{seen} us where {truth} us is true; p90, p95, p99, mean: {seen:?}"
        );
    }
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

#[test]
fn a_slow_client_sends_no_faster_than_its_speed_and_all_of_its_request() {
    let lengths = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&lengths);
    let counting = server(move |mut stream| {
        let mut length = 0;
        let mut bytes = [0; 64];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\nbody") {
            let Ok(read @ 1..) = stream.read(&mut bytes) else { return };
            head.extend_from_slice(&bytes[..read]);
            length += read;
        }
        noted.lock().unwrap().push(length);
        let _ = stream.write_all(OK.as_bytes());
    });
    let mut slow = load(counting, 20.0, 100).connections(Connections::Each);
    (slow.flow.speed, slow.flow.body) = (Some(2_000), Body::Text("body".to_owned()));
    let (_, samples) = slow.run();
    let lengths = lengths.lock().unwrap();
    assert_eq!((samples.len(), lengths.len()), (2, 2), "{samples:?}");
    for sample in &samples {
        assert_eq!(sample.end, End::Acceptable);
        let took = Duration::from_nanos(sample.first_byte.unwrap() - sample.sent.unwrap());
        // The first piece goes at once.
        let least = Duration::from_secs_f64((lengths[0] - 2 * 40) as f64 / 2_000.0);
        assert!(took >= least, "{took:?} for {} bytes at 2000 B/s", lengths[0]);
    }
}

#[test]
fn a_slow_client_hears_an_answer_that_does_not_wait_for_its_request() {
    let impatient = server(|mut stream| {
        let _ = stream.read(&mut [0; 8]);
        let _ = stream.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Closed only once the client has: what it still sends would reset the answer.
        while matches!(stream.read(&mut [0; 64]), Ok(1..)) {}
    });
    let mut slow = load(impatient, 20.0, 100).connections(Connections::Each);
    slow.flow.speed = Some(10);
    let (_, samples) = slow.run();
    assert!(samples.iter().all(|sample| (sample.end, sample.status) == (End::Status, 408)), "{samples:?}");
}
