//! `localityLbSetting`: which places are preferred.

use crate::config::objects::{Failover, LocalitySetting};
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Keyed, Place, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenLocality {
    enabled: Option<bool>,
    distribute: Option<Keyed<Vec<Spanned<Distribute>>>>,
    failover: Option<Keyed<Vec<Spanned<WrittenFailover>>>>,
    failover_priority: Option<Keyed<Vec<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Distribute {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: Pairs<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFailover {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// Labels that say where something runs, as `failover` does.
const TOPOLOGY: [&str; 3] =
    ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];

/// What the block means. `watched`: there is a detector, without which nothing fails over.
pub(super) fn locality(
    written: &Keyed<WrittenLocality>,
    watched: bool,
    problems: &mut Problems<'_>,
) -> LocalitySetting {
    let WrittenLocality { enabled, distribute, failover, failover_priority } = &written.value;
    let distribute_to = distribute.as_ref().map_or(&[][..], |distribute| &distribute.value);
    let failovers = failover.as_ref().map_or(&[][..], |failover| &failover.value);
    let priority = failover_priority.as_ref().map_or(&[][..], |priority| &priority.value);
    if let Some(failover) = failover.as_ref().filter(|_| !distribute_to.is_empty() && !failovers.is_empty()) {
        problems.error(failover.key, "only one of `distribute` and `failover`", "take one out");
    }
    if let Some(priority) = failover_priority.as_ref().filter(|_| !failovers.is_empty())
        && let Some(label) = priority.value.iter().find(|label| TOPOLOGY.contains(&label.as_str()))
    {
        problems.error(priority.key, format!("`{label}` beside `failover` says where to go twice"), "take one out");
    }
    let fails_over = !failovers.is_empty() || !priority.is_empty();
    if fails_over && !watched {
        let help = "add `outlierDetection: {}` to the policy";
        problems.warning(written.key, "nothing fails over without outlier detection", help);
    }
    let sources: Vec<_> = distribute_to.iter().map(|one| (one.value.from.as_str(), one.place)).collect();
    check_places(&sources, problems);
    for one in distribute_to {
        check_shares(one, problems);
    }
    for one in failovers {
        check_failover(one, problems);
    }
    let shares = |to: &Pairs<u32>| to.0.iter().map(|(place, weight)| (place.value.clone(), *weight)).collect();
    LocalitySetting {
        enabled: *enabled,
        distribute: distribute_to.iter().map(|one| (one.value.from.clone(), shares(&one.value.to))).collect(),
        failover: failovers
            .iter()
            .map(|one| Failover { from: one.value.from.clone(), to: one.value.to.clone() })
            .collect(),
        failover_priority: priority.to_vec(),
    }
}

fn check_shares(written: &Spanned<Distribute>, problems: &mut Problems<'_>) {
    let to = &written.value.to.0;
    let places: Vec<_> = to.iter().map(|(place, _)| (place.value.as_str(), place.place)).collect();
    check_places(&places, problems);
    if let Some((place, weight)) = to.iter().find(|(_, weight)| !(1..=100).contains(weight)) {
        return problems.error(
            place.place,
            format!("a share of {weight}"),
            "1 to 100; a place that is left out gets nothing",
        );
    }
    let sum: u32 = to.iter().map(|(_, weight)| weight).sum();
    if sum != 100 {
        problems.error(written.place, format!("the shares add up to {sum}"), "they add up to 100");
    }
}

fn check_failover(written: &Spanned<WrittenFailover>, problems: &mut Problems<'_>) {
    let WrittenFailover { from, to } = &written.value;
    if from == to {
        problems.error(
            written.place,
            format!("region `{from}` takes over for itself"),
            "name another region under `to`",
        );
    }
    if [from, to].into_iter().any(|region| region.contains(['/', '*'])) {
        problems.error(written.place, "`failover` names whole regions", "as in `{from: eu, to: us}`");
    }
}

/// Places of which each is whole, has its wildcard at the end, and holds none of the others.
fn check_places(places: &[(&str, Place)], problems: &mut Problems<'_>) {
    let mut earlier: Vec<Vec<&str>> = Vec::new();
    for (text, place) in places {
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        let stars = text.matches('*').count();
        if parts.iter().any(|part| part.is_empty()) {
            problems.error(*place, format!("`{text}` is no place"), "`region`, `region/zone` or `region/zone/*`");
        } else if stars > 1 || (stars == 1 && !text.ends_with('*')) {
            problems.error(*place, format!("`{text}` has a wildcard ahead of its end"), "as in `region/*`");
        } else if earlier.iter().any(|other| holds(other, &parts) || holds(&parts, other)) {
            problems.error(*place, format!("`{text}` and another place mean the same"), "places do not overlap");
        }
        earlier.push(parts);
    }
}

/// True if the first place is, or holds, the second.
fn holds(outer: &[&str], inner: &[&str]) -> bool {
    let outer: Vec<_> = outer.iter().take_while(|part| **part != "*").collect();
    outer.len() <= inner.len() && outer.iter().zip(inner).all(|(one, other)| *one == other)
}
