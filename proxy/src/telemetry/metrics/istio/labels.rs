//! Who spoke with whom, as far as the configuration knows.

use crate::policy::{Cluster, Node};
use crate::telemetry::metrics::sample::pair;
use std::collections::BTreeMap;

/// Which side counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reporter {
    /// The caller's.
    Source,
    /// The service's.
    Destination,
}

/// Labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels {
    reporter: Reporter,
    source: Side,
    destination: Side,
    service: String,
    service_name: String,
    service_namespace: String,
}

/// A workload; what is empty is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    workload: String,
    namespace: String,
    principal: String,
    app: String,
    version: String,
    cluster: String,
    canonical_service: String,
    canonical_revision: String,
}

/// The clusters of traffic that no service stands for, by whose names it is counted.
const NAMELESS: [&str; 3] = ["PassthroughCluster", "BlackHoleCluster", "InboundPassthroughCluster"];

impl Labels {
    /// Of requests that `node` sends to a cluster.
    pub(crate) fn source(node: &Node, to: &Cluster) -> Self {
        let destination = Side::of_endpoints(to);
        Self::between(Reporter::Source, Side::of_node(node), destination, to)
    }

    /// Of requests that `node` takes for the service of a cluster of its own.
    pub(crate) fn destination(node: &Node, to: &Cluster) -> Self {
        Self::between(Reporter::Destination, Side::default(), Side::of_node(node), to)
    }

    fn between(reporter: Reporter, source: Side, destination: Side, to: &Cluster) -> Self {
        let nameless = NAMELESS.into_iter().find(|name| *name == to.name);
        let name = nameless.map_or_else(|| to.service.name.clone(), ToOwned::to_owned);
        Self {
            reporter,
            source,
            destination,
            service: to.service.host.clone(),
            service_name: name,
            service_namespace: to.service.namespace.clone(),
        }
    }

    /// As Prometheus writes them.
    pub(super) fn text(&self) -> String {
        let reporter = match self.reporter {
            Reporter::Source => "source",
            Reporter::Destination => "destination",
        };
        let mut pairs = vec![
            pair("reporter", reporter),
            pair("destination_service", known(&self.service)),
            pair("destination_service_name", known(&self.service_name)),
            pair("destination_service_namespace", known(&self.service_namespace)),
        ];
        self.source.pairs("source", &mut pairs);
        self.destination.pairs("destination", &mut pairs);
        pairs.join(",")
    }
}

impl Side {
    fn of_node(node: &Node) -> Self {
        let label = |key: &str| node.labels.get(key).map(String::as_str);
        Self {
            workload: node.workload.clone(),
            namespace: node.namespace.clone(),
            cluster: node.cluster.clone(),
            ..Self::labelled(label, &node.workload)
        }
    }

    /// What all endpoints of a cluster have in common. A subset stands for its version where they do not say.
    fn of_endpoints(cluster: &Cluster) -> Self {
        let mut all =
            cluster.localities.iter().flat_map(|locality| &locality.endpoints).map(|endpoint| &endpoint.labels);
        let mut common: BTreeMap<_, _> = all.next().cloned().unwrap_or_default();
        all.for_each(|labels| common.retain(|key, value| labels.get(key) == Some(value)));
        let service = &cluster.service;
        let mut side = Self::labelled(|key| common.get(key).map(String::as_str), &service.name);
        side.namespace.clone_from(&service.namespace);
        if side.version.is_empty() {
            side.version.clone_from(&service.subset);
        }
        side
    }

    fn labelled<'a>(label: impl Fn(&str) -> Option<&'a str>, workload: &str) -> Self {
        let first =
            |keys: &[&str], otherwise: &str| keys.iter().find_map(|key| label(key)).unwrap_or(otherwise).to_owned();
        let name = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
        let revision = ["service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"];
        Self {
            app: first(&["app"], ""),
            version: first(&["version"], ""),
            canonical_service: first(&name, workload),
            canonical_revision: first(&revision, "latest"),
            ..Self::default()
        }
    }

    fn pairs(&self, side: &str, pairs: &mut Vec<String>) {
        for (name, value) in [
            ("workload", &self.workload),
            ("workload_namespace", &self.namespace),
            ("principal", &self.principal),
            ("app", &self.app),
            ("version", &self.version),
            ("cluster", &self.cluster),
            ("canonical_service", &self.canonical_service),
            ("canonical_revision", &self.canonical_revision),
        ] {
            pairs.push(pair(&format!("{side}_{name}"), known(value)));
        }
    }
}

fn known(value: &str) -> &str {
    if value.is_empty() { "unknown" } else { value }
}
