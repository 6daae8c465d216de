//! The relay beside `HAProxy` in TCP mode: what it costs where nothing is broken, and how exact the delays are that it injects.

use super::configuration::Protocol;
use super::load::{Pace, load, percentile};
use super::peer::Setting;
use super::process::{Pinned, free};
use super::table::Table;
use super::{LOAD_CORE, PROXY_CORE, REQUESTS, TURNS, fixed_work};
use rand::seq::SliceRandom;
use squall::clock;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Ours idle, ours with a fault on requests that takes none of them, and the peer.
const NAMES: [&str; 3] = ["squall, idle", "squall, armed", "haproxy, TCP"];
const ARMED: [&str; 6] = ["abort", "--status", "503", "--match", "path: /never", "--for=1h"];
/// Injected delays, milliseconds, and the rate at which they are.
const DELAYS: [u32; 3] = [1, 20, 200];
const RATE: u32 = 1_000;

/// Processor time a request, added latency, and the error of injected delays.
pub(crate) fn relays(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    cost(setting, rounds)?;
    exactness(setting, rounds.min(5))
}

fn cost(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut spent = Table::new("relays, saturated: processor time a request, us", &NAMES);
    let mut added = [(0.5, "p50"), (0.99, "p99")]
        .map(|(share, name)| (share, Table::new(&format!("relays at 2,000/s: added latency, {name}, us"), &NAMES)));
    let asked = |to, pace, requests| load(LOAD_CORE, to, "/", Protocol::Http1, pace, requests, setting.folder);
    for _ in 0..rounds {
        let mut standing = Vec::new();
        for place in 0..NAMES.len() {
            let (process, to) = start(place, setting)?;
            asked(to, Pace::Saturated(64), 5_000)?;
            standing.push((place, process, to));
        }
        let mut row = vec![0.0; NAMES.len()];
        for _ in 0..TURNS {
            standing.shuffle(&mut rand::rng());
            for (place, process, to) in &standing {
                let (speed, before) = (fixed_work(), process.usage().0);
                asked(*to, Pace::Saturated(64), REQUESTS / TURNS)?;
                let each = (process.usage().0 - before) as f64 / 1e3 / f64::from(REQUESTS / TURNS);
                row[*place] += each / f64::midpoint(speed, fixed_work()) / f64::from(TURNS);
            }
        }
        spent.add(row);
        let mut direct = asked(setting.endpoints[0], Pace::Rate(2_000), 10_000)?;
        let mut rows = added.each_ref().map(|_| vec![0.0; NAMES.len()]);
        for (place, _, to) in &standing {
            let mut through = asked(*to, Pace::Rate(2_000), 10_000)?;
            for (row, (share, _)) in rows.iter_mut().zip(&added) {
                row[*place] = percentile(&mut through, *share) - percentile(&mut direct, *share);
            }
        }
        added.iter_mut().zip(rows).for_each(|((_, table), row)| table.add(row));
    }
    spent.print();
    added.iter().for_each(|(_, table)| table.print());
    Ok(())
}

/// Where a request takes so much longer than without the fault, how far is that from what was asked?
fn exactness(setting: &Setting<'_>, rounds: usize) -> Result<(), Box<dyn Error>> {
    println!("\ninjected delays at {RATE}/s: error, us, and how late a bare timer was beside it\n");
    println!("| asked | p50 | p99 | bare timer, p99 |\n|---|---|---|---|");
    let asked = |to| load(LOAD_CORE, to, "/", Protocol::Http1, Pace::Rate(RATE), RATE * 3, setting.folder);
    for delay in DELAYS {
        for _ in 0..rounds {
            let [through] = free();
            let base = format!("--base={delay}ms");
            let _without = armed(&ARMED, through, setting.endpoints[0])?;
            let mut without = asked(through)?;
            let [through] = free();
            let _delayed = armed(&["latency", &base, "--for=1h"], through, setting.endpoints[0])?;
            let mut with = asked(through)?;
            let mut error =
                |share| percentile(&mut with, share) - percentile(&mut without, share) - f64::from(delay) * 1e3;
            let (p50, p99) = (error(0.5), error(0.99));
            println!("| {delay} ms | {p50:.0} | {p99:.0} | {:.0} |", bare()?);
        }
    }
    Ok(())
}

fn bare() -> Result<f64, Box<dyn Error>> {
    let measured = std::thread::spawn(|| -> io::Result<f64> {
        clock::precise_thread()?;
        Ok(clock::bare_timer_lag(2_000, Duration::from_secs(1) / RATE)?.p99.as_secs_f64() * 1e6)
    });
    Ok(measured.join().map_err(|_| "the bare loop has ended")??)
}

/// Starts what stands at this place of the table in front of an endpoint.
fn start(place: usize, setting: &Setting<'_>) -> io::Result<(Pinned, SocketAddr)> {
    let ([listen, api], to) = (free(), setting.endpoints[0]);
    let started = match place {
        0 => {
            let file = setting.folder.join("toxiproxy.json");
            std::fs::write(&file, format!(r#"[{{"name": "idle", "listen": "{listen}", "upstream": "{to}"}}]"#))?;
            let (api, file) = (api.to_string(), file.display().to_string());
            started(&squall(), &["fault", "serve", "--api", &api, "--config", &file], listen)?
        }
        1 => armed(&ARMED, listen, to)?,
        _ => {
            let file = setting.folder.join("haproxy-tcp.cfg");
            let text = format!(
                "global\n  maxconn 4000\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  \
                 timeout server 1h\nlisten relay\n  bind {listen}\n  server one {to}\n"
            );
            std::fs::write(&file, text)?;
            started("haproxy", &["-f", &file.display().to_string()], listen)?
        }
    };
    Ok((started, listen))
}

/// A relay with a fault.
fn armed(fault: &[&str], listen: SocketAddr, to: SocketAddr) -> io::Result<Pinned> {
    let (listen_at, to) = (listen.to_string(), to.to_string());
    let arguments = [&["fault"], fault, &["--to", &to, "--listen", &listen_at]].concat();
    started(&squall(), &arguments, listen)
}

fn squall() -> String {
    squall_tests::binary().to_string_lossy().into_owned()
}

fn started(program: &str, arguments: &[&str], listen: SocketAddr) -> io::Result<Pinned> {
    let mut process = Pinned::start(PROXY_CORE, program, arguments)?;
    process.listens(listen)?;
    Ok(process)
}
