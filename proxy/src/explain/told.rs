//! What everything that is told is drawn from.

use super::setting::{Owner, Words};
use crate::config::advice::places_of;
use crate::config::mesh::Site;
use crate::config::objects::Objects;
use crate::policy::{Cluster, Config, Healing, Origin, Route};

/// What everything that is told is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) objects: &'a Objects,
    pub(super) site: &'a Site,
    pub(super) config: &'a Config,
}

impl<'a> Told<'a> {
    /// Whose defaults hold where nothing is written.
    pub(super) fn owner(&self) -> Owner {
        if self.objects.bootstrap.is_some() { Owner::Envoy } else { Owner::Istio(self.site.version) }
    }

    /// How a route was written.
    pub(super) fn route(&self, route: &'a Route) -> Words<'a> {
        let is_api = route.origin.fields.has("backendRefs");
        Words::of_route(self.owner(), is_api, &route.origin)
    }

    /// How the policy of a cluster was written.
    pub(super) fn cluster(&self, cluster: &'a Cluster) -> Words<'a> {
        let (origin, bases) = places_of(self.objects, cluster);
        Words::of_cluster(self.owner(), origin, bases)
    }

    /// True if this healing was taken out.
    pub(super) fn without(&self, healing: Healing) -> bool {
        self.config.disarmed.contains(&healing)
    }
}

/// `file:line`; empty where nobody wrote it.
pub(super) fn place(origin: &Origin) -> String {
    if origin.line == 0 { String::new() } else { origin.to_string() }
}
