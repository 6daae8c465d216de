//! `squall proxy`.

use super::{Exit, complain};
use squall_proxy::app;
use squall_proxy::policy::Healing;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Arguments of `squall proxy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --listen 127.0.0.1:8080\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --disarm retries,outlier-detection"
)]
pub(super) struct Args {
    /// Istio and Kubernetes YAML: files or folders, watched for changes
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,

    /// EndpointSlice YAML: a file or a folder, watched for changes
    #[arg(long, value_name = "FILE|DIR")]
    endpoints: Option<PathBuf>,

    /// Where to take requests
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where to answer questions such as /ready and /stats/prometheus; loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    admin: SocketAddr,

    /// Take healing out of whatever the policies say, now and after every reload
    #[arg(long, value_delimiter = ',', value_name = "HEALING")]
    disarm: Vec<Healing>,

    /// Worker threads, each with a runtime and connections of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: u32,

    /// JSON lines, one a request
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,

    /// JSON lines, one an ejection or readmission
    #[arg(long, value_name = "FILE")]
    event_log: Option<PathBuf>,

    /// Field of a policy that may stay without effect, as in DestinationRule.spec.trafficPolicy.tls; may be repeated
    #[arg(long, value_name = "FIELD")]
    accept_unsupported: Vec<String>,

    /// Seed of balancing and back-off; drawn if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Runs until drained by TERM or INT.
pub(super) fn main(args: Args) -> Exit {
    let options = app::Options {
        policies: args.policies,
        endpoints: args.endpoints,
        listen: args.listen,
        admin: args.admin,
        disarm: args.disarm,
        concurrency: args.concurrency as usize,
        access_log: args.access_log,
        event_log: args.event_log,
        accept_unsupported: args.accept_unsupported,
        seed: args.seed.unwrap_or_else(crate::seed::draw),
    };
    match app::run(options) {
        Ok(()) => Exit::Success,
        Err(app::Error::Policies(findings)) => {
            crate::scenario::finding::print(&findings);
            Exit::BadInput
        }
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
