//! Names of endpoints, looked up again and again. Never in the path of a request.

use crate::clock::now;
use crate::policy::{Address, AddressFamily, Config, Discovery, Dns};
use crate::serve::snapshot::Resolved;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long one lookup may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lookups under way at once: each takes a thread.
const AT_ONCE: usize = 16;

/// Names that somebody wants, with what is known of them.
#[derive(Debug)]
pub(super) struct Names {
    wanted: BTreeMap<String, Wanted>,
    resolved: Resolved,
    places: Arc<Semaphore>,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    how: Dns,
    /// When it is looked up next; none while it is.
    due: Option<Instant>,
    /// It has been looked up at least once.
    tried: bool,
}

/// What came of a lookup.
#[derive(Debug)]
pub(super) struct LookedUp {
    name: String,
    /// None: nobody could say.
    addresses: Option<Vec<IpAddr>>,
}

impl Default for Names {
    fn default() -> Self {
        Self { wanted: BTreeMap::new(), resolved: Resolved::new(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Names {
    /// What has been found so far.
    pub(super) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// New names of a configuration are due at once.
    pub(super) fn want(&mut self, config: &Config) {
        for (name, how) in names_of(config) {
            let unknown = Wanted { how, due: Some(now()), tried: false };
            self.wanted.entry(name.to_owned()).or_insert(unknown).how = how;
        }
    }

    /// Names that a configuration does not have are forgotten.
    pub(super) fn keep(&mut self, config: &Config) {
        let named: BTreeSet<&str> = names_of(config).map(|(name, _)| name).collect();
        self.wanted.retain(|name, _| named.contains(name.as_str()));
        self.resolved.retain(|name, _| named.contains(name.as_str()));
    }

    /// True if each name of a configuration has been looked up.
    pub(super) fn are_known(&self, config: &Config) -> bool {
        names_of(config).all(|(name, _)| self.wanted.get(name).is_some_and(|wanted| wanted.tried))
    }

    /// Looks every name up once.
    pub(super) async fn look_up_all(&mut self, config: &Config) {
        self.want(config);
        let mut under_way: JoinSet<LookedUp> = self.begin_due().into_iter().collect();
        while let Some(looked_up) = under_way.join_next().await {
            if let Ok(looked_up) = looked_up {
                self.found(looked_up);
            }
        }
    }

    /// Looks up what is due; `tell` hears what is found.
    pub(super) fn look_up_due(&mut self, tell: &(impl Fn(LookedUp) + Clone + 'static)) {
        for lookup in self.begin_due() {
            let tell = tell.clone();
            tokio::task::spawn_local(async move { tell(lookup.await) });
        }
    }

    fn begin_due(&mut self) -> Vec<impl Future<Output = LookedUp> + Send + use<>> {
        let due = self.wanted.iter_mut().filter(|(_, wanted)| wanted.due.is_some_and(|due| due <= now()));
        let begin = |(name, wanted): (&String, &mut Wanted)| {
            wanted.due = None;
            look_up(name.clone(), wanted.how.family, Arc::clone(&self.places))
        };
        due.map(begin).collect()
    }

    /// Takes in what was found; true if any address has changed.
    pub(super) fn found(&mut self, looked_up: LookedUp) -> bool {
        let LookedUp { name, addresses } = looked_up;
        let Some(wanted) = self.wanted.get_mut(&name) else { return false };
        wanted.tried = true;
        let after = if addresses.is_some() { wanted.how.refresh } else { wanted.how.failure_refresh };
        wanted.due = Some(now() + after);
        // An answer without an address takes the endpoints away; no answer leaves them where they are.
        let Some(addresses) = addresses else { return false };
        let changed = self.resolved.get(&name) != Some(&addresses);
        self.resolved.insert(name, addresses);
        changed
    }
}

/// The names of all endpoints, with how they are looked up.
fn names_of(config: &Config) -> impl Iterator<Item = (&str, Dns)> {
    config.clusters.iter().flat_map(|cluster| {
        let how = match &cluster.discovery {
            Discovery::StrictDns(how) | Discovery::LogicalDns(how) => Some(*how),
            _ => None,
        };
        let names = cluster.endpoints().filter_map(|endpoint| match &endpoint.address {
            Address::Name(name, _) => Some(name.as_str()),
            _ => None,
        });
        names.filter_map(move |name| Some((name, how?)))
    })
}

async fn look_up(name: String, family: AddressFamily, places: Arc<Semaphore>) -> LookedUp {
    let _place = places.acquire().await;
    let lookup = async { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect()) };
    let looked_up: Result<io::Result<Vec<IpAddr>>, _> = tokio::time::timeout(PATIENCE, lookup).await;
    let addresses = match looked_up {
        Ok(Ok(addresses)) => Some(of_family(addresses, family)),
        // The resolver of the system tells "no such name" apart from trouble in words only.
        Ok(Err(error)) if error.to_string().contains("not known") || error.to_string().contains("No address") => {
            Some(Vec::new())
        }
        Ok(Err(_)) | Err(_) => None,
    };
    LookedUp { name, addresses }
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
