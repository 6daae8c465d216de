//! One order for everything whose order means nothing.

use crate::policy::{Config, Handler, HttpManager, Locality, TcpProxy};

/// The same configuration in the one order: by name, and endpoints by address. Routes, filters and filter chains stay as they are, for
/// their order is behaviour.
pub(super) fn ordered(mut config: Config) -> Config {
    config.listeners.sort_by(|one, other| (one.address, &one.name).cmp(&(other.address, &other.name)));
    config.clusters.sort_by(|one, other| one.name.cmp(&other.name));
    for cluster in &mut config.clusters {
        cluster.localities.iter_mut().for_each(endpoints);
        cluster.localities.sort_by(|one, other| (one.priority, &one.place).cmp(&(other.priority, &other.place)));
    }
    for listener in &mut config.listeners {
        for chain in listener.chains.iter_mut().chain(&mut listener.default_chain) {
            match &mut chain.handler {
                Handler::Http(manager) => hosts(manager),
                Handler::Tcp(proxy) => destinations(proxy),
            }
        }
    }
    config
}

fn endpoints(locality: &mut Locality) {
    locality.endpoints.sort_by(|one, other| one.address.cmp(&other.address));
}

fn hosts(manager: &mut HttpManager) {
    let hosts = &mut manager.routes.virtual_hosts;
    hosts.iter_mut().for_each(|host| host.domains.sort());
    hosts.sort_by(|one, other| (&one.name, &one.domains).cmp(&(&other.name, &other.domains)));
}

fn destinations(proxy: &mut TcpProxy) {
    proxy.to.sort_by(|one, other| one.name.cmp(&other.name));
}
