//! What a request sees of the configuration: built whole, immutable, swapped in one step.

mod build;
mod service;

pub(crate) use build::{BuildError, Built, Registry, Resolved, Telemetry};
pub(crate) use service::{Chain, Found, HttpService, ResolvedRoute, RouteChanges, Runtime, Service, TcpService};

use super::trace::Spans;
use crate::cluster::Cluster;
use crate::policy::Config;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A listener, the same over reloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListenerId(pub u32);

/// A filter chain, the same over reloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ChainId(pub u32);

/// Clusters by name, so that everything printed of them has one order.
pub(crate) type Clusters = BTreeMap<Arc<str>, Arc<Cluster>>;

/// The configuration at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Names the files that it was made from.
    pub version: String,
    /// What it was made from.
    pub config: Config,
    listeners: BTreeMap<ListenerId, Runtime>,
    chains: Vec<Option<Arc<HttpService>>>,
    /// All of them.
    pub clusters: Arc<Clusters>,
    /// Shared with all others, and with whoever builds them.
    alive: Arc<()>,
}

impl Snapshot {
    /// Snapshots that somebody still uses, this one among them.
    pub(crate) fn alive(&self) -> u64 {
        Arc::strong_count(&self.alive).saturating_sub(1) as u64
    }

    /// A listener, if there still is one.
    pub(crate) fn listener(&self, id: ListenerId) -> Option<&Runtime> {
        self.listeners.get(&id)
    }

    /// All listeners.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Runtime)> {
        self.listeners.iter().map(|(id, runtime)| (*id, runtime))
    }

    /// Who serves the requests of a chain, if there still is one.
    pub(crate) fn http(&self, id: ChainId) -> Option<&Arc<HttpService>> {
        self.chains.get(id.0 as usize)?.as_ref()
    }

    /// Who serves requests, by chain.
    pub(crate) fn services(&self) -> impl Iterator<Item = (ChainId, &Arc<HttpService>)> {
        let numbered = (0..).map(ChainId).zip(&self.chains);
        numbered.filter_map(|(id, service)| Some((id, service.as_ref()?)))
    }

    /// Where spans go, of every chain that makes any.
    pub(crate) fn spans(&self) -> impl Iterator<Item = &Spans> {
        self.chains.iter().flatten().filter_map(|service| service.spans.as_ref())
    }

    /// A cluster by its name.
    pub(crate) fn cluster(&self, name: &str) -> Option<&Arc<Cluster>> {
        self.clusters.get(name)
    }
}
