//! Requests lost under the same faults with the same policies, by Squall, by Squall with what goes beyond Envoy, and by Envoy, side by side in time.

use super::configuration::{self, Healing};
use super::paced::Paced;
use super::peer::{Peer, Setting};
use super::process::{Pinned, free};
use squall_tests::http::{Answer, Backend, Message, ok, status};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Requests a second at each proxy.
const RATE: u32 = 500;
/// Seconds before, with and after the fault.
const PHASES: [u32; 3] = [1, 6, 3];

/// What happens to one of three endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unavailable,
    OftenUnavailable,
    Hang,
    Reset,
    Slow,
    Killed,
}

const FAULTS: [(Fault, &str); 6] = [
    (Fault::Unavailable, "503 on all"),
    (Fault::OftenUnavailable, "503 on 30 %"),
    (Fault::Hang, "hang"),
    (Fault::Reset, "reset"),
    (Fault::Slow, "500 ms slow"),
    (Fault::Killed, "killed"),
];

const POLICIES: [(Healing, &str); 6] = [
    (Healing::OUTLIERS, "outlier detection"),
    (Healing { retries: Some(""), ..Healing::NONE }, "retries"),
    (Healing { retries: Some(",reset"), ..Healing::NONE }, "retries, also on reset"),
    (Healing::BOTH, "both"),
    (Healing { checks: true, ..Healing::BOTH }, "both and active checks"),
    (Healing { most_requests: Some(60), ..Healing::NONE }, "60 requests at a time"),
];

/// Who is compared, and what it is told besides its configuration.
const SIDES: [(Peer, &[&str], &str); 3] = [
    (Peer::Squall, &[], "squall"),
    (Peer::Squall, &["--beyond-envoy", "all"], "squall --beyond-envoy all"),
    (Peer::Envoy, &[], "envoy"),
];

/// Prints a table of what each proxy has lost: medians of the rounds. Under the policies that are asked for by name, or under all.
pub(crate) fn faults(setting: &Setting<'_>, rounds: usize, asked: &[&str]) -> io::Result<()> {
    let named = POLICIES.iter().any(|(_, policy)| asked.contains(policy));
    let planned = RATE * PHASES.iter().sum::<u32>();
    println!(
        "\nlost of {planned} requests, {} of them in the fault of one of three endpoints; {rounds} rounds: medians (least to most)\n",
        RATE * PHASES[1]
    );
    println!("| policy | fault | {} |\n|---|---|---|---|---|", SIDES.map(|(.., name)| name).join(" | "));
    for (healing, policy) in POLICIES.into_iter().filter(|(_, policy)| !named || asked.contains(policy)) {
        for (fault, name) in FAULTS {
            let mut lost = SIDES.map(|_| Vec::new());
            for number in 1..=rounds {
                lost.iter_mut()
                    .zip(round(setting, healing, fault, number as u64)?)
                    .for_each(|(all, lost)| all.push(lost));
            }
            let told = lost.map(|mut all| {
                all.sort_unstable();
                format!("{} ({} to {})", all[all.len() / 2], all[0], all[all.len() - 1])
            });
            println!("| {policy} | {name} | {} |", told.join(" | "));
        }
    }
    Ok(())
}

/// All sides at the same time, each with an endpoint of its own that fails.
///
/// Where a number of requests at a time is all that is configured, they come at random instants, the same for all sides: at even ones, a
/// time-out of as many whole gaps lets a fraction of a millisecond decide whether the next request finds room, every time anew.
fn round(setting: &Setting<'_>, healing: Healing, fault: Fault, number: u64) -> io::Result<Vec<usize>> {
    let random = healing.most_requests.map(|_| number);
    thread::scope(|scope| {
        let begin = |(peer, further, _)| scope.spawn(move || side(setting, (peer, further), healing, fault, random));
        let sides = SIDES.map(begin);
        sides.into_iter().map(|side| side.join().expect("no panic")).collect()
    })
}

fn side(
    setting: &Setting<'_>,
    (peer, further): (Peer, &[&str]),
    healing: Healing,
    fault: Fault,
    random: Option<u64>,
) -> io::Result<usize> {
    let [listen, admin, victim] = free();
    let folder = tempfile::tempdir()?;
    let faulty = Arc::new(AtomicBool::new(false));
    let (backend, mut process) = match fault {
        Fault::Killed => (None, Some(endpoint(victim, folder.path())?)),
        _ => (Some(backend(fault, Arc::clone(&faulty))), None),
    };
    let victim = backend.as_ref().map_or(victim, |backend| backend.address);
    let endpoints = [victim, setting.endpoints[0], setting.endpoints[1]];
    let text = configuration::healing(listen, admin, &endpoints, healing);
    let _proxy = peer.start_with(setting, &folder.path().join("proxy.yaml"), &text, listen, further)?;
    let [before, during, _] = PHASES.map(|seconds| Duration::from_secs(seconds.into()));
    let mut load = Paced::warm(listen, RATE, Duration::from_secs(PHASES.iter().sum::<u32>().into()), random)?;
    load.begin()?;
    thread::sleep(before);
    faulty.store(true, Ordering::Relaxed);
    drop(process.take());
    thread::sleep(during);
    faulty.store(false, Ordering::Relaxed);
    let _again = if fault == Fault::Killed { Some(endpoint(victim, folder.path())?) } else { None };
    load.lost()
}

fn endpoint(listen: SocketAddr, folder: &std::path::Path) -> io::Result<Pinned> {
    let file = folder.join("endpoint.conf");
    std::fs::write(&file, configuration::endpoints(&[listen], &folder.display().to_string()))?;
    let mut process = Pinned::start(super::LOAD_CORE, "nginx", &["-c", &file.display().to_string()])?;
    process.listens(listen)?;
    Ok(process)
}

fn backend(fault: Fault, faulty: Arc<AtomicBool>) -> Backend {
    let asked = AtomicU32::new(0);
    Backend::start(move |asked_for: &Message| {
        // A check does not see what happens to some requests only.
        let unseen = fault == Fault::OftenUnavailable && asked_for.target() == "/health";
        if unseen || !faulty.load(Ordering::Relaxed) {
            return ok("well");
        }
        match fault {
            Fault::Unavailable => status(503),
            Fault::OftenUnavailable if asked.fetch_add(1, Ordering::Relaxed) % 10 < 3 => status(503),
            Fault::Hang => Answer::Silence,
            Fault::Reset => Answer::Reset,
            Fault::Slow => {
                thread::sleep(Duration::from_millis(500));
                ok("well")
            }
            Fault::OftenUnavailable | Fault::Killed => ok("well"),
        }
    })
}
