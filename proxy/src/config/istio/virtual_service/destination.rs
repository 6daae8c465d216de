//! Destinations and their shares.

use crate::config::istio::headers::{WrittenHeaders, headers};
use crate::config::names::{check_host, is_label};
use crate::config::number::{Count, Port};
use crate::config::objects::{Backend, PlaceInFile, WeightedBackend};
use crate::config::problems::Problems;
use crate::policy::HeaderRules;
use serde::Deserialize;
use squall_yaml::{Place, Spanned};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDestination {
    destination: WrittenBackend,
    weight: Option<Count>,
    #[serde(default)]
    headers: WrittenHeaders,
}

/// One of TLS or TCP, which has no fields to change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStreamDestination {
    destination: WrittenBackend,
    weight: Option<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenBackend {
    host: Spanned<String>,
    subset: Option<Spanned<String>>,
    port: Option<WrittenPort>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config::istio) struct WrittenPort {
    pub(in crate::config::istio) number: Port,
}

/// Checks a host that something is sent to, or that a rule is for.
pub(in crate::config::istio) fn check_destination_host(host: &Spanned<String>, problems: &mut Problems<'_>) {
    if host.value == "*" {
        problems.error(host.place, "`*` is no host of its own", "name the service, as in `host: cart`");
    } else if let Err(bad) = check_host(&host.value) {
        problems.error(host.place, bad, "a service, as `cart` or `cart.shop.svc.cluster.local`");
    }
}

/// Where to.
pub(super) fn backend(written: &WrittenBackend, problems: &mut Problems<'_>) -> Backend {
    check_destination_host(&written.host, problems);
    let subset = written.subset.as_ref().filter(|subset| !subset.value.is_empty());
    if let Some(subset) = subset.filter(|subset| !is_label(&subset.value)) {
        let message = format!("`{}` can be no name of a subset", subset.value);
        problems.error(subset.place, message, "letters, digits and dashes inside, as `v1`");
    }
    Backend {
        host: written.host.value.to_ascii_lowercase(),
        port: written.port.as_ref().map(|port| port.number.0),
        subset: subset.map(|subset| subset.value.clone()),
        origin: PlaceInFile(written.host.place),
    }
}

/// Destinations of requests.
pub(super) fn destinations(
    written: &[WrittenDestination],
    place: Place,
    problems: &mut Problems<'_>,
) -> Vec<WeightedBackend> {
    let all: Vec<_> = written
        .iter()
        .map(|one| {
            (
                backend(&one.destination, problems),
                one.weight,
                headers(&one.headers, "spec.http.route.headers", problems),
            )
        })
        .collect();
    shared(all, place, problems)
}

/// Destinations of connections.
pub(super) fn stream_destinations(
    written: &[WrittenStreamDestination],
    place: Place,
    problems: &mut Problems<'_>,
) -> Vec<WeightedBackend> {
    let all: Vec<_> =
        written.iter().map(|one| (backend(&one.destination, problems), one.weight, HeaderRules::default())).collect();
    shared(all, place, problems)
}

/// One destination needs no weight; of several, those without one get nothing.
fn shared(
    all: Vec<(Backend, Option<Count>, HeaderRules)>,
    place: Place,
    problems: &mut Problems<'_>,
) -> Vec<WeightedBackend> {
    let single = all.len() == 1;
    let is_empty = all.is_empty();
    let weighted = all.into_iter().map(|(to, weight, headers)| {
        let weight = if single { 1 } else { weight.unwrap_or_default().0 };
        WeightedBackend { to, weight, headers }
    });
    let kept: Vec<_> = weighted.filter(|one| one.weight > 0).collect();
    if kept.is_empty() && !is_empty {
        problems.error(place, "no destination of this rule has a weight", "give one of them `weight: 100`");
    }
    kept
}
