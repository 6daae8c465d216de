//! A whole configuration whose clusters are told where their services are.

use super::endpoints::{by_place, of_slice};
use super::host::{of_service, qualified};
use crate::config::objects::Objects;
use crate::policy::{Config, Discovery, EndpointHealth};

/// The configuration with the endpoints that are given in the place of those of clusters named as their services.
pub(super) fn with_endpoints(bootstrap: &Config, objects: &Objects) -> Config {
    let mut config = bootstrap.clone();
    for cluster in &mut config.clusters {
        let host = qualified(&cluster.name, "");
        let given = objects.endpoints.iter().filter(|slice| of_service(&slice.service, &slice.namespace) == host);
        let staying = given.clone().filter(|slice| slice.health != EndpointHealth::Draining);
        if given.count() > 0 {
            cluster.discovery = Discovery::Static;
            cluster.localities = by_place(staying.map(|slice| (slice.place.clone(), of_slice(slice))));
        }
    }
    config
}
