//! Names of endpoints, looked up again and again. Never in the path of a request.

use crate::clock::now;
use crate::policy::{Address, AddressFamily, Config, Discovery, Dns};
use crate::serve::snapshot::Resolved;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long one lookup may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Names that somebody wants, with what is known of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    wanted: BTreeMap<String, Wanted>,
    resolved: Resolved,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    how: Dns,
    due: Instant,
}

/// What a lookup has found.
enum Found {
    Addresses(Vec<IpAddr>),
    /// Nobody could say.
    Failed,
}

impl Names {
    /// What has been found so far.
    pub(super) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Follows a configuration: names that nobody wants are forgotten, new ones are due at once.
    pub(super) fn follow(&mut self, config: &Config) {
        let mut wanted = BTreeMap::new();
        for cluster in &config.clusters {
            let (Discovery::StrictDns(how) | Discovery::LogicalDns(how)) = &cluster.discovery else { continue };
            for endpoint in cluster.endpoints() {
                if let Address::Name(name, _) = &endpoint.address {
                    let due = self.wanted.get(name).map_or_else(now, |known| known.due);
                    wanted.insert(name.clone(), Wanted { how: *how, due });
                }
            }
        }
        self.resolved.retain(|name, _| wanted.contains_key(name));
        self.wanted = wanted;
    }

    /// Looks every name up once.
    pub(super) async fn look_up(&mut self, config: &Config) {
        self.follow(config);
        self.look_up_due().await;
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.wanted.values().map(|wanted| wanted.due).min()
    }

    /// Looks up what is due; true if any address has changed.
    pub(super) async fn look_up_due(&mut self) -> bool {
        let mut changed = false;
        for (name, wanted) in &mut self.wanted {
            if wanted.due > now() {
                continue;
            }
            let found = look_up(name, wanted.how.family).await;
            wanted.due = now() + wanted.how.refresh;
            match found {
                // An answer without an address takes the endpoints away; no answer leaves them where they are.
                Found::Addresses(addresses) => {
                    changed |= self.resolved.get(name) != Some(&addresses);
                    self.resolved.insert(name.clone(), addresses);
                }
                Found::Failed => wanted.due = now() + wanted.how.failure_refresh,
            }
        }
        changed
    }
}

async fn look_up(name: &str, family: AddressFamily) -> Found {
    let Ok(looked_up) = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, 0))).await else {
        return Found::Failed;
    };
    match looked_up {
        Ok(addresses) => Found::Addresses(of_family(addresses.map(|address| address.ip()).collect(), family)),
        // The resolver of the system tells "no such name" apart from trouble in words only.
        Err(error) if error.to_string().contains("not known") || error.to_string().contains("No address") => {
            Found::Addresses(Vec::new())
        }
        Err(_) => Found::Failed,
    }
}

/// The addresses of the families that are asked for, in an order that does not depend on the resolver's mood.
fn of_family(addresses: Vec<IpAddr>, family: AddressFamily) -> Vec<IpAddr> {
    let (mut v4, mut v6): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv4);
    for list in [&mut v4, &mut v6] {
        list.sort();
        list.dedup();
    }
    match family {
        AddressFamily::V4Only => v4,
        AddressFamily::V6Only => v6,
        AddressFamily::Auto if !v6.is_empty() => v6,
        AddressFamily::Auto => v4,
        AddressFamily::V4Preferred if !v4.is_empty() => v4,
        AddressFamily::V4Preferred => v6,
        AddressFamily::All => [v4, v6].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_chosen_as_asked_and_the_order_is_steady() {
        let ips = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let all = ips(&["10.0.0.2", "::2", "10.0.0.1", "::1", "10.0.0.1"]);
        let (v4, v6) = (ips(&["10.0.0.1", "10.0.0.2"]), ips(&["::1", "::2"]));
        for (family, expected) in [
            (AddressFamily::V4Only, v4.clone()),
            (AddressFamily::V6Only, v6.clone()),
            (AddressFamily::Auto, v6.clone()),
            (AddressFamily::V4Preferred, v4.clone()),
            (AddressFamily::All, [v4.clone(), v6].concat()),
        ] {
            assert_eq!(of_family(all.clone(), family), expected, "{family:?}");
        }
        assert_eq!(of_family(v4.clone(), AddressFamily::Auto), v4);
    }
}
