//! Whole policies: order, repetition, and who is asked.

use super::{advice, both, objects, routed, rule};
use crate::config::advice::{Instances, everywhere, why};
use crate::config::mesh::IstioVersion;

fn codes(policy: &str) -> Vec<&'static str> {
    advice(policy).iter().map(|one| one.code.code).collect()
}

#[test]
fn a_policy_that_says_what_it_does_gets_no_advice() {
    let policy = both(
        &rule(
            "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 4s, maxEjectionPercent: 100}",
        ),
        &routed("timeout: 300ms\nretries: {attempts: 2, perTryTimeout: 100ms, retryOn: gateway-error}"),
    );
    assert_eq!(advice(&policy), []);
    assert_eq!(advice(&routed("timeout: 2s")), []);
}

#[test]
fn what_several_ports_say_of_a_block_is_said_once_and_in_the_order_of_the_file() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{port: 80, name: http}, {port: 81, name: http-more}]}\n---\n";
    let policy = both(&rule("outlierDetection: {}"), &routed("retries: {attempts: 3, perTryTimeout: 2s}"));
    assert_eq!(codes(&format!("{service}{policy}")), ["SQ0501", "SQ0514", "SQ0516"]);
}

#[test]
fn rules_of_every_namespace_and_routes_of_every_gateway_are_looked_at() {
    let elsewhere = rule("outlierDetection: {consecutive5xxErrors: 0}")
        .replace("{name: cart}", "{name: cart, namespace: shop}")
        .replace("{host: cart,", "{host: cart, exportTo: [.],");
    assert_eq!(codes(&elsewhere), ["SQ0502"]);
    let gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: door}\nspec: {selector: {app: door}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\n";
    let at_gateway =
        routed("retries: {attempts: 3}").replace("  hosts: [cart]\n", "  hosts: [a.com]\n  gateways: [door]\n");
    assert_eq!(codes(&format!("{gateway}{at_gateway}")), ["SQ0514"]);
}

#[test]
fn a_subset_is_counted_by_its_labels() {
    let text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: web}\nspec:\n  host: web\n  trafficPolicy: {outlierDetection: {maxEjectionPercent: 50}}\n  subsets: [{name: v1, labels: {version: v1}}]\n---\n";
    let route = super::of_host("web", "timeout: 2s").replace("host: web}", "host: web, subset: v1}");
    let version = |name: &str| Some([("version".to_owned(), name.to_owned())].into());
    for (of_v1, told) in [(1, true), (2, false)] {
        let mut known = Instances::default();
        known.add("web", of_v1, version("v1"));
        known.add("web", 5, version("v2"));
        let all = everywhere(&objects(&format!("{text}{route}")), &known, IstioVersion::LATEST);
        let what: Vec<_> = all.iter().map(|one| one.what.as_str()).collect();
        let expected = "maxEjectionPercent 50 of 1 instance is 0: no instance of subset v1 of web is ever ejected";
        assert_eq!(what, if told { vec![expected] } else { Vec::new() });
    }
}

#[test]
fn advice_is_a_warning_whose_help_is_what_to_write() {
    let one = advice(&routed("retries: {attempts: 3}")).remove(0);
    assert!(why(one.code.code).is_some() && why("SQ0401").is_none());
    let finding = one.finding();
    assert_eq!(
        finding.to_string().lines().next(),
        Some(
            "mesh.yaml:8:7: without retryOn neither a 503 of cart nor a connection that it resets is retried (retries:"
        )
    );
    assert_eq!((finding.code, finding.span_len), (Some("SQ0514"), "retries".len()));
}
