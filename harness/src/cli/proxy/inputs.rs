//! What the configuration of a proxy is made of, on the command line: the same for a proxy at work and for questions about it.

use super::limits::{Who, limit};
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use squall_proxy::app::{self, Listen};
use squall_proxy::config::mesh::{IstioVersion, Mode, OutboundTraffic};
use squall_proxy::policy::{Beyond, Healing, Node, Place, Setting};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Files, and which proxy is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Inputs {
    /// Istio, Kubernetes and Gateway API YAML: files or folders, watched for changes
    #[arg(long, required_unless_present = "envoy_bootstrap", num_args = 1.., value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,

    /// A whole configuration in Envoy's words (v3, static), on the ports that it says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policies", "mode", "labels", "namespace", "registry_only"])]
    envoy_bootstrap: Option<PathBuf>,

    /// EndpointSlice YAML: a file or a folder, watched for changes
    #[arg(long, value_name = "FILE|DIR")]
    endpoints: Option<PathBuf>,

    /// On whose side of the traffic it stands
    #[arg(long, value_enum, default_value_t = Side::Outbound)]
    mode: Side,

    /// Where to take requests, as in 127.0.0.1:8080: an ADDRESS by itself stands for port 80 of all services, PORT=ADDRESS for another
    /// port, SERVICE:PORT=ADDRESS for one service alone; may be repeated
    #[arg(long, value_name = "[[SERVICE:]PORT=]ADDRESS")]
    listen: Vec<Listen>,

    /// With --mode inbound: where the application listens
    #[arg(long, value_name = "ADDRESS", required_if_eq("mode", "inbound"))]
    app: Option<SocketAddr>,

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

    /// Do this better than Envoy does: see docs/beyond-envoy.md
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = PossibleValuesParser::new(Beyond::WORDS).try_map(|word| word.parse::<Beyond>()))]
    beyond_envoy: Vec<Beyond>,

    /// Limit of what clients may take, as in request-head=5s, uri-bytes=8KiB, stream-idle=none; may be repeated
    #[arg(long, value_name = "LIMIT=VALUE", value_parser = limit)]
    limit: Vec<Setting>,

    /// Who the clients are: strangers meet every limit, workloads of a mesh no times but those of the configuration
    #[arg(long, value_enum, value_name = "WHO", default_value_t = Who::Strangers)]
    clients: Who,

    /// Field of a policy that may stay without effect, as in DestinationRule.spec.trafficPolicy.tunnel; may be repeated
    #[arg(long, value_name = "FIELD")]
    accept_unsupported: Vec<String>,
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

impl Inputs {
    /// The proxy stands on the caller's side, by policies.
    pub(super) fn is_of_caller(&self) -> bool {
        self.mode == Side::Outbound && self.envoy_bootstrap.is_none()
    }

    /// As the proxy takes them; where nothing says where it listens, for port 80 of all services at a port of the kernel's choice.
    pub(super) fn resolve_listening(self) -> app::Inputs {
        let says_nothing = self.listen.is_empty() && self.envoy_bootstrap.is_none() && self.mode != Side::Gateway;
        let mut inputs = self.resolve();
        if says_nothing {
            inputs.listen.extend("127.0.0.1:0".parse::<Listen>());
        }
        inputs
    }

    /// As the proxy takes them.
    pub(super) fn resolve(self) -> app::Inputs {
        let labels: BTreeMap<_, _> = self.labels.into_iter().collect();
        app::Inputs {
            policies: self.policies.into_iter().chain(self.envoy_bootstrap).collect(),
            endpoints: self.endpoints,
            mode: match (self.mode, self.app) {
                (Side::Inbound, Some(app)) => Mode::Inbound { app },
                (Side::Gateway, _) => Mode::Gateway,
                (Side::Outbound | Side::Inbound, _) => Mode::Outbound,
            },
            listen: self.listen,
            node: Node {
                workload: labels.get("app").cloned().unwrap_or_default(),
                namespace: self.namespace,
                labels,
                place: place(&self.locality),
                ..Node::default()
            },
            istio: self.istio_version,
            unknown_hosts: if self.registry_only { OutboundTraffic::RegistryOnly } else { OutboundTraffic::AllowAny },
            disarm: self.disarm,
            beyond_envoy: self.beyond_envoy.into_iter().collect(),
            clients: self.clients.into(),
            limits: self.limit,
            accept_unsupported: self.accept_unsupported,
        }
    }
}

/// `KEY=VALUE`.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is no label: expected KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn place(text: &str) -> Place {
    let mut parts = text.splitn(3, '/').map(ToOwned::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Place { region: next(), zone: next(), sub_zone: next() }
}
