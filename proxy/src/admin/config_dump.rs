//! What is configured, in this proxy's own words: Envoy's tree would claim resources that do not exist.

use crate::policy::{Action, Handler, Listener, Route, Target};
use crate::serve::Shared;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The version that is loaded, why the newest was refused and how many were, what was taken out, and what there is.
pub(super) fn config_dump(shared: &Shared) -> Value {
    let snapshot = shared.snapshot.load();
    let config = &snapshot.config;
    let disarmed: Vec<_> = config.disarmed.iter().map(|healing| healing.word()).collect();
    let clusters: Vec<_> = config
        .clusters
        .iter()
        .map(|cluster| {
            let endpoints: Vec<_> = cluster.endpoints().map(|endpoint| endpoint.address.to_string()).collect();
            json!({"name": cluster.name, "from": cluster.origin.to_string(), "endpoints": endpoints})
        })
        .collect();
    json!({
        "version": snapshot.version,
        "refused": **shared.refused.load(),
        "refusals": shared.reloads_refused.load(Ordering::Relaxed),
        "disarmed": disarmed,
        "beyond_envoy": config.beyond_envoy,
        "listeners": config.listeners.iter().map(listener).collect::<Vec<_>>(),
        "clusters": clusters,
    })
}

fn listener(listener: &Listener) -> Value {
    let chains = listener.chains.iter().chain(&listener.default_chain).map(|chain| match &chain.handler {
        Handler::Http(manager) => {
            let hosts = manager.routes.virtual_hosts.iter().map(|host| {
                let routes: Vec<_> = host.routes.iter().map(|one| route(one)).collect();
                json!({"name": host.name, "domains": host.domains, "from": host.origin.to_string(), "routes": routes})
            });
            json!({"chain": chain.name, "http": hosts.collect::<Vec<_>>()})
        }
        Handler::Tcp(proxy) => {
            let to: Vec<_> = proxy.to.iter().map(|to| &to.name).collect();
            json!({"chain": chain.name, "tcp": to})
        }
    });
    json!({
        "name": listener.name,
        "address": listener.address.to_string(),
        "from": listener.origin.to_string(),
        "chains": chains.collect::<Vec<_>>(),
    })
}

fn route(route: &Route) -> Value {
    let action = match &route.action {
        Action::Forward(forward) => match &forward.to {
            Target::Weighted(to) => {
                json!({"to": to.iter().map(|to| json!({to.name.clone(): to.weight})).collect::<Vec<_>>()})
            }
            Target::Header(name) => json!({"to_cluster_of_header": name}),
        },
        Action::Redirect(redirect) => json!({"redirect": redirect.status}),
        Action::Direct(direct) => json!({"answer": direct.status}),
    };
    json!({"name": route.name, "from": route.origin.to_string(), "action": action})
}
