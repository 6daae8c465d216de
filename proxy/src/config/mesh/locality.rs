//! Which places a caller prefers: priorities by nearness or labels, or weights by place.

use super::endpoints::locality;
use crate::config::objects::{Failover, LocalitySetting};
use crate::policy::{Locality, Node, Place};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Priorities and weights for a caller. By Istio's default the nearest place is preferred; without a detector nothing is, except by given
/// weights, since load would never fail over.
pub(super) fn prefer(
    localities: Vec<Locality>,
    setting: Option<&LocalitySetting>,
    has_detector: bool,
    node: &Node,
) -> Vec<Locality> {
    let default = LocalitySetting::default();
    let setting = setting.unwrap_or(&default);
    if setting.enabled == Some(false) {
        return localities;
    }
    if !setting.distribute.is_empty() {
        return distributed(localities, &setting.distribute, &node.place);
    }
    if !has_detector {
        return localities;
    }
    let by_labels = !setting.failover_priority.is_empty();
    let localities =
        if by_labels { by_shared_labels(localities, &setting.failover_priority, node) } else { localities };
    // Labels alone decide where they are given, unless regions are given too.
    if node.place == Place::default() || by_labels && setting.failover.is_empty() {
        return localities;
    }
    by_nearness(localities, &setting.failover, &node.place)
}

/// True if load is dealt over the places of one priority by their weights.
pub(super) fn is_weighted(setting: Option<&LocalitySetting>, has_detector: bool) -> bool {
    setting.filter(|setting| setting.enabled != Some(false)).is_some_and(|setting| {
        let fails_over = !setting.failover.is_empty() || !setting.failover_priority.is_empty();
        !setting.distribute.is_empty() || has_detector && fails_over
    })
}

/// Shares of the first entry that is for the caller's place. A place that it does not name gets nothing.
fn distributed(localities: Vec<Locality>, distribute: &[(String, Vec<(String, u32)>)], from: &Place) -> Vec<Locality> {
    let Some((_, shares)) = distribute.iter().find(|(place, _)| is_in(from, place)) else { return localities };
    let share_of = |locality: &Locality| shares.iter().position(|(place, _)| is_in(&locality.place, place));
    let weight_of = |locality: &Locality| u64::from(locality.weight.unwrap_or(1));
    let mut totals: BTreeMap<usize, u64> = BTreeMap::new();
    for locality in &localities {
        if let Some(at) = share_of(locality) {
            *totals.entry(at).or_default() += weight_of(locality);
        }
    }
    let shared = localities.into_iter().filter_map(|locality| {
        let at = share_of(&locality)?;
        let (_, share) = shares.get(at)?;
        let total = totals.get(&at).copied().unwrap_or(1).max(1);
        // Where one share is for several places each has its part of it, rounded up.
        let weight = (weight_of(&locality) * u64::from(*share)).div_ceil(total);
        Some(Locality { weight: Some(weight as u32), ..locality })
    });
    shared.collect()
}

/// `region/zone/sub-zone`, of which the end may be left out and each part may be `*`.
fn is_in(place: &Place, pattern: &str) -> bool {
    let mut parts = pattern.split('/');
    let mut fits = |value: &str| parts.next().is_none_or(|part| part.is_empty() || part == "*" || part == value);
    fits(&place.region) & fits(&place.zone) & fits(&place.sub_zone)
}

/// Same place, zone, region, and the rest; of that, a region that is to take over comes before the others.
fn by_nearness(mut localities: Vec<Locality>, failover: &[Failover], from: &Place) -> Vec<Locality> {
    let takes_over = failover.iter().find(|failover| failover.from == from.region).map(|failover| &failover.to);
    for locality in &mut localities {
        let at = &locality.place;
        let distance = match takes_over {
            _ if at == from => 0,
            _ if (&at.region, &at.zone) == (&from.region, &from.zone) => 1,
            _ if at.region == from.region => 2,
            Some(region) if at.region != *region => 4,
            _ => 3,
        };
        locality.priority = locality.priority * 5 + distance;
    }
    compacted(localities)
}

/// As many labels as there are from the first that differs; a place is split where its endpoints differ.
fn by_shared_labels(localities: Vec<Locality>, wanted: &[String], node: &Node) -> Vec<Locality> {
    let own = with_place(&node.labels, &node.place);
    if own.is_empty() {
        return localities;
    }
    let value = |label: &str| own.get(label).map_or("", String::as_str);
    let wanted: Vec<_> =
        wanted.iter().map(|label| label.split_once('=').unwrap_or_else(|| (label, value(label)))).collect();
    let mut split = Vec::new();
    for whole in localities {
        let mut groups: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for endpoint in whole.endpoints {
            let labels = with_place(&endpoint.labels, &whole.place);
            let differs = |(name, value): &(&str, &str)| labels.get(*name).map_or("", String::as_str) != *value;
            let priority = wanted.iter().position(differs).map_or(0, |at| wanted.len() - at);
            groups.entry(priority as u32).or_default().push(endpoint);
        }
        split.extend(groups.into_iter().map(|(priority, group)| locality(whole.place.clone(), priority, group)));
    }
    compacted(split)
}

/// Labels, with those that tell the place.
fn with_place<'l>(labels: &'l BTreeMap<String, String>, place: &Place) -> Cow<'l, BTreeMap<String, String>> {
    let told = [
        ("topology.kubernetes.io/region", &place.region),
        ("topology.kubernetes.io/zone", &place.zone),
        ("topology.istio.io/subzone", &place.sub_zone),
    ];
    let mut labels = Cow::Borrowed(labels);
    for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
        labels.to_mut().entry(name.to_owned()).or_insert_with(|| value.clone());
    }
    labels
}

/// Priorities without gaps, from 0.
fn compacted(mut localities: Vec<Locality>) -> Vec<Locality> {
    let mut known: Vec<_> = localities.iter().map(|locality| locality.priority).collect();
    known.sort_unstable();
    known.dedup();
    for locality in &mut localities {
        locality.priority = known.partition_point(|priority| *priority < locality.priority) as u32;
    }
    localities.sort_by_key(|locality| locality.priority);
    localities
}
