//! `squall proxy`.

use super::{Exit, complain};
use clap::ValueEnum;
use squall_proxy::app::{self, AccessLogFormat, Listen};
use squall_proxy::config::mesh::{IstioVersion, Mode, OutboundTraffic};
use squall_proxy::policy::{Healing, Node, Place};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Arguments of `squall proxy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --listen 127.0.0.1:8080\n  squall proxy --policies scenarios/ejection/policies/slow.yaml --disarm retries,outlier-detection"
)]
pub(super) struct Args {
    /// Istio, Kubernetes and Gateway API YAML: files or folders, watched for changes
    #[arg(long, required_unless_present = "envoy_bootstrap", num_args = 1.., value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,

    /// A whole configuration in Envoy's words (v3, static), on the ports that it says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policies", "mode", "labels", "namespace"])]
    envoy_bootstrap: Option<PathBuf>,

    /// EndpointSlice YAML: a file or a folder, watched for changes
    #[arg(long, value_name = "FILE|DIR")]
    endpoints: Option<PathBuf>,

    /// On whose side of the traffic it stands
    #[arg(long, value_enum, default_value_t = Side::Outbound)]
    mode: Side,

    /// Where to take requests: ADDRESS for port 80 of all services, PORT=ADDRESS for another, SERVICE:PORT=ADDRESS for bytes;
    /// may be repeated
    #[arg(long, value_name = "[[SERVICE:]PORT=]ADDRESS")]
    listen: Vec<Listen>,

    /// With --mode inbound: where the application listens
    #[arg(long, value_name = "ADDRESS", required_if_eq("mode", "inbound"))]
    app: Option<SocketAddr>,

    /// Where to answer questions such as /ready and /stats/prometheus; loopback only
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,

    /// Answer questions from other machines, too: the admin interface shows and changes everything
    #[arg(long)]
    admin_exposed: bool,

    /// Namespace of the workload that the proxy stands beside
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,

    /// Labels of that workload, as in app=cart,version=v1
    #[arg(long, value_delimiter = ',', value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Where that workload runs
    #[arg(long, value_name = "REGION[/ZONE[/SUB-ZONE]]", default_value = "")]
    locality: String,

    /// Whose behaviour is followed, as in 1.23
    #[arg(long, value_name = "VERSION", default_value = "latest")]
    istio_version: IstioVersion,

    /// Answer calls to hosts that nobody knows with 502, instead of passing them on
    #[arg(long)]
    registry_only: bool,

    /// Take healing out of whatever the policies say, now and after every reload
    #[arg(long, value_delimiter = ',', value_name = "HEALING")]
    disarm: Vec<Healing>,

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

    /// Field of a policy that may stay without effect, as in DestinationRule.spec.trafficPolicy.tunnel; may be repeated
    #[arg(long, value_name = "FIELD")]
    accept_unsupported: Vec<String>,

    /// Longest wait for requests under way when it is told to end
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_time: u64,

    /// Seed of balancing and back-off; drawn if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// On whose side of the traffic a proxy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    /// The caller's
    Outbound,
    /// The service's
    Inbound,
    /// Where strangers come in, by Gateway objects
    Gateway,
}

/// What a line of the access log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLine {
    /// Istio's keys, and how many tries it took
    Json,
    /// Istio's text
    Text,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is no label: expected KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn place(text: &str) -> Place {
    let mut parts = text.splitn(3, '/').map(ToOwned::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Place { region: next(), zone: next(), sub_zone: next() }
}

/// Runs until drained by TERM or INT.
pub(super) fn main(args: Args) -> Exit {
    let labels: std::collections::BTreeMap<_, _> = args.labels.into_iter().collect();
    let mode = match (args.mode, args.app) {
        (Side::Inbound, Some(app)) => Mode::Inbound { app },
        (Side::Gateway, _) => Mode::Gateway,
        (Side::Outbound | Side::Inbound, _) => Mode::Outbound,
    };
    let mut listen = args.listen;
    if listen.is_empty() && args.envoy_bootstrap.is_none() && mode != Mode::Gateway {
        listen.extend("127.0.0.1:0".parse::<Listen>());
    }
    let options = app::Options {
        policies: args.policies.into_iter().chain(args.envoy_bootstrap).collect(),
        endpoints: args.endpoints,
        mode,
        listen,
        admin: args.admin,
        admin_exposed: args.admin_exposed,
        node: Node {
            workload: labels.get("app").cloned().unwrap_or_default(),
            namespace: args.namespace,
            labels,
            place: place(&args.locality),
            ..Node::default()
        },
        istio: args.istio_version,
        unknown_hosts: if args.registry_only { OutboundTraffic::RegistryOnly } else { OutboundTraffic::AllowAny },
        disarm: args.disarm,
        concurrency: args.concurrency as usize,
        access_log: args.access_log,
        access_log_format: match args.access_log_format {
            LogLine::Json => AccessLogFormat::Json,
            LogLine::Text => AccessLogFormat::Text,
        },
        event_log: args.event_log,
        accept_unsupported: args.accept_unsupported,
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
