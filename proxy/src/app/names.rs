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
        Ok(Err(error)) if says_there_is_none(&error.to_string()) => Some(Vec::new()),
        Ok(Err(_)) | Err(_) => None,
    };
    LookedUp { name, addresses }
}

/// True if a resolver knows that there is no such name, or no address of it. The library tells that apart from trouble in words only:
/// two of glibc, two of musl.
fn says_there_is_none(error: &str) -> bool {
    let words =
        ["Name or service not known", "No address associated", "Name does not resolve", "Name has no usable address"];
    words.iter().any(|words| error.contains(words))
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

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    const NAME: &str = "cart.shop.example";

    /// One name is wanted, and looked up now.
    fn names() -> Names {
        let seconds = Duration::from_secs;
        let how = Dns { refresh: seconds(60), failure_refresh: seconds(5), ..Dns::default() };
        let wanted = Wanted { how, due: None, tried: false };
        Names { wanted: BTreeMap::from([(NAME.to_owned(), wanted)]), ..Names::default() }
    }

    fn found(addresses: Option<&[&str]>) -> LookedUp {
        LookedUp { name: NAME.to_owned(), addresses: addresses.map(ips) }
    }

    /// How long from now on the name is let alone.
    fn pause(names: &Names) -> Duration {
        names.wanted[NAME].due.unwrap().duration_since(now())
    }

    #[test]
    fn an_answer_that_differs_changes_the_addresses_and_the_same_again_nothing() {
        let mut names = names();
        for (answer, changes) in
            [(["10.0.0.1"], true), (["10.0.0.1"], false), (["10.0.0.2"], true), (["10.0.0.2"], false)]
        {
            assert_eq!(names.found(found(Some(&answer))), changes, "{answer:?}");
            assert_eq!(names.resolved()[NAME], ips(&answer));
        }
    }

    #[test]
    fn an_answer_without_addresses_takes_them_away_and_no_answer_leaves_them() {
        let mut names = names();
        assert!(names.found(found(Some(&["10.0.0.1"]))));
        assert!(!names.found(found(None)));
        assert_eq!(names.resolved()[NAME], ips(&["10.0.0.1"]));
        assert!(names.found(found(Some(&[]))));
        assert_eq!(names.resolved()[NAME], ips(&[]));
    }

    #[test]
    fn after_a_failure_it_is_looked_up_again_by_a_time_of_its_own() {
        let mut names = names();
        names.found(found(Some(&["10.0.0.1"])));
        assert!(pause(&names) > Duration::from_secs(5));
        names.found(found(None));
        assert!(pause(&names) <= Duration::from_secs(5));
        assert!(names.wanted[NAME].tried, "whoever waits for the first answer need not wait longer");
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_kept() {
        let mut names = names();
        names.wanted.clear();
        assert!(!names.found(found(Some(&["10.0.0.1"]))));
        assert!(names.resolved().is_empty());
    }

    #[test]
    fn that_there_is_no_such_name_is_known_by_the_words_of_either_library_and_trouble_is_not_taken_for_it() {
        for (words, none) in [
            ("Name or service not known", true),
            ("No address associated with hostname", true),
            ("Name does not resolve", true),
            ("Name has no usable address", true),
            ("Temporary failure in name resolution", false),
            ("Non-recoverable failure in name resolution", false),
            ("Try again", false),
            ("Unrecoverable error", false),
            ("System error", false),
        ] {
            assert_eq!(says_there_is_none(&format!("failed to lookup address information: {words}")), none, "{words}");
        }
    }

    #[test]
    fn families_are_chosen_as_asked_and_the_order_is_steady() {
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
