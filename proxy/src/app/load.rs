//! From files to the configuration of this proxy.

use super::{Inputs, Listen};
use crate::config::advice::{Instances, unlisted_hosts};
use crate::config::mesh::{self, Mode, Site};
use crate::config::objects::Objects;
use crate::config::{self, LoadOptions};
use crate::policy::{Clients, Config, Listener, disarm, go_beyond, limit};
use squall_yaml::{Finding, Place, Severity, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The configuration as it is on disk, and the name of that state.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) version: String,
    pub(crate) config: Config,
    pub(crate) warnings: Vec<Finding>,
    /// Texts of the policies.
    pub(crate) policies: Vec<Source>,
    /// Files in which anything stands at all.
    pub(crate) filled: BTreeSet<PathBuf>,
}

/// Objects as they are on disk.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) version: String,
    pub(crate) objects: Objects,
    pub(crate) warnings: Vec<Finding>,
    policies: Vec<Source>,
    filled: BTreeSet<PathBuf>,
}

/// Reads everything anew; what was to be taken out is taken out.
pub(crate) fn load(inputs: &Inputs) -> Result<Loaded, Vec<Finding>> {
    Ok(loaded(inputs, read(inputs, true)?))
}

/// Reads endpoints anew, under policies that were read before.
pub(crate) fn load_endpoints(inputs: &Inputs, policies: &[Source]) -> Result<Loaded, Vec<Finding>> {
    let options = load_options(inputs, true);
    let read = config::read(policies, &options).map(|read| config::Loaded { sources: policies.to_vec(), ..read });
    Ok(loaded(inputs, found(read, inputs, &options)?))
}

fn loaded(inputs: &Inputs, found: Found) -> Loaded {
    let Found { version, objects, mut warnings, policies, filled } = found;
    warnings.extend(lacks(inputs, &objects, &filled));
    let config = resolve(inputs, &objects, &site(inputs, &objects));
    Loaded { version, config, warnings, policies, filled }
}

/// Reads policies and endpoints. `forget_fields`: nobody will ask where fields stand.
pub(crate) fn read(inputs: &Inputs, forget_fields: bool) -> Result<Found, Vec<Finding>> {
    let options = load_options(inputs, forget_fields);
    found(config::load(&inputs.policies, &options), inputs, &options)
}

fn load_options(inputs: &Inputs, forget_fields: bool) -> LoadOptions {
    LoadOptions { accept_unsupported: inputs.accept_unsupported.clone(), forget_fields, version: inputs.istio }
}

/// Policies with the endpoints that there are now.
fn found(
    policies: Result<config::Loaded, Vec<Finding>>,
    inputs: &Inputs,
    options: &LoadOptions,
) -> Result<Found, Vec<Finding>> {
    let endpoint_paths: Vec<PathBuf> = inputs.endpoints.iter().cloned().collect();
    let (policies, endpoints) = match (policies, config::load(&endpoint_paths, options)) {
        (Ok(policies), Ok(endpoints)) => (policies, endpoints),
        (policies, endpoints) => {
            let findings = policies.err().into_iter().chain(endpoints.err()).flatten();
            return Err(findings.collect());
        }
    };
    let version = config::version(policies.sources.iter().chain(&endpoints.sources));
    let mut objects = policies.objects;
    objects.extend(endpoints.objects);
    let filled = policies.filled.into_iter().chain(endpoints.filled).collect();
    Ok(Found { version, objects, warnings: policies.warnings, policies: policies.sources, filled })
}

/// The proxy as a control plane sees it. Where nothing lists services, those that the policies name are taken to be there: policies by
/// themselves mean a mesh that has what they speak of.
pub(crate) fn site(inputs: &Inputs, objects: &Objects) -> Site {
    let lists_any = inputs.endpoints.is_some()
        || !objects.endpoints.is_empty()
        || !objects.services.is_empty()
        || !objects.service_entries.is_empty();
    let services = if lists_any { Vec::new() } else { unlisted_hosts(objects, &Instances::default()) };
    Site { services, ..inputs.site() }
}

/// What a proxy cannot do for want of objects.
fn lacks(inputs: &Inputs, objects: &Objects, filled: &BTreeSet<PathBuf>) -> Vec<Finding> {
    let lack = |file: &Path, message: String, help: &str| Finding {
        severity: Severity::Warning,
        file: file.to_owned(),
        place: Place::default(),
        span_len: 0,
        message,
        expected: None,
        help: Some(help.to_owned()),
        code: None,
    };
    let empty = inputs.policies.iter().filter(|path| !filled.iter().any(|file| file.starts_with(path)));
    let mut lacks: Vec<_> = empty
        .map(|path| lack(path, "no policy stands here".to_owned(), "policies are objects in YAML or JSON files"))
        .collect();
    let nowhere = if objects.bootstrap.is_none() { mesh::without_endpoints(objects) } else { Vec::new() };
    if let (Some(path), false, Mode::Outbound | Mode::Gateway) =
        (inputs.policies.first(), nowhere.is_empty(), inputs.mode)
    {
        let message = format!("policies name hosts of which nobody says where they are: {}", nowhere.join(", "));
        lacks.push(lack(path, message, "--endpoints says it, or a ServiceEntry"));
    }
    lacks
}

/// What the proxy of a site makes of objects.
pub(crate) fn resolve(inputs: &Inputs, objects: &Objects, site: &Site) -> Config {
    let mut config = mesh::resolve(objects, site);
    if objects.bootstrap.is_some() {
        place(&mut config.listeners, &inputs.listen);
    }
    disarm(&mut config, &inputs.disarm);
    go_beyond(&mut config, inputs.beyond_envoy);
    let clients = if objects.bootstrap.is_some() { Clients::Mesh } else { inputs.clients };
    limit(&mut config, clients, &inputs.limits);
    config
}

/// A whole configuration says itself where it listens, unless it is said here: by port, or for the first listener if no port is meant.
fn place(listeners: &mut [Listener], listen: &[Listen]) {
    let is_port = |served: &&Listen| listeners.iter().any(|listener| listener.address.port() == served.0.port);
    let first = listen.iter().find(|served| !is_port(served)).map(|served| served.0.bind);
    for (number, listener) in listeners.iter_mut().enumerate() {
        let by_port = listen.iter().find(|served| served.0.port == listener.address.port());
        let bind = by_port.map(|served| served.0.bind).or(first.filter(|_| number == 0));
        listener.address = bind.unwrap_or(listener.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(port: u16) -> Listener {
        let text = format!(
            "static_resources: {{listeners: [{{name: l, address: {{socket_address: {{address: 0.0.0.0, port_value: {port}}}}}, \
             filter_chains: [{{filters: [{{name: t, typed_config: {{\
             '@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, \
             stat_prefix: t, cluster: c}}}}]}}]}}], clusters: [{{name: c, type: STRICT_DNS, connect_timeout: 1s, load_assignment: {{cluster_name: c}}}}]}}"
        );
        let source = Source { path: "envoy.yaml".into(), text };
        let read = config::read(&[source], &LoadOptions::default()).unwrap();
        read.objects.bootstrap.unwrap().listeners.remove(0)
    }

    #[test]
    fn listeners_of_a_bootstrap_are_bound_by_their_port_or_the_first_by_a_port_that_none_has() {
        for (listen, bound) in [
            (&["9000=127.0.0.1:1"][..], ["0.0.0.0:80", "127.0.0.1:1"]),
            (&["127.0.0.1:1"], ["127.0.0.1:1", "0.0.0.0:9000"]),
            (&["7=127.0.0.1:2"], ["127.0.0.1:2", "0.0.0.0:9000"]),
            (&["9000=127.0.0.1:1", "80=127.0.0.1:2"], ["127.0.0.1:2", "127.0.0.1:1"]),
        ] {
            let mut listeners = [listener(80), listener(9000)];
            let listen: Vec<Listen> = listen.iter().map(|text| text.parse().unwrap()).collect();
            place(&mut listeners, &listen);
            assert_eq!(listeners.map(|listener| listener.address.to_string()), bound, "{listen:?}");
        }
    }
}
