//! `squall proxy`, and questions about what it would do.

mod explain;
mod inputs;
mod limits;
mod translate;

use super::{Exit, complain};
use clap::ValueEnum;
use inputs::Inputs;
use squall_proxy::app::{self, AccessLogFormat};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Arguments of `squall proxy`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --listen 127.0.0.1:8080\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --disarm retries,outlier-detection"
)]
pub(super) struct Args {
    #[command(subcommand)]
    question: Option<Question>,

    #[command(flatten)]
    inputs: Inputs,

    /// Where to answer questions such as /ready and /stats/prometheus; loopback only
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,

    /// Answer questions from other machines, too: the admin interface shows and changes everything
    #[arg(long)]
    admin_exposed: bool,

    /// Worker threads, each with a runtime and connections of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: u32,

    /// A line a request
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,

    /// What such a line looks like
    #[arg(long, value_enum, default_value_t = LogLine::Json, requires = "access_log")]
    access_log_format: LogLine,

    /// JSON lines, one an ejection or readmission
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,

    /// Longest wait for requests under way when it is told to end
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_time: u64,

    /// Seed of balancing and back-off; drawn if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Questions about a proxy that is not started.
#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Say what becomes of one request, and why; send nothing
    Explain(Box<explain::Args>),
    /// Print what a proxy obeys, defaults written out, for reading and comparing; start nothing
    Translate(Box<translate::Args>),
}

/// What a line of the access log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLine {
    /// Istio's keys, and how many tries it took
    Json,
    /// Istio's text
    Text,
}

/// Runs until drained by TERM or INT.
pub(super) fn main(args: Args) -> Exit {
    match args.question {
        Some(Question::Explain(args)) => return explain::main(*args),
        Some(Question::Translate(args)) => return translate::main(*args),
        None => {}
    }
    let options = app::Options {
        inputs: args.inputs.resolve_listening(),
        admin: args.admin,
        admin_exposed: args.admin_exposed,
        concurrency: args.concurrency as usize,
        access_log: args.access_log,
        access_log_format: match args.access_log_format {
            LogLine::Json => AccessLogFormat::Json,
            LogLine::Text => AccessLogFormat::Text,
        },
        event_log: args.event_log,
        seed: args.seed.unwrap_or_else(crate::seed::draw),
        drain: Some(std::time::Duration::from_secs(args.drain_time)),
    };
    match app::run(options) {
        Ok(()) => Exit::Success,
        Err(app::Error::Policies(findings)) => {
            crate::scenario::finding::print(&findings);
            Exit::BadInput
        }
        Err(error @ app::Error::Setup(_)) => {
            complain(&error);
            Exit::BadInput
        }
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
