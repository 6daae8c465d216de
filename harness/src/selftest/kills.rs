//! The harness killed at random moments of a run that consists of a guardian, a relay, one instance and hardly any load.

use super::look::{self, Before};
use super::place::{Place, Run, how};
use super::{ABREAST, Say, abreast};
use crate::clock::now;
use crate::seed::Seed;
use rand::RngExt;
use rustix::process::Signal;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Longest time for all; where kills are many, so much for each.
const LIMIT: Duration = Duration::from_secs(900);
const LIMIT_OF_ONE: Duration = Duration::from_secs(2);
/// Between two lines of progress.
const EVERY: u32 = 50;
/// Problems that are told.
const TOLD: usize = 20;
/// Requests a second.
const RATE: u32 = 5;

/// What the kills have shown.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Kills {
    /// So many were asked for.
    pub asked: u32,
    /// So many found a harness that lived.
    pub killed: u32,
    /// After so many something was left.
    pub residue: u32,
    /// So many runs had no guardian yet: `squall recover` has struck them off.
    pub recovered: u32,
    /// Milliseconds from the kill until the last process of the run was gone, shortest first.
    #[serde(skip)]
    pub undone_ms: Vec<f64>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// What did not hold, the first of it.
    pub problems: Vec<String>,
}

impl Kills {
    /// The time within which so many of a hundred were undone: nearest rank.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = (percent / 100.0 * self.undone_ms.len() as f64).ceil().max(1.0) as usize;
        self.undone_ms.get(rank - 1).copied()
    }
}

/// What one kill has shown.
#[derive(Default)]
struct One {
    killed: bool,
    recovered: bool,
    undone_ms: Option<f64>,
    problems: Vec<String>,
}

/// Kills so often.
pub(super) fn play(root: &Path, count: u32, seed: u64, say: Say<'_>) -> io::Result<Kills> {
    if count == 0 {
        return Ok(Kills::default());
    }
    let folder = root.join("kills");
    fs::create_dir(&folder)?;
    let (begin, limit) = (now(), LIMIT.max(LIMIT_OF_ONE * count));
    // As many beside each other as there will be, so that they are as slow as those will be.
    let whole = abreast(&[(); ABREAST], |()| length(&folder)).into_iter().collect::<io::Result<Vec<_>>>()?;
    let whole = whole.iter().sum::<Duration>() / whole.len().max(1) as u32;
    say(&format!("{count} kills within {:.1} s of a run each, seed {seed}", whole.as_secs_f64()));
    let done = AtomicU32::new(0);
    let numbers: Vec<u32> = (1..=count).collect();
    let all = abreast(&numbers, |number| {
        if now().since(begin) > limit {
            return One {
                problems: vec![format!("kill {number} was not tried: {} s are over", limit.as_secs())],
                ..One::default()
            };
        }
        let moment = whole.mul_f64(Seed(seed).stream(&format!("kill/{number}")).random::<f64>());
        let mut one = kill(&folder, &number.to_string(), moment)
            .unwrap_or_else(|error| One { problems: vec![error.to_string()], ..One::default() });
        let prefix = format!("kill {number}, {:.0} ms after the start: ", moment.as_secs_f64() * 1e3);
        one.problems.iter_mut().for_each(|problem| problem.insert_str(0, &prefix));
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(EVERY) || done == count {
            say(&format!("{done} of {count} kills"));
        }
        one
    });
    let mut undone_ms: Vec<f64> = all.iter().filter_map(|one| one.undone_ms).collect();
    undone_ms.sort_by(f64::total_cmp);
    let counted = |is: fn(&One) -> bool| all.iter().filter(|one| is(one)).count() as u32;
    Ok(Kills {
        asked: count,
        killed: counted(|one| one.killed),
        residue: counted(|one| !one.problems.is_empty()),
        recovered: counted(|one| one.recovered),
        undone_ms,
        seconds: now().since(begin).as_secs_f64(),
        problems: all.into_iter().flat_map(|one| one.problems).take(TOLD).collect(),
    })
}

fn phases() -> [String; 4] {
    [
        "{phase: warm-up, for: 100ms}",
        "{phase: baseline, for: 200ms}",
        "{phase: fault, for: 400ms, faults: [{abort: {target: cart/1, status: 503}}]}",
        "{phase: recovery, for: 100ms}",
    ]
    .map(str::to_owned)
}

/// How long the run takes that is left alone.
fn length(folder: &Path) -> io::Result<Duration> {
    let folder = tempfile::tempdir_in(folder)?;
    let place = Place::create(folder.path(), "whole", "none", RATE, &phases())?;
    let begin = now();
    let mut run = place.start()?;
    let exit = how(run.wait());
    if ["exit 0", "exit 3"].contains(&exit.as_str()) {
        Ok(now().since(begin))
    } else {
        Err(io::Error::other(format!("a run that nobody disturbed ended with {exit}: {}", place.said())))
    }
}

/// One kill, so long after the start.
fn kill(folder: &Path, name: &str, moment: Duration) -> io::Result<One> {
    let place = Place::create(folder, name, "none", RATE, &phases())?;
    let before = Before::of(&place);
    let mut run = place.start()?;
    thread::sleep(moment);
    let ports = look::listening(&look::marked(&place.out()));
    let from = now();
    run.signal(Signal::KILL);
    let mut one = One { killed: was_alive(&mut run), ..One::default() };
    let mut last = now();
    match look::last_gone(&place.out(), last) {
        Ok(gone) => last = gone,
        Err(stay) => one.problems.extend(stay.iter().map(|one| format!("does not end: {}", one.command))),
    }
    one.undone_ms = one.killed.then(|| last.since(from).as_secs_f64() * 1e3);
    if place.registered() > 0 {
        // Once a scenario has begun there is a guardian.
        let has_guardian = !place.stream().is_empty();
        one.problems.extend(has_guardian.then(|| "its guardian has not struck it off the list".to_owned()));
        let (code, said) = place.recover()?;
        one.recovered = true;
        one.problems.extend((code != Some(0)).then(|| format!("recovery ends with {code:?}: {said}")));
    }
    one.problems.extend(before.residue(&place, &ports));
    one.problems.extend(untold(&place));
    if one.problems.is_empty() {
        fs::remove_dir_all(&place.folder)?;
    }
    Ok(one)
}

/// Waits for the end; true if the kill was it.
fn was_alive(run: &mut Run) -> bool {
    how(run.wait()) == "signal 9"
}

/// A scenario that had begun must have a record.
fn untold(place: &Place) -> Option<String> {
    let has_begun =
        place.stream().lines().next().is_some_and(|first| serde_json::from_str::<serde_json::Value>(first).is_ok());
    if has_begun { place.record().err() } else { None }
}
