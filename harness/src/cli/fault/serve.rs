//! `squall fault serve`: Toxiproxy's API.

use crate::cli::{Exit, complain, tell};
use crate::gameday::toxiproxy::{self, Asked, Wanted};
use crate::seed;
use squall_yaml::read_plain;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Arguments of `squall fault serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "docs/game-days.md tells what is the same as in Toxiproxy and what is not.\n\nExamples:\n  squall fault serve --config toxiproxy.json\n  squall fault serve --api 127.0.0.1:18474 --allow 10.0.0.0/8"
)]
pub(super) struct Args {
    /// Where the API listens; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8474")]
    api: SocketAddr,

    /// A configuration file of Toxiproxy: proxies that are there from the beginning
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Hosts, addresses or networks that may be broken, or listened on, although they are not this machine's loopback; may be repeated
    #[arg(long, value_name = "HOST")]
    allow: Vec<String>,

    /// From which victims and delays are drawn; drawn itself if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Offers it until it is told to end.
pub(super) fn main(args: &Args) -> Exit {
    let asked = match asked(args) {
        Ok(asked) => asked,
        Err(error) => {
            complain(&error);
            return Exit::BadInput;
        }
    };
    let ready = |listen: SocketAddr, number: usize| {
        tell(&format_args!("http://{listen}: Toxiproxy's API, {number} proxies, until Ctrl-C"));
    };
    match toxiproxy::serve(&asked, ready) {
        Ok(left) if left.is_empty() => Exit::Success,
        Ok(left) => {
            left.iter().for_each(|left| complain(left));
            Exit::Error
        }
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}

fn asked(args: &Args) -> Result<Asked, String> {
    let (api, seed) = (args.api, args.seed.unwrap_or_else(seed::draw));
    if !api.ip().is_loopback() && !args.allow.iter().any(|one| one.parse() == Ok::<IpAddr, _>(api.ip())) {
        return Err(format!(
            "anybody who reaches this machine could break what {api} may; if that is meant: --allow {}",
            api.ip()
        ));
    }
    let proxies: Vec<Wanted> = match &args.config {
        None => Vec::new(),
        Some(file) => {
            let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            let text = read_plain(file).map_err(|error| said(&error))?;
            serde_json::from_slice(&text).map_err(|error| said(&error))?
        }
    };
    Ok(Asked { listen: api, proxies, allow: args.allow.clone(), seed })
}
