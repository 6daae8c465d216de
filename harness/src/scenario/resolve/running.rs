//! Services that run already: where, and whether they may be asked.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::Program;
use crate::scenario::written::{self, Placed};
use squall_proxy::policy::Cidr;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// Who may be asked besides this machine's loopback.
pub(super) struct Allowed<'a> {
    names: Vec<&'a str>,
    networks: Vec<Cidr>,
}

impl<'a> Allowed<'a> {
    pub(super) fn new(written: &'a [Placed<String>], problems: &mut Problems) -> Self {
        let mut allowed = Self { names: Vec::new(), networks: Vec::new() };
        for entry in written {
            let (address, prefix) = match entry.split_once('/') {
                Some((address, prefix)) => (address, Some(prefix)),
                None => (entry.as_str(), None),
            };
            match (address.parse::<IpAddr>(), prefix) {
                (Ok(address), prefix) => {
                    let longest = if address.is_ipv4() { 32 } else { 128 };
                    match prefix.map_or(Ok(longest), str::parse).ok().filter(|prefix| *prefix <= longest) {
                        Some(prefix) => allowed.networks.push(Cidr { address, prefix }),
                        None => {
                            problems
                                .error(code::RANGE, entry.place, format!("`{}` is no network", entry.value))
                                .expected("one such as `10.1.0.0/16`");
                        }
                    }
                }
                (Err(_), None) if !address.is_empty() => allowed.names.push(address),
                (Err(_), _) => {
                    problems
                        .error(code::RANGE, entry.place, format!("`{}` is neither a name nor a network", entry.value))
                        .expected("`cart.test`, `10.1.2.3` or `10.1.0.0/16`");
                }
            }
        }
        allowed
    }

    fn has(&self, host: &str, address: IpAddr) -> bool {
        address.is_loopback() || self.names.contains(&host) || self.networks.iter().any(|one| one.contains(address))
    }
}

/// A service that runs already.
pub(super) fn program(
    service: &written::Service,
    at: &Placed<Vec<Placed<String>>>,
    allowed: &Allowed<'_>,
    problems: &mut Problems,
) -> Program {
    let others = [
        ("instances", service.instances.as_ref().map(|one| one.place)),
        ("responds", service.responds.as_ref().map(|one| one.place)),
        ("versions", service.versions.as_ref().map(|one| one.place)),
        ("run", service.run.as_ref().map(|one| one.place)),
        ("ready", service.ready.as_ref().map(|one| one.place)),
        ("env", service.env.as_ref().map(|one| one.place)),
        ("manifest", service.manifest.as_ref().map(|one| one.place)),
        ("health", service.health.as_ref().map(|one| one.place)),
    ];
    for (key, place) in others.into_iter().filter_map(|(key, place)| Some((key, place?))) {
        problems
            .error(code::SHAPE, place, format!("both `at` and `{key}`"))
            .help("a service that runs already is not started, so nothing can be said of how it is");
    }
    if at.is_empty() {
        problems.error(code::SHAPE, at.place, "`at` names nobody").expected("`[10.0.0.7:8080]`");
    }
    Program::Running { at: at.iter().filter_map(|one| address(one, allowed, problems)).collect() }
}

/// One address, as written.
pub(super) fn address(written: &Placed<String>, allowed: &Allowed<'_>, problems: &mut Problems) -> Option<SocketAddr> {
    let host = written.rsplit_once(':').filter(|(_, port)| port.parse().is_ok_and(|port: u16| port > 0));
    let Some((host, _)) = host.filter(|(host, _)| !host.is_empty()) else {
        problems
            .error(code::RANGE, written.place, format!("`{}` is no address", written.value))
            .expected("host and port, such as `10.0.0.7:8080`");
        return None;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = match written.to_socket_addrs() {
        // Where a name has addresses of both kinds, most servers listen on the older kind alone.
        Ok(found) => {
            let mut found: Vec<SocketAddr> = found.collect();
            found.sort_by_key(SocketAddr::is_ipv6);
            found.first().copied()
        }
        Err(error) => {
            problems.error(code::UNKNOWN_NAME, written.place, format!("`{host}` has no address: {error}"));
            return None;
        }
    };
    let Some(found) = found else {
        problems.error(code::UNKNOWN_NAME, written.place, format!("`{host}` has no address"));
        return None;
    };
    if !allowed.has(host, found.ip()) {
        problems
            .error(
                code::NOT_ALLOWED,
                written.place,
                format!("{} is not on this machine, and nothing says that it may be loaded", written.value),
            )
            .help(format!("if it is yours: `allow: [{host}]`"));
    }
    Some(found)
}
