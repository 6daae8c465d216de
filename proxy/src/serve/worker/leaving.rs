//! Chains that a reload has taken away: whoever is connected by one is still answered for a while, and told to go.

use crate::clock::now;
use crate::serve::snapshot::{ChainId, HttpService, Snapshot};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who answers on chains that are gone, each as it was configured last.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    chains: HashMap<ChainId, (Arc<HttpService>, Instant)>,
}

impl Leaving {
    /// What is left once one snapshot has taken another's place. None: nothing new.
    pub(crate) fn after(&self, before: &Snapshot, after: &Snapshot, patience: Duration) -> Option<Self> {
        let until = now() + patience;
        let gone = before.services().filter(|(chain, _)| after.http(*chain).is_none());
        let gone: HashMap<_, _> = gone.map(|(chain, service)| (chain, (Arc::clone(service), until))).collect();
        (!gone.is_empty()).then(|| Self { chains: self.chains.clone().into_iter().chain(gone).collect() })
    }

    /// What is left now. None: all of it.
    pub(crate) fn left(&self) -> Option<Self> {
        let now = now();
        let mut chains = self.chains.clone();
        chains.retain(|_, (_, until)| *until > now);
        (chains.len() < self.chains.len()).then_some(Self { chains })
    }

    /// Who answers on a chain that is gone; none: its time is over.
    pub(crate) fn http(&self, chain: ChainId) -> Option<&Arc<HttpService>> {
        self.chains.get(&chain).map(|(service, _)| service)
    }
}
