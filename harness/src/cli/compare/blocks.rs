//! Measures block by block. A block under which the machine changed its speed, or was too busy to measure, is measured anew.

use super::order::{self, Part};
use super::side::Side;
use super::speed;
use crate::cli::Exit;
use crate::run::ABORTED;
use crate::seed::Seed;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use squall_reports::compare::{Block, Figure, Figures};
use squall_reports::record::{self, Record, Verdict};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A block is measured at most so many times more.
const REPETITIONS: u32 = 2;
/// Speeds further apart than by this share tear a block.
const TORN: f64 = 0.1;

/// What is to be measured.
pub(super) struct Measuring<'a> {
    pub(super) a: &'a Side,
    pub(super) b: &'a Side,
    pub(super) blocks: usize,
    pub(super) seed: u64,
    /// For records that are read and forgotten.
    pub(super) folder: &'a Path,
}

/// How measuring ended.
pub(super) enum Ended {
    /// All blocks are there.
    All {
        /// In their order.
        blocks: Vec<Block>,
        /// How often one was measured anew.
        repeated: usize,
    },
    /// Something went wrong, or somebody asked to stop.
    Early {
        /// What.
        why: String,
        /// How the program ends then.
        exit: Exit,
    },
}

/// Why there is no block.
enum Failed {
    /// It proves nothing for the machine's sake: it may be tried again.
    Machine(String),
    /// Nothing can be measured.
    For(String, Exit),
}

/// One measurement, and how fast the machine was.
struct Measured {
    figures: Figures,
    speed: Duration,
}

impl Measuring<'_> {
    /// Measures all of it, and tells of each block on standard error.
    pub(super) fn run(&self) -> Ended {
        let running = match Running::listen() {
            Ok(running) => running,
            Err(error) => return Ended::Early { why: error.to_string(), exit: Exit::Error },
        };
        let mut draws = Seed(self.seed).stream("order");
        let (mut blocks, mut repeated) = (Vec::new(), 0);
        while blocks.len() < self.blocks {
            let number = blocks.len() + 1;
            let mut tried = 0;
            let block = loop {
                let order = order::draw(&mut draws);
                let last = tried == REPETITIONS;
                match self.block(&running, number, order) {
                    Ok((block, torn)) if !torn || last => break block,
                    Ok(_) => tell(number, self.blocks, "the machine changed its speed: measured anew"),
                    Err(Failed::Machine(why)) if last => return Ended::Early { why, exit: Exit::Unproven },
                    Err(Failed::Machine(why)) => tell(number, self.blocks, &format!("{why} Measured anew.")),
                    Err(Failed::For(why, exit)) => return Ended::Early { why, exit },
                }
                tried += 1;
                repeated += 1;
            };
            tell(number, self.blocks, &said(&block));
            blocks.push(block);
        }
        Ended::All { blocks, repeated }
    }

    /// One block, and whether the machine changed its speed between A and B.
    fn block(&self, running: &Running, number: usize, order: [Part; 3]) -> Result<(Block, bool), Failed> {
        let mut block = Block::default();
        let mut speeds: Vec<(Part, Duration)> = Vec::new();
        for (at, part) in order.into_iter().enumerate() {
            let side = if part == Part::B { self.b } else { self.a };
            let seed = Seed(self.seed).child(&format!("block {number}, {at}"));
            let Measured { figures, speed } = self.measure(running, side, seed)?;
            speeds.push((part, speed));
            *match part {
                Part::A => &mut block.a,
                Part::Again => &mut block.again,
                Part::B => &mut block.b,
            } = figures;
        }
        let of = |part| speeds.iter().find(|(one, _)| *one == part).map_or(0.0, |(_, speed)| speed.as_secs_f64());
        Ok((block, (of(Part::A) / of(Part::B)).ln().abs() >= TORN.ln_1p()))
    }

    /// One measurement of a side, in a process of its own.
    fn measure(&self, running: &Running, side: &Side, seed: Seed) -> Result<Measured, Failed> {
        let file = self.folder.join("record.json");
        let before = speed::probe();
        let (code, said) =
            running.once(side, seed, &file).map_err(|error| Failed::For(error.to_string(), Exit::Error))?;
        let after = speed::probe();
        if running.is_told_to_stop() || code == Some(ABORTED) {
            return Err(Failed::For("stopped before all blocks were measured".to_owned(), Exit::Aborted));
        }
        let record = record::read_file(&file).map_err(|error| {
            let said = if said.is_empty() { error.to_string() } else { said };
            Failed::For(format!("{}: {said}", side.title), Exit::Error)
        })?;
        // The next one is not to be taken for this one.
        std::fs::remove_file(&file).map_err(|error| Failed::For(error.to_string(), Exit::Error))?;
        match record.verdict {
            Verdict::Invalid => Err(Failed::Machine(first_reason(side, &record))),
            Verdict::Error | Verdict::Aborted => Err(Failed::For(first_reason(side, &record), Exit::Error)),
            Verdict::Pass | Verdict::Inconclusive | Verdict::Fail => {
                Ok(Measured { figures: Figures::of(&record), speed: (before + after) / 2 })
            }
        }
    }
}

fn first_reason(side: &Side, record: &Record) -> String {
    let reason = record.reasons.first().map_or("it has no reason", |reason| &reason.text);
    format!("{}: {reason}", side.title)
}

/// The figures that move most, of A and of B.
fn said(block: &Block) -> String {
    let of = |figures: &Figures, figure| figures.0.get(&figure).copied();
    let told = |figure: Figure, unit: &str| {
        let (a, b) = (of(&block.a, figure)?, of(&block.b, figure)?);
        Some(format!("{} {a:.2} and {b:.2}{unit}", figure.name()))
    };
    let told = [told(Figure::Rate, "/s"), told(Figure::P50, " ms"), told(Figure::P99, " ms")];
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn tell(number: usize, blocks: usize, what: &str) {
    anstream::eprintln!("block {number} of {blocks}: {what}");
}

/// The measurement that is under way, and whether somebody asked to stop.
struct Running {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    child: Option<Pid>,
    told: bool,
}

impl Running {
    /// Blocks INT, TERM and HUP from here on. The first is passed on, so that what is under way is undone; the second ends us, and it with us.
    fn listen() -> io::Result<Self> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block()?;
        let state: Arc<Mutex<State>> = Arc::default();
        let told = Arc::clone(&state);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            while signals.wait().is_ok() {
                let mut state = told.lock().unwrap_or_else(PoisonError::into_inner);
                if state.told {
                    std::process::exit(ABORTED);
                }
                state.told = true;
                if let Some(child) = state.child {
                    // It is ours and has not been waited for, so the number is still its own.
                    let _ = kill(child, Signal::SIGTERM);
                }
            }
        })?;
        Ok(Self { state })
    }

    fn is_told_to_stop(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).told
    }

    /// Its exit code, and what it said.
    fn once(&self, side: &Side, seed: Seed, record: &Path) -> io::Result<(Option<i32>, String)> {
        let own = std::env::current_exe()?;
        let mut command = Command::new(&own);
        command.args(["launch", "--parent", &std::process::id().to_string(), "--"]).arg(&own).arg("measure");
        command.arg(&side.file).args(["--seed", &seed.to_string()]).arg("--record").arg(record);
        if side.is_url() {
            command.arg("--of-url");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.told {
            return Ok((Some(ABORTED), String::new()));
        }
        let mut child = command.spawn()?;
        state.child = i32::try_from(child.id()).ok().map(Pid::from_raw);
        drop(state);
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            // What is no text says nothing.
            let _ = io::Read::read_to_string(&mut stderr, &mut said);
        }
        // It has closed its standard error, so it ends now; until it is waited for its number stays its own.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.child = None;
        drop(state);
        Ok((child.wait()?.code(), said.trim().to_owned()))
    }
}
