//! `squall check`.

use super::{Exit, complain, tell};
use crate::scenario::{self, LoadOptions, finding};
use squall_proxy::config::mesh::IstioVersion;
use std::path::PathBuf;

/// Arguments of `squall check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall check scenarios/\n  squall check scenarios/ejection --set load.rate=800/s")]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,

    /// Change a value of every scenario, as in load.rate=800/s; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Whose behaviour is followed, as in 1.23, where a scenario does not say it by `mesh: {compat: ...}`
    #[arg(long, value_name = "VERSION", default_value = "latest")]
    istio_version: IstioVersion,
}

/// Shows everything that is wrong with scenarios and their policies; starts nothing.
pub(super) fn main(args: &Args) -> Exit {
    let options = LoadOptions { set: args.set.clone(), istio: args.istio_version, ..LoadOptions::default() };
    match scenario::load(&args.paths, &options) {
        Err(findings) => {
            finding::print(&findings);
            Exit::BadInput
        }
        Ok(loaded) if loaded.scenarios.is_empty() => {
            complain(&"no scenario found: a scenario is a YAML file with the key `scenario`");
            Exit::BadInput
        }
        Ok(loaded) => {
            finding::print(&loaded.warnings);
            let number = loaded.scenarios.len();
            tell(&format_args!("{number} scenario{} can be run", if number == 1 { "" } else { "s" }))
        }
    }
}
