//! From files to the configuration of this proxy.

use super::Options;
use crate::config::{self, LoadOptions, mesh};
use crate::policy::{Config, disarm};
use squall_yaml::Finding;
use std::path::PathBuf;

/// The configuration as it is on disk, and the name of that state.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) version: String,
    pub(crate) config: Config,
    pub(crate) warnings: Vec<Finding>,
}

/// Reads everything anew; what was to be taken out is taken out.
pub(crate) fn load(options: &Options) -> Result<Loaded, Vec<Finding>> {
    let load_options = LoadOptions { accept_unsupported: options.accept_unsupported.clone() };
    let endpoint_paths: Vec<PathBuf> = options.endpoints.iter().cloned().collect();
    let read = config::load(&options.policies, &load_options);
    let (policies, endpoints) = match (read, config::load(&endpoint_paths, &load_options)) {
        (Ok(policies), Ok(endpoints)) => (policies, endpoints),
        (policies, endpoints) => {
            let findings = policies.err().into_iter().chain(endpoints.err()).flatten();
            return Err(findings.collect());
        }
    };
    let version = config::version(policies.sources.iter().chain(&endpoints.sources));
    let mut objects = policies.objects;
    objects.extend(endpoints.objects);
    let mut config = mesh::resolve(&objects, &options.site());
    // A whole configuration says itself where it listens, unless that is said here.
    if let (Some(listener), Some(listen), true) =
        (config.listeners.first_mut(), options.listen.first(), objects.bootstrap.is_some())
    {
        listener.address = listen.0.bind;
    }
    disarm(&mut config, &options.disarm);
    Ok(Loaded { version, config, warnings: policies.warnings })
}
