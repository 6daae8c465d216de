//! `squall launch`, through which every child of a run is started.

use super::{Exit, complain};
use std::ffi::OsString;

/// Arguments of `squall launch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The process whose death ends the program
    #[arg(long)]
    parent: u32,

    /// The program and its arguments
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Becomes the program; comes back only if that failed.
pub(super) fn main(args: &Args) -> Exit {
    let error = crate::process::launch::exec(args.parent, &args.command);
    complain(&error);
    Exit::Error
}
