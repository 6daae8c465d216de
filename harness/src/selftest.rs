//! `squall selftest faults`: kills everything that a run consists of, under every kind of fault, and looks whether anything is left.
//!
//! It drives this very binary, as a user would, on scenarios that it writes. [`place`] is the folder in which one run lives; [`event`] what befalls it;
//! [`look`] what is left of it afterwards; [`matrix`] every kind with every event; [`kills`] the harness killed at random moments; [`table`] what all of
//! that has shown.

mod disk;
mod event;
mod kills;
mod kinds;
mod look;
mod matrix;
mod place;
mod table;

pub use kills::Kills;
pub use table::{Cell, Outcome, Report};

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Runs beside each other.
const ABREAST: usize = 4;
/// How long anything may take that takes a moment: the machine may be robbed of its processor.
const PATIENCE: Duration = Duration::from_secs(120);
/// Kills where nothing else is asked for.
const KILLS: u32 = 200;
/// Kills of a full selftest.
const FULL_KILLS: u32 = 10_000;

/// What is asked of a selftest.
#[derive(Debug, Clone)]
pub struct Options {
    /// Words of the kinds; none: those that stand for all, or all if it is full.
    pub kinds: Vec<String>,
    /// How often the harness is killed at a random moment.
    pub kills: Option<u32>,
    /// From which the moments are drawn.
    pub seed: u64,
    /// All kinds, and 10,000 kills.
    pub full: bool,
}

/// Why there was no selftest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kinds that there are not.
    #[error("no kind of fault is called {unknown}; there are {known}", unknown = unknown.join(", "), known = kinds::words().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// As asked for.
        unknown: Vec<String>,
    },
    /// A folder or a program.
    #[error("the selftest could not be set up: {0}")]
    System(#[from] io::Error),
}

/// Where progress goes.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// Carries out a selftest.
pub fn run(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let chosen = kinds::chosen(&options.kinds, options.full).map_err(|unknown| Error::Unknown { unknown })?;
    let root = tempfile::Builder::new().prefix("squall-selftest-").tempdir()?;
    let folder = root.path().canonicalize()?;
    let cells = matrix::play(&folder, &chosen, say)?;
    let count = options.kills.unwrap_or(if options.full { FULL_KILLS } else { KILLS });
    let kills = kills::play(&folder, count, options.seed, say)?;
    let left = look::marked(&folder);
    let report =
        Report { seed: options.seed, cells, kills, left: left.iter().map(|one| one.command.clone()).collect() };
    // Whatever this has found, it leaves nothing behind itself.
    left.iter().for_each(|one| one.signal(rustix::process::Signal::KILL));
    Ok(report)
}

/// Does something with each, several beside each other; results come in the order of the items.
fn abreast<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..ABREAST.min(items.len()) {
            scope.spawn(|| {
                while let Some((at, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
                {
                    let result = act(item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::abreast;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        assert_eq!(abreast(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }
}
