//! `squall selftest`: whether Squall itself keeps its promises on this machine.

use super::{Exit, complain, tell};
use crate::seed;
use crate::selftest::{self, Options};

/// Arguments of `squall selftest`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall selftest faults\n  squall selftest faults --kinds abort,kill --kills 50 --seed 7 --json"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Kill what a run consists of under every kind of fault, and the harness at random moments; tell what was left
    Faults(Faults),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall selftest faults --kinds abort,kill --kills 50\n  squall selftest faults --full --seed 7 --json"
)]
struct Faults {
    /// Only these kinds of faults; otherwise eight that stand for all
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<String>,

    /// How often the harness is killed at a random moment; 200 otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    kills: Option<u32>,

    /// From which the moments are drawn; drawn itself and printed if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// All kinds, and 10,000 kills: more than an hour
    #[arg(long)]
    full: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Carries it out: 0 if everything held, 1 if not.
pub(super) fn main(args: &Args) -> Exit {
    let What::Faults(faults) = &args.what;
    let options = Options {
        kinds: faults.kinds.clone(),
        kills: faults.kills,
        seed: faults.seed.unwrap_or_else(seed::draw),
        full: faults.full,
    };
    let report = match selftest::run(&options, &|progress| anstream::eprintln!("{progress}")) {
        Ok(report) => report,
        Err(error) => {
            complain(&error);
            return if matches!(error, selftest::Error::Unknown { .. }) { Exit::Usage } else { Exit::Error };
        }
    };
    let told = if faults.json { tell(&report.json()) } else { tell(&report.table().trim_end()) };
    if report.has_held() { told } else { Exit::Error }
}
