//! `squall service`.

use super::{Exit, complain};
use crate::service::options::{Options, Responds};
use std::path::PathBuf;

/// Arguments of `squall service`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall service --port 8080 --name cart/1\n  squall service --port 8080 --ledger cart.ledger"
)]
pub(super) struct Args {
    /// Port on 127.0.0.1; 0 lets the kernel choose, and the first line of output says which
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Name told in every answer
    #[arg(long, default_value = "service/1")]
    name: String,

    /// How it answers, as JSON
    #[arg(long, value_name = "JSON", value_parser = responds)]
    responds: Option<Responds>,

    /// File to count requests in
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,

    /// Path that answers probes
    #[arg(long, value_name = "PATH", default_value = "/health")]
    health: String,

    /// Seed of everything that is drawn; drawn itself if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn responds(text: &str) -> Result<Responds, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Serves until it is killed.
pub(super) fn main(args: Args) -> Exit {
    let options = Options {
        port: args.port,
        name: args.name,
        responds: args.responds.unwrap_or_default(),
        ledger: args.ledger,
        health: args.health,
        seed: args.seed.unwrap_or_else(crate::seed::draw),
    };
    match crate::service::run(options) {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
