//! Requests lost by Squall while it takes up one new configuration after the other.

use super::configuration::{self, Healing};
use super::paced::Paced;
use super::peer::{Peer, Setting};
use super::process::free;
use std::io;
use std::thread;
use std::time::Duration;

/// Requests a second.
const RATE: u32 = 2_000;
const SECONDS: u32 = 20;
const RELOADS: u32 = 100;

/// Prints what was lost in each round.
pub(crate) fn reloads(setting: &Setting<'_>, rounds: usize) -> io::Result<()> {
    let lost = (0..rounds).map(|_| round(setting)).collect::<io::Result<Vec<_>>>()?;
    println!(
        "\n{RELOADS} reloads within {SECONDS} s at {RATE}/s: lost {lost:?} of {} requests a round",
        RATE * SECONDS
    );
    Ok(())
}

fn round(setting: &Setting<'_>) -> io::Result<usize> {
    let [listen, admin] = free();
    let file = setting.folder.join("reloaded.yaml");
    // Routes change each time; endpoints every fourth time, and with them all that hangs on the cluster.
    let version = |at: u32| {
        let endpoints = &setting.endpoints[..if at % 8 < 4 { 2 } else { 1 }];
        let text = configuration::healing(listen, admin, endpoints, Healing::BOTH);
        text.replace("timeout: 2s", &format!("timeout: {}s", 2 + at))
    };
    let _proxy = Peer::Squall.start_with(setting, &file, &version(0), listen, &[])?;
    let mut load = Paced::warm(listen, RATE, Duration::from_secs(SECONDS.into()), None)?;
    load.begin()?;
    for at in 1..=RELOADS {
        thread::sleep(Duration::from_secs(SECONDS.into()) / (RELOADS + 5));
        let new = setting.folder.join("reloaded.new");
        std::fs::write(&new, version(at))?;
        std::fs::rename(&new, &file)?;
    }
    let lost = load.lost()?;
    let taken = squall_tests::http::get(admin, "/stats", "host: localhost\r\n").text();
    let taken = taken.lines().find_map(|line| line.strip_prefix("server.reloads: ")).unwrap_or("0").to_owned();
    println!("{taken} of {RELOADS} changes were taken up one by one");
    Ok(lost)
}
