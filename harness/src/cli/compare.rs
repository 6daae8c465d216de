//! `squall compare`: two targets, or two scenarios, measured in blocks beside each other.
//!
//! [`side`] is what A and B may be; [`blocks`] measures them, each time in a process of its own ([`measure`]); what the blocks say is worked out by
//! [`squall_reports::compare`], and told by [`summary`].

mod blocks;
pub(super) mod measure;
mod order;
mod side;
mod speed;
mod summary;

use super::load::scenario::How;
use super::{Exit, complain};
use crate::seed;
use blocks::{Ended, Measuring};
use side::Side;
use squall_reports::compare::{Comparison, Verdict};
use std::path::PathBuf;

/// Arguments of `squall compare`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall compare http://127.0.0.1:8080/ http://127.0.0.1:8081/ --rate 500/s --for 5s\n  squall compare before.yaml after.yaml --blocks 12 --json"
)]
pub(super) struct Args {
    /// What is compared with: a URL, or a file with one scenario
    #[arg(value_name = "A")]
    a: String,

    /// What is compared: a URL, or a file with one scenario
    #[arg(value_name = "B")]
    b: String,

    /// Blocks, each of which measures A twice and B once, in random order
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(6..=200))]
    blocks: u32,

    #[command(flatten)]
    how: How,

    /// Seed of the order and of everything that is drawn; drawn itself if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// One JSON object on standard output, its keys as in docs/compare.md
    #[arg(long)]
    json: bool,

    /// Also write a page with every figure of every block here
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Measures, compares, tells.
pub(super) fn main(args: &Args, color: super::color::When) -> Exit {
    let folder = match tempfile::Builder::new().prefix("squall-compare-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            complain(&error);
            return Exit::Error;
        }
    };
    let sides = [("a", &args.a), ("b", &args.b)].map(|(name, text)| Side::of(name, text, &args.how, folder.path()));
    let [a, b] = match sides {
        [Ok(a), Ok(b)] => [a, b],
        sides => {
            return sides.into_iter().filter_map(Result::err).fold(Exit::Usage, |_, wrong| wrong.complain());
        }
    };
    if args.how.is_said() && !a.is_url() && !b.is_url() {
        complain(&"how often is asked stands in the scenarios: leave --rate, --profile and --closed out");
        return Exit::Usage;
    }
    let seed = args.seed.unwrap_or_else(seed::draw);
    let measuring = Measuring { a: &a, b: &b, blocks: args.blocks as usize, seed, folder: folder.path() };
    let (blocks, repeated) = match measuring.run() {
        Ended::All { blocks, repeated } => (blocks, repeated),
        Ended::Early { why, exit } => {
            complain(&why);
            return exit;
        }
    };
    let comparison = Comparison::of(&a.title, &b.title, seed, &blocks, repeated);
    match args.tell(&comparison, color) {
        Ok(()) => exit(comparison.verdict),
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Worse => Exit::Failed,
        Verdict::Undecided => Exit::Unproven,
        _ => Exit::Success,
    }
}

impl Args {
    /// Writes what was asked for.
    fn tell(&self, comparison: &Comparison, color: super::color::When) -> Result<(), String> {
        if let Some(path) = &self.report {
            let page = squall_reports::html::ratios::page(comparison).map_err(|error| error.to_string())?;
            std::fs::write(path, page).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let text = if self.json {
            serde_json::to_string(comparison).map_err(|error| error.to_string())? + "\n"
        } else {
            summary::text(comparison, super::color::stdout(color))
        };
        super::print(text.as_bytes());
        Ok(())
    }
}
