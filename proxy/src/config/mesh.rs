//! What a control plane does: of all objects of a mesh it makes the configuration of one proxy.
//!
//! Pure. [`Site`] says which proxy is meant; [`resolve`] brings the objects together by Istio's rules: what the proxy sees, which object
//! wins, which blocks hold, and what the mesh's defaults are for the rest.

mod authority;
mod bootstrap;
mod clusters;
mod connections;
mod delegation;
mod effective;
mod endpoints;
mod envoys;
mod export;
mod gateway;
mod host;
mod inbound;
mod left_out;
mod locality;
mod manager;
mod named;
mod narrowing;
mod outbound;
mod registry;
mod routes;
mod rules;
mod scope;
mod site;
mod streams;
mod upstream_tls;
mod version;
mod view;
mod virtual_hosts;
mod virtual_services;

pub use left_out::{Entry, LeftOut, Why, left_out};
pub use named::without_endpoints;
pub use site::{Mode, OutboundTraffic, ServedPort, Site};
pub use version::{IstioVersion, UnknownVersion};

pub(super) use delegation::{delegate, merged, whole_rules};
pub(super) use export::seen;
pub(super) use host::{covers, namespace, narrower, of_service, qualified};
pub(super) use named::hosts as named_hosts;
pub(super) use registry::{Known, Registry};
pub(super) use routes::matches_everything;
pub(super) use scope::subset_of;
pub(super) use virtual_services::{Bound, whole_gateway};

#[cfg(test)]
pub(super) mod tests;

use super::objects::Objects;
use crate::policy::Config;
use view::View;

/// What the proxy of a site obeys. A whole configuration in Envoy's words is taken as it is, but for endpoints that are given.
pub fn resolve(objects: &Objects, site: &Site) -> Config {
    if let Some(bootstrap) = &objects.bootstrap {
        return bootstrap::with_endpoints(bootstrap, objects);
    }
    let registry = Registry::of(objects, &site.services);
    let view = View::new(objects, site, &registry);
    let mut config = Config { node: site.node.clone(), ..Config::default() };
    match site.mode {
        Mode::Outbound => {
            config.listeners = site.ports.iter().map(|served| outbound::listener(&view, served)).collect();
            config.clusters = clusters::outbound(&view);
        }
        Mode::Inbound { app } => {
            let served = site.ports.iter().map(|served| inbound::serve(&view, served, app));
            (config.listeners, config.clusters) = served.unzip();
        }
        Mode::Gateway => {
            config.listeners = gateway::listeners(&view);
            config.clusters = clusters::outbound(&view);
        }
    }
    config
}
