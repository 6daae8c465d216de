//! Where something runs: region, zone and sub-zone.

use crate::policy::Place;
use std::collections::BTreeMap;

/// Of `region/zone/sub-zone`, the later ones possibly missing.
pub(super) fn place(text: &str) -> Place {
    of_parts(text.splitn(3, '/'))
}

fn of_parts<'a>(mut parts: impl Iterator<Item = &'a str>) -> Place {
    let mut next = || parts.next().unwrap_or_default().to_owned();
    Place { region: next(), zone: next(), sub_zone: next() }
}

/// Of labels: Istio's own, with dots or slashes between, goes ahead of Kubernetes'.
pub(in crate::config) fn place_of_labels(labels: &BTreeMap<String, String>) -> Place {
    if let Some(own) = labels.get("istio-locality").filter(|own| !own.is_empty()) {
        return if own.contains('/') { place(own) } else { of_parts(own.splitn(3, '.')) };
    }
    let label = |names: &[&str]| names.iter().find_map(|name| labels.get(*name)).cloned().unwrap_or_default();
    Place {
        region: label(&["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"]),
        zone: label(&["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]),
        sub_zone: label(&["topology.istio.io/subzone"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_by_slashes_or_by_labels() {
        let of = |pairs: &[(&str, &str)]| {
            place_of_labels(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
        };
        let expected = Place { region: "eu".to_owned(), zone: "a".to_owned(), sub_zone: "r1".to_owned() };
        assert_eq!(place("eu/a/r1"), expected);
        assert_eq!(of(&[("istio-locality", "eu.a.r1"), ("topology.kubernetes.io/zone", "b")]), expected);
        let kubernetes = [
            ("topology.kubernetes.io/region", "eu"),
            ("topology.kubernetes.io/zone", "a"),
            ("topology.istio.io/subzone", "r1"),
        ];
        assert_eq!(of(&kubernetes), expected);
        assert_eq!(place("eu"), Place { region: "eu".to_owned(), ..Place::default() });
    }
}
