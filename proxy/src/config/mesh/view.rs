//! What one proxy sees of the mesh.

use super::Site;
use super::registry::{Known, Registry};
use super::rules::{Caller, Rule, rule_for};
use super::scope::Scope;
use super::virtual_services::{Bound, seen_from};
use super::{Mode, OutboundTraffic, host::namespace};
use crate::config::objects::{HttpAction, Objects};

/// What one proxy sees of the mesh.
#[derive(Debug)]
pub(super) struct View<'o> {
    /// The proxy.
    pub site: &'o Site,
    /// Everything there is.
    pub objects: &'o Objects,
    /// Services that its namespace sees.
    pub services: Vec<&'o Known<'o>>,
    /// Routing objects that its namespace sees, first those that win.
    pub virtual_services: Vec<Bound<'o>>,
    scope: Scope<'o>,
}

impl<'o> View<'o> {
    /// What the proxy of a site sees.
    pub(super) fn new(objects: &'o Objects, site: &'o Site, registry: &'o Registry<'o>) -> Self {
        let scope = match site.mode {
            Mode::Gateway => Scope::everything(&site.node),
            Mode::Outbound | Mode::Inbound { .. } => Scope::of(objects, &site.node),
        };
        let services = registry.visible(site.namespace());
        Self { site, objects, services, virtual_services: seen_from(objects, site.namespace()), scope }
    }

    /// What becomes of calls to hosts that nobody knows: by the workload's `Sidecar`, else by the mesh.
    pub(super) fn unknown_hosts(&self) -> OutboundTraffic {
        self.scope.unknown_hosts().unwrap_or(self.site.unknown_hosts)
    }

    /// The service of a host.
    pub(super) fn service(&self, host: &str) -> Option<&'o Known<'o>> {
        self.services.iter().copied().find(|service| service.host == host)
    }

    /// Services that a listener for a port may lead to.
    pub(super) fn services_at(&self, port: u16) -> impl Iterator<Item = &'o Known<'o>> {
        self.services.iter().copied().filter(move |service| {
            service.port(port).is_some() && self.scope.imports(&service.namespace, &service.host, Some(port))
        })
    }

    /// Routing objects of the mesh that count at a port.
    pub(super) fn mesh_routing_at(&self, port: u16) -> impl Iterator<Item = &Bound<'o>> {
        let of_mesh = self.virtual_services.iter().filter(|bound| bound.is_bound_to("mesh"));
        of_mesh.filter(move |bound| bound.hosts.iter().any(|host| self.scope.routes(bound.namespace, host, port)))
    }

    /// Services that have clusters: those that may be called, and those that a route of the mesh leads to.
    pub(super) fn clustered(&self) -> Vec<&'o Known<'o>> {
        let imported = |service: &Known<'_>| self.scope.imports(&service.namespace, &service.host, None);
        let routed = |service: &Known<'_>| {
            let ports = self.site.ports.iter().map(|served| served.port);
            ports.into_iter().any(|port| self.mesh_routing_at(port).any(|bound| leads_to(bound, &service.host)))
        };
        self.services.iter().copied().filter(|service| imported(service) || routed(service)).collect()
    }

    /// The rule for traffic to a service.
    pub(super) fn rule(&self, service: &Known<'_>) -> Option<Rule> {
        rule_for(self.objects, Caller::Outbound(&self.site.node), &service.host, &service.namespace)
    }

    /// The rule for traffic to a host, whether it is known or not.
    pub(super) fn rule_of_host(&self, host: &str) -> Option<Rule> {
        let owner = self.service(host).map_or_else(
            || super::host::of_kubernetes(host).map_or("", |(_, namespace)| namespace).to_owned(),
            |service| service.namespace.clone(),
        );
        rule_for(self.objects, Caller::Outbound(&self.site.node), host, namespace(&owner))
    }
}

/// True if a rule of the object leads to the host, be it by copies.
fn leads_to(bound: &Bound<'_>, host: &str) -> bool {
    bound.rules.iter().any(|rule| {
        let routed = match &rule.action {
            HttpAction::Route(backends) => backends.iter().any(|backend| backend.to.host == host),
            _ => false,
        };
        routed || rule.mirrors.iter().any(|mirror| mirror.to.host == host)
    })
}
