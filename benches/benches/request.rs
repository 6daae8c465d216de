//! What a request costs end to end: processor time and latency of the proxy and of the idle relay, beside a direct request.
//!
//! Closed loop on kept-open connections, the ways interleaved in rounds, medians of the rounds. Only what was measured in one run is compared.

use squall::process::proc;
use squall_benches::{Round, row};
use squall_tests::binary;
use squall_tests::proxy::{Proxy, rule};
use squall_tests::relay::Relays;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 8;
const REQUESTS: usize = 4_000;

/// The policies of a route with everything switched on.
const EVERYTHING: &str = "{outlierDetection: {consecutive5xxErrors: 5, interval: 1s, baseEjectionTime: 30s, maxEjectionPercent: 100}, connectionPool: {tcp: {maxConnections: 1000}, http: {http1MaxPendingRequests: 1000}}}";

/// One way from a client to the service.
struct Way {
    name: &'static str,
    to: SocketAddr,
    /// The process in between.
    process: Option<u32>,
    rounds: Vec<Round>,
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (service, address) = service();
    let relays = Relays::to(&[address], false, 1);
    let proxy = Proxy::with_endpoints(&rule(EVERYTHING), &[(address, "v1", true)]);
    let through_both = Proxy::with_endpoints(&rule(EVERYTHING), &[(relays.listen[0], "v1", true)]);
    let way = |name, to, process| Way { name, to, process, rounds: Vec::new() };
    let mut ways = [
        way("direct", address, None),
        way("relay, idle", relays.listen[0], Some(relays.id())),
        way("proxy", proxy.listen, Some(proxy.id())),
        way("proxy, then relay", through_both.listen, Some(through_both.id())),
    ];
    for _ in 0..ROUNDS {
        for way in &mut ways {
            let round = round(way);
            way.rounds.push(round);
        }
    }
    drop(service);
    println!("{} requests a round on {CONNECTIONS} connections, medians of {ROUNDS} rounds\n", REQUESTS * CONNECTIONS);
    println!("| way | CPU a request | p50 | p99 | requests a second |\n|---|---|---|---|---|");
    for way in &ways {
        println!("{}", row(way.name, way.process.is_some(), &way.rounds));
    }
}

/// A service that answers 1 KB at once.
fn service() -> (Killed, SocketAddr) {
    let mut child = Command::new(binary())
        .args(["service", "--port", "0", "--name", "cart/1", "--seed", "1", "--responds"])
        .arg(r#"{"latency":{"fixed":{"secs":0,"nanos":0}},"body-bytes":1000,"errors-percent":0.0,"cpu":{"secs":0,"nanos":0},"limit":null}"#)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = ready["listen"].as_str().expect("an address").parse().expect("an address");
    (Killed(child), address)
}

/// A child that does not outlive us.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures by the real clock")]
fn round(way: &Way) -> Round {
    let spent = || way.process.and_then(proc::usage).map_or(0, |usage| usage.cpu);
    let (before, begin) = (spent(), Instant::now());
    let threads: Vec<_> =
        (0..CONNECTIONS).map(|_| (way.to, REQUESTS)).map(|(to, n)| thread::spawn(move || ask(to, n))).collect();
    let mut latencies: Vec<f64> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    let (after, took) = (spent(), begin.elapsed());
    latencies.sort_unstable_by(f64::total_cmp);
    let count = latencies.len() as f64;
    let at = |share: f64| latencies[(count * share) as usize];
    Round { cpu: (after - before) as f64 / 1e3 / count, p50: at(0.5), p99: at(0.99), rate: count / took.as_secs_f64() }
}

/// Asks so often on one connection; microseconds of each.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures by the real clock")]
fn ask(to: SocketAddr, number: usize) -> Vec<f64> {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let mut answer = vec![0; 4096];
    (0..number)
        .map(|_| {
            let begin = Instant::now();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: cart\r\ntraceparent: 00-1-1-01\r\n\r\n").expect("sent");
            let mut read = 0;
            // The body is 1,000 bytes, and nothing follows it.
            while answer[..read].windows(4).position(|end| end == b"\r\n\r\n").is_none_or(|head| read < head + 1004) {
                let more = stream.read(&mut answer[read..]).expect("read");
                assert!(more > 0, "the connection was closed");
                read += more;
            }
            begin.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}
