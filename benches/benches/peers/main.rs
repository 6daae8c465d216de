//! Squall's data plane beside Envoy, `HAProxy`, nginx and a bare forwarder on hyper: processor time, latency, memory, many routes, requests lost
//! under faults and reloads. Its relay, at which faults are injected, beside `HAProxy` in TCP mode.
//!
//! Every round starts every proxy anew, in random order, on the first core, where one at a time has work; load and endpoints share the
//! second. Processor time is measured in turns, and scaled by a piece of fixed work that is timed beside it, because virtual machines run at
//! more than one speed. Only what was measured in one run is compared.
//!
//! `cargo bench --profile dist -p squall-benches --bench peers -- [ROUNDS] [http1|http2|latency|cliff|memory|scale|faults|reloads|relays]...`; of
//! `faults` policies can be named behind it, as in `faults both "both and active checks"`.

mod cliff;
mod configuration;
mod faults;
mod forwarder;
mod load;
mod paced;
mod peer;
mod process;
mod relays;
mod reloads;
mod table;

use configuration::Protocol;
use load::{Pace, connections, load, percentile};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use peer::{Peer, Setting};
use process::{Pinned, free, now};
use rand::seq::SliceRandom;
use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use table::Table;

const PROXY_CORE: usize = 0;
const LOAD_CORE: usize = 1;
/// Requests of a round whose processor time is measured.
const REQUESTS: u32 = 50_000;
/// Turns in which each proxy serves them.
const TURNS: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(("forwarder", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return Ok(forwarder::serve(rest).map_err(|error| error.to_string())?);
    }
    // `cargo test --benches` only asks whether it runs.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(7);
    let asked: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| argument.parse::<u32>().is_err()).collect();
    let wants = |part: &str| asked.is_empty() || asked.contains(&part);

    let folder = tempfile::tempdir()?;
    let listen: [SocketAddr; 3] = free();
    let file = folder.path().join("endpoints.conf");
    std::fs::write(&file, configuration::endpoints(&listen, &folder.path().display().to_string()))?;
    let mut endpoints = Pinned::start(LOAD_CORE, "nginx", &["-c", &file.display().to_string()])?;
    endpoints.listens(listen[2])?;
    let setting = Setting { endpoints: &listen, folder: folder.path(), envoy: peer::envoy()? };

    if wants("http1") {
        cpu(&setting, Protocol::Http1, rounds)?;
    }
    if wants("http2") {
        cpu(&setting, Protocol::Http2, rounds)?;
    }
    if wants("latency") {
        latency(&setting, rounds)?;
    }
    if wants("cliff") {
        cliff::cliff(&setting, rounds.min(5))?;
    }
    if wants("memory") {
        memory(&setting, rounds.min(5))?;
    }
    if wants("scale") {
        scale(&setting, rounds.min(5))?;
    }
    if wants("faults") {
        faults::faults(&setting, rounds.min(7), &asked)?;
    }
    if wants("reloads") {
        reloads::reloads(&setting, rounds.min(5))?;
    }
    if wants("relays") {
        relays::relays(&setting, rounds)?;
    }
    Ok(())
}

/// All peers, in an order of this round's own.
fn shuffled() -> Vec<Peer> {
    let mut peers = Peer::ALL.to_vec();
    peers.shuffle(&mut rand::rng());
    peers
}

/// Processor microseconds a request, saturated and at 2,000 a second. All proxies of a round stand ready at once and take turns, so that
/// a machine that changes its speed changes it for all of them.
fn cpu(setting: &Setting<'_>, protocol: Protocol, rounds: usize) -> Result<(), Box<dyn Error>> {
    let turns = f64::from(TURNS);
    for (title, pace, requests) in
        [("saturated", Pace::Saturated(64), REQUESTS / TURNS), ("at 2,000/s", Pace::Rate(2_000), 8_000 / TURNS)]
    {
        let mut table = Table::new(&format!("{protocol:?}, {title}: processor time a request, us"), &Peer::NAMES);
        for _ in 0..rounds {
            let mut row = vec![0.0; Peer::ALL.len()];
            let mut standing = Vec::new();
            for peer in shuffled() {
                let (process, to) = peer.start(setting, protocol)?;
                load(LOAD_CORE, to, "/", protocol, Pace::Saturated(64), 5_000, setting.folder)?;
                standing.push((peer, process, to));
            }
            for _ in 0..TURNS {
                standing.shuffle(&mut rand::rng());
                for (peer, process, to) in &standing {
                    let speed = fixed_work();
                    let before = process.usage().0;
                    load(LOAD_CORE, *to, "/", protocol, pace, requests, setting.folder)?;
                    let spent = (process.usage().0 - before) as f64 / 1e3 / f64::from(requests);
                    row[peer.place()] += spent / f64::midpoint(speed, fixed_work()) / turns;
                }
            }
            table.add(row);
        }
        table.print();
    }
    Ok(())
}

/// How slow the proxy's core is at this moment: what a fixed piece of work takes there, by 20 ms.
fn fixed_work() -> f64 {
    let worker = std::thread::spawn(|| {
        let mut core = CpuSet::new();
        let held = core.set(PROXY_CORE).and_then(|()| sched_setaffinity(Pid::from_raw(0), &core));
        held.expect("the first core can be used");
        let begin = now();
        let mut value: u64 = 1;
        for at in 0..20_000_000_u64 {
            value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(at));
        }
        begin.elapsed().as_secs_f64() / 0.02
    });
    worker.join().expect("no panic")
}

/// Latency at 2,000 requests a second, beside asking an endpoint itself.
fn latency(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut tables = [(0.5, "p50"), (0.99, "p99")].map(|(share, name)| {
        (share, Table::new(&format!("HTTP/1.1 at 2,000/s: added latency, {name}, us"), &Peer::NAMES))
    });
    for _ in 0..rounds {
        let mut direct =
            load(LOAD_CORE, setting.endpoints[0], "/", Protocol::Http1, Pace::Rate(2_000), 10_000, setting.folder)?;
        let mut rows = tables.each_ref().map(|_| vec![0.0; Peer::ALL.len()]);
        for peer in shuffled() {
            let (_process, to) = peer.start(setting, Protocol::Http1)?;
            load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Saturated(64), 5_000, setting.folder)?;
            let mut all = load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Rate(2_000), 10_000, setting.folder)?;
            for (row, (share, _)) in rows.iter_mut().zip(&tables) {
                row[peer.place()] = percentile(&mut all, *share) - percentile(&mut direct, *share);
            }
        }
        tables.iter_mut().zip(rows).for_each(|((_, table), row)| table.add(row));
    }
    tables.iter().for_each(|(_, table)| table.print());
    Ok(())
}

/// Resident memory: idle, with 1,000 open connections, after 100,000 and after 1,000,000 requests.
fn memory(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    let titles = ["idle", "1,000 connections", "after 100,000 requests", "after 1,000,000 requests"];
    let mut tables = titles.map(|title| Table::new(&format!("resident memory, {title}, MiB"), &Peer::NAMES));
    for round in 0..rounds {
        let mut rows = tables.each_ref().map(|_| vec![0.0; Peer::ALL.len()]);
        for peer in shuffled() {
            let (process, to) = peer.start(setting, Protocol::Http1)?;
            let resident = || process.usage().1 as f64 / f64::from(1 << 20);
            // Whatever a proxy still does behind its first connection is no idling.
            std::thread::sleep(std::time::Duration::from_secs(1));
            rows[0][peer.place()] = resident();
            let open = connections(to, 1_000)?;
            rows[1][peer.place()] = resident();
            drop(open);
            load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Saturated(64), 100_000, setting.folder)?;
            rows[2][peer.place()] = resident();
            // One round of a million is enough to see a slope.
            if round == 0 {
                load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Saturated(64), 900_000, setting.folder)?;
            }
            rows[3][peer.place()] = resident();
        }
        tables.iter_mut().zip(rows).for_each(|(table, row)| table.add(row));
    }
    tables.iter().for_each(Table::print);
    Ok(())
}

/// 10,000 routes and 1,000 clusters: time until ready, memory, and what a request costs that takes the last route.
fn scale(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    let peers = [Peer::Squall, Peer::Envoy];
    let titles = [
        "10,000 routes, 1,000 clusters: seconds until ready",
        "10,000 routes, 1,000 clusters: resident memory, MiB",
        "one route: processor time a request, us",
        "last of 10,000 routes: processor time a request, us",
    ];
    let mut tables = titles.map(|title| Table::new(title, &Peer::NAMES[..peers.len()]));
    for _ in 0..rounds {
        let mut rows = tables.each_ref().map(|_| vec![0.0; peers.len()]);
        for peer in shuffled().into_iter().filter(|peer| peers.contains(peer)) {
            for (row, routes, clusters) in [(2, 1, 1), (3, 10_000, 1_000)] {
                let begin = now();
                let (process, to) = peer.start_scaled(setting, Protocol::Http1, routes, clusters)?;
                if row == 3 {
                    rows[0][peer.place()] = begin.elapsed().as_secs_f64();
                    rows[1][peer.place()] = process.usage().1 as f64 / f64::from(1 << 20);
                }
                load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Saturated(64), 5_000, setting.folder)?;
                let speed = fixed_work();
                let before = process.usage().0;
                load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Saturated(64), REQUESTS, setting.folder)?;
                let spent = (process.usage().0 - before) as f64 / 1e3 / f64::from(REQUESTS);
                rows[row][peer.place()] = spent / f64::midpoint(speed, fixed_work());
            }
        }
        tables.iter_mut().zip(rows).for_each(|(table, row)| table.add(row));
    }
    tables.iter().for_each(Table::print);
    Ok(())
}
