//! `squall guardian`, started by a run.

use super::{Exit, complain};
use std::path::PathBuf;

/// Arguments of `squall guardian`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's folder
    #[arg(long)]
    run: PathBuf,
}

/// Waits for the end of the run, however it ends.
pub(super) fn main(args: &Args) -> Exit {
    match crate::guardian::run(&args.run) {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
