//! `squall measure`, started by a comparison: one measurement, in a process of its own.

use super::side;
use crate::cli::load::{once::once, scenario::read};
use crate::cli::{Exit, complain};
use std::path::PathBuf;

/// Arguments of `squall measure`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The scenario
    file: PathBuf,

    /// It was made of a command line
    #[arg(long)]
    of_url: bool,

    /// Seed of everything that is drawn
    #[arg(long)]
    seed: u64,

    /// Where the record goes
    #[arg(long)]
    record: PathBuf,
}

/// Measures once.
pub(in crate::cli) fn main(args: &Args) -> Exit {
    let scenario = if args.of_url {
        let text = std::fs::read_to_string(&args.file).map_err(|error| vec![error.to_string()]);
        text.and_then(|text| read(&text)).map_err(side::Wrong::Asked)
    } else {
        side::one(&args.file)
    };
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(wrong) => return wrong.complain(),
    };
    let measured = once(scenario, Some(args.seed), |_| {}).and_then(|(record, exit)| {
        let text = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
        std::fs::write(&args.record, text).map_err(|error| format!("{}: {error}", args.record.display()))?;
        Ok(exit)
    });
    measured.unwrap_or_else(|error| {
        complain(&error);
        Exit::Error
    })
}
