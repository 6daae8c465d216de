use super::support::*;
use crate::config::mesh::{Site, resolve};
use crate::config::objects::{EndpointSlice, Failover, LoadBalancer, LocalitySetting, Objects, TrafficPolicy};
use crate::policy::{Cluster, Node, Place};

/// Endpoints 1 to 5, further and further from `r1/z1/s1`.
fn spread() -> Vec<EndpointSlice> {
    let places = [("r1", "z1", "s1"), ("r1", "z1", "s2"), ("r1", "z2", "s1"), ("r2", "z1", "s1"), ("r3", "z1", "s1")];
    let at = |(number, (region, zone, sub_zone)): (u16, (&str, &str, &str))| EndpointSlice {
        place: place(region, zone, sub_zone),
        ..endpoint("cart", number, &[])
    };
    (1..).zip(places).map(at).collect()
}

fn made(setting: Option<LocalitySetting>, with_detector: bool, from: Place, endpoints: Vec<EndpointSlice>) -> Cluster {
    let base = if with_detector { detector() } else { TrafficPolicy::default() };
    let policy = TrafficPolicy { load_balancer: Some(LoadBalancer { locality: setting, ..balancer() }), ..base };
    let objects = Objects { destination_rules: vec![destination_rule("cart", policy)], endpoints, ..shop() };
    let node =
        Node { namespace: "default".to_owned(), place: from, labels: labels(&[("rack", "a")]), ..Node::default() };
    cluster(&resolve(&objects, &Site { node, ..caller() }), CART).clone()
}

fn here() -> Place {
    place("r1", "z1", "s1")
}

/// Priorities by the endpoints' numbers.
fn priorities(cluster: &Cluster) -> Vec<(u16, u32)> {
    let mut found: Vec<_> = cluster
        .localities
        .iter()
        .flat_map(|locality| {
            locality.endpoints.iter().map(|endpoint| (number(&endpoint.address.to_string()), locality.priority))
        })
        .collect();
    found.sort_unstable();
    found
}

fn number(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn the_nearest_place_is_preferred_only_with_a_detector() {
    assert_eq!(priorities(&made(None, true, here(), spread())), [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3)]);
    assert!(priorities(&made(None, false, here(), spread())).iter().all(|(_, priority)| *priority == 0));
}

#[test]
fn priorities_have_no_gaps() {
    let endpoints =
        spread().into_iter().filter(|slice| slice.address.port() != 1 && slice.address.port() != 3).collect();
    assert_eq!(priorities(&made(None, true, here(), endpoints)), [(2, 0), (4, 1), (5, 1)]);
}

#[test]
fn a_caller_without_a_place_prefers_none() {
    assert!(priorities(&made(None, true, Place::default(), spread())).iter().all(|(_, priority)| *priority == 0));
}

#[test]
fn places_do_not_count_where_that_is_switched_off() {
    let off = LocalitySetting {
        enabled: Some(false),
        distribute: vec![("*".to_owned(), vec![("r2".to_owned(), 100)])],
        ..LocalitySetting::default()
    };
    let cluster = made(Some(off), true, here(), spread());
    assert!(priorities(&cluster).iter().all(|(_, priority)| *priority == 0));
    assert_eq!((cluster.endpoints().count(), cluster.locality_weighted), (5, false));
}

#[test]
fn a_region_that_takes_over_comes_before_the_others() {
    let failover = vec![Failover { from: "r1".to_owned(), to: "r3".to_owned() }];
    let setting = LocalitySetting { failover, ..LocalitySetting::default() };
    let cluster = made(Some(setting.clone()), true, here(), spread());
    assert_eq!(priorities(&cluster), [(1, 0), (2, 1), (3, 2), (4, 4), (5, 3)]);
    assert!(cluster.locality_weighted);
    assert!(!made(Some(setting), false, here(), spread()).locality_weighted, "nothing fails over without a detector");
}

#[test]
fn labels_are_counted_from_the_first_that_differs() {
    let carrying = |number, carried: &[(&str, &str)]| endpoint("cart", number, carried);
    let endpoints = || {
        vec![
            carrying(1, &[("rack", "a"), ("row", "1")]),
            carrying(2, &[("rack", "a"), ("row", "2")]),
            carrying(3, &[("rack", "b"), ("row", "1")]),
        ]
    };
    let by = |wanted: &[&str]| LocalitySetting { failover_priority: strings(wanted), ..LocalitySetting::default() };
    for (wanted, expected) in [
        (&["rack"][..], [(1, 0), (2, 0), (3, 1)]),
        (&["rack", "row=1"][..], [(1, 0), (2, 1), (3, 2)]),
        (&["rack=b"][..], [(1, 1), (2, 1), (3, 0)]),
        (&["topology.kubernetes.io/region"][..], [(1, 0), (2, 0), (3, 0)]),
    ] {
        let cluster = made(Some(by(wanted)), true, here(), endpoints());
        assert_eq!(priorities(&cluster), expected, "{wanted:?}");
        assert!(cluster.locality_weighted);
    }
    let by_place = made(Some(by(&["topology.kubernetes.io/region"])), true, here(), spread());
    assert_eq!(priorities(&by_place), [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1)]);
}

#[test]
fn labels_and_then_regions_decide_together() {
    let setting = LocalitySetting {
        failover_priority: strings(&["topology.kubernetes.io/region"]),
        failover: vec![Failover { from: "r1".to_owned(), to: "r3".to_owned() }],
        ..LocalitySetting::default()
    };
    assert_eq!(priorities(&made(Some(setting), true, here(), spread())), [(1, 0), (2, 1), (3, 2), (4, 4), (5, 3)]);

    let failover = vec![Failover { from: "r1".to_owned(), to: "r2".to_owned() }];
    let by_rack = LocalitySetting { failover_priority: strings(&["rack"]), failover, ..LocalitySetting::default() };
    let mut endpoints = spread();
    endpoints[3].labels = labels(&[("rack", "a")]);
    let first = [(1, 1), (2, 2), (3, 3), (4, 0), (5, 4)];
    assert_eq!(priorities(&made(Some(by_rack), true, here(), endpoints)), first, "labels go before places");
}

#[test]
fn given_shares_weigh_places_and_leave_out_the_others_even_without_a_detector() {
    let shares = |from: &str, to: &[(&str, u32)]| LocalitySetting {
        distribute: vec![(from.to_owned(), to.iter().map(|(place, share)| ((*place).to_owned(), *share)).collect())],
        ..LocalitySetting::default()
    };
    for (from, to, expected) in [
        ("r1/z1/*", &[("r1/z1/s1", 80), ("r2/*", 20)][..], &[(1, 80), (4, 20)][..]),
        ("r1", &[("r1/*", 70), ("r3", 30)][..], &[(1, 24), (2, 24), (3, 24), (5, 30)][..]),
        ("*", &[("r1/z1", 100)][..], &[(1, 50), (2, 50)][..]),
        ("r9", &[("r1", 100)][..], &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)][..]),
    ] {
        let cluster = made(Some(shares(from, to)), false, here(), spread());
        let mut weights: Vec<_> = cluster
            .localities
            .iter()
            .map(|locality| (number(&locality.endpoints[0].address.to_string()), locality.weight.unwrap()))
            .collect();
        weights.sort_unstable();
        assert_eq!(weights, expected, "{from}");
        assert!(cluster.locality_weighted);
        assert!(cluster.localities.iter().all(|locality| locality.priority == 0));
    }
}
