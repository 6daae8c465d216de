//! `squall load` beside wrk, oha and h2load against the same server: requests for each second of processor time, closed, over 50
//! connections. And how late requests are released at 5,000/s, beside a bare timer loop just before and just after.
//!
//! Generators run on the first core, in random order, one at a time; nginx on the second. What they spend is what that core has worked;
//! how many requests there were is what the server counts.
//!
//! `cargo bench --profile dist -p squall-benches --bench generators -- [ROUNDS] [closed|pacer|memory|connections]...`; needs nginx, wrk and
//! h2load, and oha where it is in the path

use nix::unistd::Pid;
use rand::seq::SliceRandom;
use squall::clock;
use squall::process::proc;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const GENERATOR_CORE: usize = 0;
const SERVER_CORE: usize = 1;
/// Connections of the closed load, and seconds that it lasts.
const CONNECTIONS: u32 = 50;
const SECONDS: u32 = 4;
/// Of the clock by which the kernel counts, a second.
const TICKS: f64 = 100.0;
/// The rate at which lateness is measured, and the gap that it amounts to.
const RATE: u32 = 5_000;
const GAP: Duration = Duration::from_micros(200);
/// A round in which more than this share of the machine was stolen is made again, so many times at most.
const MOST_STOLEN: f64 = 0.002;
const TRIES: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // `cargo test --benches` only asks whether it runs.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let rounds: usize = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(7);
    let asked: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| argument.parse::<usize>().is_err()).collect();
    let wants = |part: &str| asked.is_empty() || asked.contains(&part);
    let server = Server::start()?;
    if wants("closed") {
        closed(&server, rounds)?;
    }
    if wants("pacer") {
        pacer(&server, rounds)?;
    }
    if wants("memory") {
        memory(&server)?;
    }
    if wants("connections") {
        connections(&server)?;
    }
    Ok(())
}

/// nginx with one worker, and an answer of 1 KiB.
struct Server {
    process: Child,
    to: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let to = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let (path, body) = (folder.path().display(), "x".repeat(1024));
        let text = format!(
            "daemon off; worker_processes 1; worker_rlimit_nofile 40000; pid {path}/pid; error_log {path}/error.log;
events {{ worker_connections 30000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_body_temp_path {path}/body;
  proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/fastcgi; uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;
  server {{
    listen {to} backlog=16384;
    location = /status {{ stub_status; }}
    location / {{ return 200 {body}; }}
  }}
}}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text)?;
        let process = pinned(SERVER_CORE, "nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn()?;
        let server = Self { process, to, _folder: folder };
        let begin = clock::now();
        while TcpStream::connect(to).is_err() {
            if clock::now().since(begin) > Duration::from_secs(10) {
                return Err("nginx takes no connections".into());
            }
            std::thread::yield_now();
        }
        Ok(server)
    }

    fn url(&self) -> String {
        format!("http://{}/", self.to)
    }

    /// Requests that it has answered so far; asking is one of them.
    fn answered(&self) -> Result<u64, Box<dyn Error>> {
        let mut stream = TcpStream::connect(self.to)?;
        stream.write_all(b"GET /status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        // The third number of the line behind the one that names them.
        let line = text.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1);
        Ok(line.and_then(|line| line.split_whitespace().nth(2)).ok_or("no status")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already. Its worker ends with it.
        let _ = nix::sys::signal::kill(Pid::from_raw(self.process.id() as i32), nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// A command held to a core.
fn pinned(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A generator of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generator {
    Squall,
    Wrk,
    Oha,
    H2load,
}

impl Generator {
    const ALL: [Self; 4] = [Self::Squall, Self::Wrk, Self::Oha, Self::H2load];
    const NAMES: [&str; 4] = ["squall load", "wrk", "oha", "h2load"];

    /// Over so many connections, for so long.
    fn command(self, url: &str) -> Command {
        let (connections, seconds) = (CONNECTIONS.to_string(), format!("{SECONDS}s"));
        let squall = squall_tests::binary();
        let program = if self == Self::Squall { &*squall.to_string_lossy() } else { Self::NAMES[self as usize] };
        let mut command = pinned(GENERATOR_CORE, program);
        match self {
            Self::Squall => command
                .args(["load", url, "--closed", "--connections", &connections, "--for", &seconds])
                .args(["--warm-up", "1ms", "--json"]),
            Self::Wrk => command.args(["-t1", "-c", &connections, "-d", &seconds, url]),
            Self::Oha => command.args(["-c", &connections, "-z", &seconds, "--no-tui", url]),
            Self::H2load => command.args(["--h1", "-t1", "-c", &connections, "-D", &SECONDS.to_string(), url]),
        };
        command
    }

    fn is_there(self) -> bool {
        self == Self::Squall
            || Command::new("which").arg(Self::NAMES[self as usize]).output().is_ok_and(|said| said.status.success())
    }
}

/// Processor seconds that the generators' core has worked: nothing else of weight runs there, and a generator may be many processes.
fn spent() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let core = format!("cpu{GENERATOR_CORE} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&core)).ok_or("no such core")?;
    let ticks: Vec<f64> = line.split_whitespace().filter_map(|ticks| ticks.parse().ok()).collect();
    // User, nice, system; then idle and waiting, which are no work; interrupts.
    let worked: f64 = ticks.iter().take(3).chain(ticks.iter().skip(5).take(2)).sum();
    Ok(worked / TICKS)
}

/// Requests for each second of processor time, as fast as each generator goes.
fn closed(server: &Server, rounds: usize) -> Result<(), Box<dyn Error>> {
    let all: Vec<Generator> = Generator::ALL.into_iter().filter(|generator| generator.is_there()).collect();
    let mut table: Vec<Vec<[f64; 2]>> = Vec::new();
    for round in 1..=rounds {
        let mut order = all.clone();
        order.shuffle(&mut rand::rng());
        let mut row = vec![[0.0; 2]; Generator::ALL.len()];
        for generator in order {
            let (before, answered) = (spent()?, server.answered()?);
            let output = generator.command(&server.url()).output()?;
            if !output.status.success() {
                return Err(format!("{generator:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            // Of these the last is our own question.
            let requests = (server.answered()? - answered - 1) as f64;
            row[generator as usize] = [requests / (spent()? - before), requests / f64::from(SECONDS)];
        }
        eprintln!("round {round}: {row:.0?}");
        table.push(row);
    }
    println!("\n{CONNECTIONS} connections, each asks again as soon as it is answered; {rounds} rounds\n");
    println!(
        "| | requests a processor second | requests/s | squall's by it: median (least to most) |\n|---|---|---|---|"
    );
    for generator in all {
        let of = |figure: usize| median(table.iter().map(|row| row[generator as usize][figure]));
        let ratios = table.iter().map(|row| row[Generator::Squall as usize][0] / row[generator as usize][0]);
        let told = if generator == Generator::Squall { "-".to_owned() } else { ratio(ratios) };
        println!("| {} | {:.0} | {:.0} | {told} |", Generator::NAMES[generator as usize], of(0), of(1));
    }
    Ok(())
}

/// How late requests are released at 5,000/s, by how late a bare loop wakes. Neither is held to a core: the load worker is one process of
/// several, and would share it.
fn pacer(server: &Server, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut lags = Vec::new();
    for _ in 0..rounds * TRIES {
        let begin = proc::stolen();
        let before = bare()?;
        let told = load(server, &["--rate", &format!("{RATE}/s"), "--for", "5s"])?;
        let bare = f64::midpoint(before, bare()?);
        let lag = told["pacer-lag"]["p99"].as_f64().ok_or("no lag")? * 1e3;
        let stolen = stolen_since(begin);
        eprintln!("{lag:.0} us, bare {bare:.0} us, {:.1} % of the machine stolen", stolen * 100.0);
        if stolen < MOST_STOLEN {
            lags.push((lag, bare));
        }
        if lags.len() == rounds {
            break;
        }
    }
    if lags.is_empty() {
        return Err("the machine was never left alone".into());
    }
    println!("\nlateness at {RATE}/s, p99, {} rounds in which nothing was stolen\n\n| | us |\n|---|---|", lags.len());
    println!(
        "| squall load | {:.0} |\n| a bare timer loop | {:.0} |",
        median(lags.iter().map(|one| one.0)),
        median(lags.iter().map(|one| one.1))
    );
    println!("\nsquall's by it: {}", ratio(lags.iter().map(|(lag, bare)| lag / bare)));
    Ok(())
}

/// The share of the machine's time that others took since then.
fn stolen_since(begin: Option<(u64, u64)>) -> f64 {
    let Some((before, end)) = begin.zip(proc::stolen()) else { return 0.0 };
    (end.0 - before.0) as f64 / (end.1 - before.1).max(1) as f64
}

/// How late a bare loop wakes at that rate, 99th percentile, microseconds.
fn bare() -> Result<f64, Box<dyn Error>> {
    let measured = std::thread::spawn(|| -> std::io::Result<f64> {
        clock::precise_thread()?;
        clock::shortest_slices()?;
        Ok(clock::bare_timer_lag(RATE * 3, GAP)?.p99.as_secs_f64() * 1e6)
    });
    Ok(measured.join().map_err(|_| "the bare loop has ended")??)
}

/// Resident memory of everything of a load at 5,000/s, minute by minute for ten.
fn memory(server: &Server) -> Result<(), Box<dyn Error>> {
    let squall = squall_tests::binary();
    let url = server.url();
    let mut command = pinned(GENERATOR_CORE, &squall.to_string_lossy());
    let mut child = command.args(["load", &url, "--rate", &format!("{RATE}/s"), "--for", "10m"]).spawn()?;
    println!("\nresident memory at {RATE}/s\n\n| minute | MiB |\n|---|---|");
    let begin = clock::now();
    let mut minute = 0;
    while child.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(100));
        if clock::now().since(begin) >= Duration::from_secs(60 * minute + 30) {
            println!("| {minute}.5 | {:.1} |", resident(child.id()) as f64 / f64::from(1 << 20));
            minute += 1;
        }
    }
    Ok(())
}

/// Resident bytes of a process and all that it has started.
fn resident(pid: u32) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let own = proc::usage(pid).map_or(0, |usage| usage.memory);
    own + children.split_whitespace().filter_map(|child| child.parse().ok()).map(resident).sum::<u64>()
}

/// 10,000 connections that all stay open, at 2,000/s for a minute.
fn connections(server: &Server) -> Result<(), Box<dyn Error>> {
    let told = load(server, &["--rate", "2000/s", "--for", "1m", "--connections", "10000"])?;
    println!("\n10,000 connections at 2,000/s for a minute\n");
    println!(
        "planned {}, sent {}, lost {}, outcomes {}",
        told["planned"], told["sent"], told["lost"], told["outcomes"]
    );
    println!(
        "response p50 {} ms, p99 {} ms; lateness p99 {} ms",
        told["response"]["p50"], told["response"]["p99"], told["pacer-lag"]["p99"]
    );
    Ok(())
}

/// What `squall load` tells of such a load.
fn load(server: &Server, how: &[&str]) -> Result<serde_json::Value, Box<dyn Error>> {
    let output = Command::new(squall_tests::binary()).args(["load", &server.url(), "--json"]).args(how).output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| String::from_utf8_lossy(&output.stderr).into())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values[values.len() / 2]
}

fn ratio(ratios: impl Iterator<Item = f64>) -> String {
    let ratios = sorted(ratios);
    format!("{:.2} ({:.2} to {:.2})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1])
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
