//! What befalls a run, and how it must end then.

use super::kinds::Kind;
use super::look::{self, Before};
use super::place::{Place, Run, how};
use super::{Outcome, PATIENCE, disk};
use crate::clock::now;
use rustix::process::Signal;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// What befalls a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing.
    NormalEnd,
    /// Ctrl-C while the fault is on.
    Int,
    /// TERM while it is on.
    Term,
    /// The harness is killed while it is on.
    KillHarness,
    /// The relays are.
    KillShim,
    /// The guardian is.
    KillGuardian,
    /// The instance is, before its fault is undone; before it begins where the fault itself kills it.
    TargetFirst,
    /// The harness is killed while the relays, which are stopped, have been told of the fault and have not answered.
    HalfInjected,
    /// Guardian and harness are killed, and `squall recover` is asked twice.
    RecoverTwice,
    /// The disk is full from when the fault is on.
    DiskFull,
}

impl Event {
    /// All there are.
    pub(super) const ALL: [Self; 10] = [
        Self::NormalEnd,
        Self::Int,
        Self::Term,
        Self::KillHarness,
        Self::KillShim,
        Self::KillGuardian,
        Self::TargetFirst,
        Self::HalfInjected,
        Self::RecoverTwice,
        Self::DiskFull,
    ];

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NormalEnd => "normal end",
            Self::Int => "INT",
            Self::Term => "TERM",
            Self::KillHarness => "KILL harness",
            Self::KillShim => "KILL shim",
            Self::KillGuardian => "KILL guardian",
            Self::TargetFirst => "target first",
            Self::HalfInjected => "half injected",
            Self::RecoverTwice => "recover twice",
            Self::DiskFull => "disk full",
        }
    }

    /// How the harness may end, and what the record may say; none: it need not say anything.
    fn ends(self) -> (&'static [&'static str], Option<&'static [&'static str]>) {
        match self {
            // What the machine has made of the load is its own business; the exit code must say the same as the record.
            Self::NormalEnd | Self::KillGuardian => (&["exit 0", "exit 3"], Some(&["PASS", "INVALID", "INCONCLUSIVE"])),
            Self::TargetFirst => (&["exit 0", "exit 3", "exit 99"], Some(&["PASS", "INVALID", "INCONCLUSIVE", "FAIL"])),
            Self::Int | Self::Term => (&["exit 105"], Some(&["ABORTED"])),
            Self::KillHarness | Self::HalfInjected | Self::RecoverTwice => (&["signal 9"], Some(&["ABORTED"])),
            Self::KillShim => (&["exit 1"], Some(&["ERROR"])),
            Self::DiskFull => (&["exit 1"], None),
        }
    }

    /// The phases of its run. A fault that is to be met while it is on lasts longer than anybody needs.
    fn phases(self, kind: Kind) -> [String; 4] {
        let (baseline, fault) = match self {
            Self::NormalEnd => ("300ms", "700ms"),
            Self::KillGuardian => ("300ms", "1500ms"),
            Self::TargetFirst => ("1500ms", "1500ms"),
            Self::HalfInjected => ("1500ms", "60s"),
            _ => ("300ms", "60s"),
        };
        [
            "{phase: warm-up, for: 200ms}".to_owned(),
            format!("{{phase: baseline, for: {baseline}}}"),
            format!("{{phase: fault, for: {fault}, faults: [{}]}}", kind.written()),
            "{phase: recovery, for: 300ms}".to_owned(),
        ]
    }
}

/// Until the stopped relays have been told: the phases before the fault, and as much again.
const TOLD: Duration = Duration::from_millis(3_400);
/// Requests a second.
const RATE: u32 = 20;
/// Bytes of a disk that a run begins on without trouble.
const DISK: u64 = 16 << 20;

/// Plays a run of one kind to which one thing happens.
pub(super) fn play(root: &Path, kind: Kind, event: Event) -> Outcome {
    let name = format!("{}-{}", kind.word, event.name().replace(' ', "-"));
    let played = Place::create(root, &name, kind.mode(), RATE, &event.phases(kind)).and_then(|place| match event {
        Event::DiskFull => disk::on_small(&place.out(), DISK, || run(&place, event)),
        _ => run(&place, event),
    });
    match played {
        Ok(outcome) => outcome,
        Err(error) if event == Event::DiskFull && error.kind() == io::ErrorKind::PermissionDenied => {
            Outcome::skipped("needs root")
        }
        Err(error) => Outcome { problems: vec![error.to_string()], ..Outcome::default() },
    }
}

fn run(place: &Place, event: Event) -> io::Result<Outcome> {
    let before = Before::of(place);
    let mut outcome = Outcome::default();
    let mut run = place.start()?;
    // What is on when it happens is what must be gone afterwards.
    let is_met = event == Event::NormalEnd || Place::until(&mut run, || moment(place, event));
    if !is_met {
        outcome.problems.push(format!("it did not come so far: {}", place.said()));
    }
    let ports = look::listening(&look::marked(&place.out()));
    let from = now();
    happen(place, &run, event);
    if event == Event::RecoverTwice {
        // Still a zombie: nobody has waited for it.
        run.wait_unseen();
        outcome.problems.extend(recover_twice(place)?);
    }
    let exit = how(run.wait());
    match look::last_gone(&place.out(), from) {
        Ok(last) if matches!(event, Event::KillHarness | Event::HalfInjected) => {
            outcome.undone_ms = Some(last.since(from).as_secs_f64() * 1e3);
        }
        Ok(_) => {}
        Err(stay) => outcome.problems.extend(stay.iter().map(|one| format!("does not end: {}", one.command))),
    }
    if event == Event::DiskFull {
        disk::empty(&place.out())?;
    }
    outcome.problems.extend(before.residue(place, &ports));
    judge(&mut outcome, place, event, &exit);
    outcome.exit = Some(exit);
    if !outcome.problems.is_empty() {
        outcome.problems.push(format!("it said: {}", place.said()));
    }
    Ok(outcome)
}

/// True when it is time.
fn moment(place: &Place, event: Event) -> bool {
    let stream = place.stream();
    let has_begun = || stream.contains("\"line\":\"arm\"");
    match event {
        Event::HalfInjected => has_begun(),
        // Its fault has killed it, if that is what the fault does.
        Event::TargetFirst if stream.contains("kill: ") => has_begun(),
        _ => stream.contains("fault-asked"),
    }
}

/// Lets it happen.
fn happen(place: &Place, run: &Run, event: Event) {
    let kill = |text: &str| place.processes(text).iter().for_each(|one| one.signal(Signal::KILL));
    match event {
        Event::NormalEnd => {}
        Event::Int => run.signal(Signal::INT),
        Event::Term => run.signal(Signal::TERM),
        Event::KillHarness => run.signal(Signal::KILL),
        Event::KillShim => kill(" shim"),
        Event::KillGuardian => kill(" guardian "),
        Event::TargetFirst => kill(" service "),
        Event::HalfInjected => {
            place.processes(" shim").iter().for_each(|one| one.signal(Signal::STOP));
            // Nobody can see what waits in a pipe.
            thread::sleep(TOLD);
            run.signal(Signal::KILL);
        }
        Event::RecoverTwice => {
            let guardians = place.processes(" guardian ");
            guardians.iter().for_each(|one| one.signal(Signal::KILL));
            guardians.iter().for_each(|one| {
                one.gone(PATIENCE);
            });
            run.signal(Signal::KILL);
        }
        Event::DiskFull => disk::fill(&place.out()),
    }
}

fn recover_twice(place: &Place) -> io::Result<Vec<String>> {
    let (first, second) = (place.recover()?, place.recover()?);
    let mut problems = Vec::new();
    if first.0 != Some(0) || !first.1.contains(" undone") {
        problems.push(format!("the first recovery ends with {:?}: {}", first.0, first.1));
    }
    if second.0 != Some(0) || second.1 != "nothing to recover" {
        problems.push(format!("the second recovery ends with {:?}: {}", second.0, second.1));
    }
    Ok(problems)
}

/// Whether the harness ended as it must, and the record says so.
fn judge(outcome: &mut Outcome, place: &Place, event: Event, exit: &str) {
    let (exits, verdicts) = event.ends();
    if !exits.contains(&exit) {
        outcome.problems.push(format!("it ended with {exit}, not {}", exits.join(" or ")));
    }
    match (place.record(), verdicts) {
        (Err(error), Some(_)) => outcome.problems.push(error),
        (Err(_), None) => {}
        (Ok(record), verdicts) => {
            let verdict = record["verdict"].as_str().unwrap_or("nothing");
            if verdicts.is_some_and(|verdicts| !verdicts.contains(&verdict)) {
                outcome.problems.push(format!("the record says {verdict}"));
            }
            if record["dirty"].as_array().is_some_and(|dirty| !dirty.is_empty()) {
                outcome.problems.push(format!("the record says DIRTY: {}", record["dirty"]));
            }
            if exit.starts_with("exit") && code(verdict) != exit {
                outcome.problems.push(format!("the record says {verdict}, and it ended with {exit}"));
            }
            outcome.verdict = Some(verdict.to_owned());
        }
    }
}

/// The exit code of a verdict.
fn code(verdict: &str) -> &'static str {
    match verdict {
        "PASS" => "exit 0",
        "INVALID" | "INCONCLUSIVE" => "exit 3",
        "FAIL" => "exit 99",
        "ABORTED" => "exit 105",
        _ => "exit 1",
    }
}
