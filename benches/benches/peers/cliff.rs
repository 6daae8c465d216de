//! Whether more clients than a proxy can serve make it serve fewer.

use super::configuration::Protocol;
use super::load::{Pace, load, percentile};
use super::peer::{Peer, Setting};
use super::process::now;
use super::table::Table;
use super::{LOAD_CORE, shuffled};
use std::io;

/// Connections that each ask again as soon as they are answered; a few keep any of these proxies busy.
const CONNECTIONS: [u32; 4] = [16, 64, 256, 1_024];
/// Requests of each measurement.
const REQUESTS: u32 = 40_000;

/// Requests a second by the number of connections, and the latency that clients see.
pub(crate) fn cliff(setting: &Setting<'_>, rounds: usize) -> io::Result<()> {
    let mut tables = CONNECTIONS.map(|connections| {
        let of = |what: &str| Table::new(&format!("{connections} busy connections: {what}"), &Peer::NAMES);
        [of("requests a second"), of("p99, ms")]
    });
    for _ in 0..rounds {
        let mut rows = CONNECTIONS.map(|_| [vec![0.0; Peer::ALL.len()], vec![0.0; Peer::ALL.len()]]);
        for peer in shuffled() {
            let (_process, to) = peer.start(setting, Protocol::Http1)?;
            for (connections, row) in CONNECTIONS.into_iter().zip(&mut rows) {
                let pace = Pace::Saturated(connections);
                load(LOAD_CORE, to, "/", Protocol::Http1, pace, 5_000, setting.folder)?;
                let begin = now();
                let mut latencies = load(LOAD_CORE, to, "/", Protocol::Http1, pace, REQUESTS, setting.folder)?;
                row[0][peer.place()] = f64::from(REQUESTS) / begin.elapsed().as_secs_f64();
                row[1][peer.place()] = percentile(&mut latencies, 0.99) / 1e3;
            }
        }
        for (tables, rows) in tables.iter_mut().zip(rows) {
            tables.iter_mut().zip(rows).for_each(|(table, row)| table.add(row));
        }
    }
    tables.iter().flatten().for_each(Table::print);
    Ok(())
}
