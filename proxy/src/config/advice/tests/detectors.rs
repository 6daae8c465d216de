//! Detectors of Istio.

use super::{Silent, Told, both, hold, objects, routed, rule, silent, told};
use crate::config::advice::{Instances, advise};
use crate::config::mesh::tests::support::{caller, endpoint, place};
use crate::config::mesh::{Site, resolve};
use crate::policy::Node;

fn solo(policy: &str) -> String {
    rule(policy).replace("host: cart", "host: solo")
}

fn crowd(policy: &str) -> String {
    rule(policy).replace("host: cart", "host: crowd")
}

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0501",
            "6:5",
            "maxEjectionPercent 10 of 3 instances is 0: no instance of cart is ever ejected",
            rule("outlierDetection: {consecutive5xxErrors: 5}"),
        ),
        told(
            "SQ0501",
            "7:7",
            "maxEjectionPercent 33 of 3 instances is 0: no instance of cart is ever ejected",
            rule("outlierDetection: {\n  maxEjectionPercent: 33}"),
        ),
        told(
            "SQ0501",
            "6:5",
            "maxEjectionPercent is 10 by default: with fewer than 10 instances none of crowd is ever ejected",
            crowd("outlierDetection: {}"),
        ),
        told(
            "SQ0502",
            "6:24",
            "every threshold of this detector is off: no instance of cart is ever ejected",
            rule("outlierDetection: {consecutive5xxErrors: 0, maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0503",
            "6:24",
            "beside consecutiveGatewayErrors 3, 5 answers of 500 in a row eject an instance of cart as well",
            rule("outlierDetection: {consecutiveGatewayErrors: 3, maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0504",
            "6:24",
            "consecutiveGatewayErrors 5 never acts first on cart: consecutive5xxErrors is 5 by default",
            rule("outlierDetection: {consecutiveGatewayErrors: 5, maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0504",
            "6:49",
            "consecutiveGatewayErrors 7 never acts first on cart: consecutive5xxErrors is 3",
            rule("outlierDetection: {consecutive5xxErrors: 3, consecutiveGatewayErrors: 7}"),
        ),
        told(
            "SQ0506",
            "6:24",
            "with splitExternalLocalOriginErrors no instance of cart is ejected for time-outs or resets, however many",
            rule("outlierDetection: {splitExternalLocalOriginErrors: true, maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0508",
            "6:24",
            "solo has 1 instance, which may be ejected: for 30s and more all its requests are answered 503",
            solo("outlierDetection: {maxEjectionPercent: 100}"),
        ),
        told(
            "SQ0508",
            "6:49",
            "consecutive5xxErrors 1 ejects an instance at its first failure, and all 3 instances of cart may be out: 503 for 5s and more",
            rule("outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100, baseEjectionTime: 5s}"),
        ),
        told(
            "SQ0509",
            "6:49",
            "minHealthPercent 90 acts as 71 does: from 71.4 % healthy instances of cart on there is no panic",
            rule("outlierDetection: {maxEjectionPercent: 100, minHealthPercent: 90}"),
        ),
        told(
            "SQ0510",
            "6:49",
            "an instance of cart that is ejected for 30s comes back only after up to 330s: it is looked at each 300s",
            rule("outlierDetection: {maxEjectionPercent: 100, interval: 5m}"),
        ),
        told(
            "SQ0511",
            "6:49",
            "baseEjectionTime 60s does not hold for cart: the next check that passes, within 5s, ends an ejection",
            both(
                &rule("outlierDetection: {maxEjectionPercent: 100, baseEjectionTime: 60s}"),
                "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, interval: 5s, path: /}\n",
            ),
        ),
        told(
            "SQ0512",
            "6:20",
            "an instance of cart that comes back from an ejection gets its full share at once, without the 30s of warm-up",
            rule("loadBalancer: {warmup: {duration: 30s}},\noutlierDetection: {maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0524",
            "6:5",
            "no route to cart has a time-out: a request that hangs there is neither retried nor counted, and no instance is ejected for it",
            rule("outlierDetection: {maxEjectionPercent: 50}"),
        ),
        told(
            "SQ0524",
            "6:5",
            "no route to cart has a time-out: a request that hangs there is neither retried nor counted, and no instance is ejected for it",
            both(
                &rule("outlierDetection: {maxEjectionPercent: 50, consecutiveGatewayErrors: 3}"),
                &routed("retries: {attempts: 0}"),
            ),
        ),
    ];
    let silent = vec![
        silent("SQ0501", rule("outlierDetection: {maxEjectionPercent: 34}")),
        silent("SQ0501", crowd("outlierDetection: {maxEjectionPercent: 10}")),
        silent("SQ0501", rule("outlierDetection: {consecutive5xxErrors: 0}")),
        silent("SQ0501", rule("connectionPool: {http: {maxRetries: 9}}")),
        silent("SQ0502", rule("outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3}")),
        silent("SQ0503", rule("outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3}")),
        silent("SQ0503", rule("outlierDetection: {consecutive5xxErrors: 9, consecutiveGatewayErrors: 3}")),
        silent("SQ0503", rule("outlierDetection: {consecutiveGatewayErrors: 6}")),
        silent("SQ0504", rule("outlierDetection: {consecutiveGatewayErrors: 4}")),
        silent("SQ0504", rule("outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 9}")),
        silent(
            "SQ0504",
            rule("outlierDetection: {outlierDetectionHttpErrorCodes: [503], consecutiveGatewayErrors: 9}"),
        ),
        silent("SQ0506", rule("outlierDetection: {splitExternalLocalOriginErrors: false}")),
        silent("SQ0508", rule("outlierDetection: {maxEjectionPercent: 100}")),
        silent("SQ0508", solo("outlierDetection: {maxEjectionPercent: 100, minHealthPercent: 50}")),
        silent("SQ0508", solo("outlierDetection: {maxEjectionPercent: 99}")),
        silent("SQ0508", crowd("outlierDetection: {maxEjectionPercent: 100}")),
        silent("SQ0509", rule("outlierDetection: {minHealthPercent: 71}")),
        silent("SQ0510", rule("outlierDetection: {interval: 30s}")),
        silent("SQ0511", rule("outlierDetection: {baseEjectionTime: 60s}")),
        silent(
            "SQ0511",
            both(
                &rule("outlierDetection: {baseEjectionTime: 5s}"),
                "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {name: cart}\nspec: {host: cart, interval: 5s, path: /}\n",
            ),
        ),
        silent("SQ0512", rule("loadBalancer: {warmup: {duration: 30s}}")),
        silent("SQ0524", both(&rule("outlierDetection: {}"), &routed("timeout: 2s"))),
        silent("SQ0524", both(&rule("outlierDetection: {}"), &routed("retries: {attempts: 2, perTryTimeout: 2s}"))),
        silent("SQ0524", both(&rule("outlierDetection: {}"), &routed("retries: {attempts: 2}"))),
        silent("SQ0524", rule("connectionPool: {http: {maxRetries: 9}}")),
        // What ejects nobody is told of once.
        silent("SQ0524", rule("outlierDetection: {consecutive5xxErrors: 0}")),
    ];
    (told, silent)
}

#[test]
fn detectors() {
    let (told, silent) = table();
    hold(told, silent);
}

/// Instances in two places, seen from one of them.
fn by_place(policy: &str) -> Vec<&'static str> {
    let mut objects = objects(policy);
    for (number, zone) in [(1, "a"), (2, "b"), (3, "b")] {
        let one = endpoint("cart", number, &[]);
        objects.endpoints.push(crate::config::objects::EndpointSlice { place: place("eu", zone, ""), ..one });
    }
    let node = Node { place: place("eu", "a", ""), ..caller().node };
    let site = Site { node, services: vec!["cart".to_owned()], ..caller() };
    let all = advise(&objects, &resolve(&objects, &site), &Instances::default());
    let told = all.into_iter().filter(|one| one.code.code == "SQ0513");
    told.map(|one| {
        assert_eq!(one.what, "because of this block all requests for cart go to the nearest 1 of 3 instances");
        assert_eq!((one.place.line, one.place.column), (6, 5));
        one.code.code
    })
    .collect()
}

#[test]
fn a_detector_prefers_the_nearest_place_unless_the_policy_says_otherwise() {
    assert_eq!(by_place(&rule("outlierDetection: {maxEjectionPercent: 50}")), ["SQ0513"]);
    let off = "loadBalancer: {localityLbSetting: {enabled: false}},\noutlierDetection: {maxEjectionPercent: 50}";
    assert_eq!(by_place(&rule(off)), Vec::<&str>::new());
    assert_eq!(by_place(&rule("connectionPool: {http: {maxRetries: 9}}")), Vec::<&str>::new());
}

#[test]
fn instances_are_counted_by_what_is_known_then_by_endpoints_then_by_deployments() {
    let policy = rule("outlierDetection: {consecutive5xxErrors: 5}").replace("host: cart", "host: crowd");
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: crowd}\nspec:\n  replicas: 4\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n";
    let mut objects = objects(&both(&policy, deployment));
    let site = Site { services: vec!["crowd".to_owned()], ..caller() };
    let number = |objects: &crate::config::objects::Objects, known: &Instances| {
        let all = advise(objects, &resolve(objects, &site), known);
        let what = all.into_iter().find(|one| one.code.code == "SQ0501").map(|one| one.what).unwrap_or_default();
        what.split("of ").nth(1).map(|rest| rest.split(' ').next().unwrap_or_default().to_owned())
    };
    assert_eq!(number(&objects, &Instances::default()).as_deref(), Some("4"));
    objects.endpoints = vec![endpoint("crowd", 1, &[]), endpoint("crowd", 2, &[])];
    assert_eq!(number(&objects, &Instances::default()).as_deref(), Some("2"));
    let mut known = Instances::default();
    known.add("crowd", 9, None);
    assert_eq!(number(&objects, &known).as_deref(), Some("9"));
}
