//! `squall load`: a load on whoever runs already, without a scenario file.

mod merge;
pub(super) mod once;
pub(super) mod scenario;
mod summary;

use super::{Exit, complain, live};
use crate::output::{Format, Outputs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use squall_reports::load::Load;
use squall_reports::record::{ArmKind, Record};
use squall_reports::{hlog, html};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `squall load`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall load http://127.0.0.1:8080/ --rate 500/s --for 10s --expect 'p99<=20ms'\n  squall load https://cart.test/items --allow cart.test --closed --connections 64 --http2 --json"
)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,

    #[command(flatten)]
    asked: scenario::Asked,

    /// One JSON object on standard output, its keys as in docs/load.md
    #[arg(long)]
    json: bool,

    /// Also write all latencies here, as a histogram log
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,

    /// Also write the report here, a page of its own
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Also write the record here, from which everything can be drawn again
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Seed of everything that is drawn; drawn itself if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Print what is asked as a scenario file, and send nothing
    #[arg(long, conflicts_with_all = ["json", "hlog", "report", "record"])]
    scenario: bool,

    #[command(flatten)]
    live: live::Args,
}

/// What is done instead of asking.
#[derive(Debug, clap::Subcommand)]
enum Instead {
    /// Puts together what several generators have sent at the same time
    Merge(merge::Args),
}

/// Asks, judges, tells.
pub(super) fn main(args: &Args, color: super::color::When) -> Exit {
    if let Some(Instead::Merge(args)) = &args.instead {
        return merge::main(args, color);
    }
    let text = match args.asked.scenario() {
        Ok(text) => text,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    if args.scenario {
        return super::print(text.as_bytes());
    }
    let scenario = match scenario::read(&text) {
        Ok(scenario) => scenario,
        Err(errors) => {
            errors.iter().for_each(|error| complain(error));
            return Exit::BadInput;
        }
    };
    let shown = match live::options(args.live, Format::Human, false, color) {
        Ok(shown) => shown,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let outputs = Arc::new(Outputs::new(shown, || {
        // A signal to oneself arrives.
        let _ = kill(Pid::this(), Signal::SIGINT);
    }));
    let said = Arc::clone(&outputs);
    let ran = once::once(scenario, args.seed, move |event| said.event(event));
    outputs.close();
    match ran {
        Ok((record, exit)) => match args.tell(&record, color) {
            Ok(()) => exit,
            Err(error) => {
                complain(&error);
                Exit::Error
            }
        },
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}

impl Args {
    /// Writes what was asked for.
    fn tell(&self, record: &Record, color: super::color::When) -> Result<(), String> {
        let arm = record.arms.iter().find(|arm| arm.kind == ArmKind::Main && !arm.superseded);
        let write = |path: &Path, bytes: &[u8]| {
            std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
        };
        if let (Some(path), Some(arm)) = (&self.hlog, arm) {
            write(path, hlog::write(arm).map_err(|error| error.to_string())?.as_bytes())?;
        }
        if let Some(path) = &self.report {
            write(path, html::report(record).map_err(|error| error.to_string())?.as_bytes())?;
        }
        if let Some(path) = &self.record {
            write(path, &serde_json::to_vec(record).map_err(|error| error.to_string())?)?;
        }
        let load = Load::of(record);
        let text = if self.json {
            serde_json::to_string(&load).map_err(|error| error.to_string())? + "\n"
        } else {
            summary::text(&load, super::color::stdout(color))
        };
        super::print(text.as_bytes());
        Ok(())
    }
}
