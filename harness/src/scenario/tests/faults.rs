//! Faults: what each kind is read as, and which cannot be.

use super::wrong::table;
use super::{CART, errors, scenario};
use crate::fault::spec::Fault;
use std::fmt::Write;

/// Every kind on the way to an instance, with the keys of its own.
const KINDS: [&str; 46] = [
    "latency: {target: cart/1, base: 20ms}",
    "latency: {target: cart/1, base: 20ms, jitter: 5ms, distribution: pareto, correlation: 25%, pick: 40%}",
    "latency: {target: cart/1, base: 20ms, part: body}",
    "latency: {target: cart/1, base: 20ms, part: pieces, ramp: 3s}",
    "latency: {target: cart/1, base: 20ms, part: pieces, unit: connection}",
    "latency: {target: cart/1, base: 300ms, jitter: 50ms, pick: 40%, pulse: {active: 4s, idle: 2s}}",
    "degrade: {target: cart/1, by: 300ms, pick: 30%}",
    "overload: {target: cart/1, free: 8, each: 2ms}",
    "abort: {target: cart/1, status: 503}",
    "abort: {target: cart/1, status: 429, retry-after: 2s, place: after}",
    "abort: {target: cart/1, status: 200, body: '{\"error\": 1}'}",
    "abort: {target: cart/1, grpc-status: unavailable, pick: 30%}",
    "abort: {target: cart/1, rst-stream: refused-stream}",
    "abort: {target: cart/1, goaway: true, pick: every 100th}",
    "abort: {target: cart/1, status: 503, match: {probes: never}}",
    "abort: {target: cart/1, status: 503, match: {probes: only}, pick: 50%, ramp: 2s}",
    "reset: {target: cart/1}",
    "reset: {target: cart/1, after-bytes: 2KB}",
    "reset: {target: cart/1, after: 2s}",
    "truncate: {target: cart/1, after-bytes: 100B}",
    "refuse: {target: cart/1}",
    "flap: {target: cart/1, down: 1s, up: 2s}",
    "accept-stall: {target: cart/1}",
    "connection-limit: {target: cart/1, most: 4}",
    "hang: {target: cart/1, pick: 10%}",
    "blackhole: {target: cart/1, direction: server-to-client}",
    "blackhole: {target: cart/1, close-after: 3s}",
    "bandwidth: {target: cart/1, rate: 64KB/s}",
    "bandwidth: {target: cart/1, rate: 64KB/s, direction: client-to-server}",
    "slicer: {target: cart/1, size: 64B, every: 5ms}",
    "slicer: {target: cart/1, size: 64B, every: 5ms, stray: 8B}",
    "drip: {target: cart/1, every: 10ms}",
    "slow-close: {target: cart/1, by: 2s}",
    "corrupt: {target: cart/1}",
    "corrupt: {target: cart/1, every: 1B, pick: first 3}",
    "rewrite: {target: cart/1, set: {Retry-After: '9'}, remove: [ETag]}",
    "rewrite: {target: cart/1, of: request, remove: [authorization]}",
    "lose-trailers: {target: cart/1}",
    "pause: {target: cart/1}",
    "terminate: {target: cart/1, grace: 2s}",
    "terminate: {target: cart/1, restart: supervisor}",
    "crash-loop: {target: cart/1, up: 500ms}",
    "limit: {target: cart/1, descriptors: 64, memory: 256MB}",
    "unlist: {target: cart/1}",
    "stale: {target: cart/1}",
    "misdirect: {target: cart/1}",
];

#[test]
fn every_kind_is_read() {
    let mut read = String::new();
    for written in KINDS {
        let scenario = scenario(&CART.replace("kill: {target: cart/1}", written));
        let [planned] = &scenario.timeline[2].faults[..] else { panic!("one fault: {written}") };
        let (what, fault) = (&planned.what, &planned.fault);
        let existing = if fault.existing { "open ones too" } else { "new ones" };
        let Fault { kind, unit, direction, .. } = fault;
        writeln!(read, "{written}\n  {what}\n  {kind:?} of {unit:?}, {direction:?}, {existing}").unwrap();
    }
    insta::assert_snapshot!(read);
}

#[test]
fn faults_that_cannot_be() {
    let cases = [
        "degrade: {target: cart/1, by: 300ms}",
        "latency: {target: cart/1, base: 20ms, part: body, unit: connection}",
        "latency: {target: cart/1, base: 20ms, correlation: 120%}",
        "latency: {target: cart/1, base: 20ms, ramp: 20s}",
        "hang: {target: cart/1, ramp: 2s}",
        "hang: {target: cart/1, pulse: {active: 9s, idle: 1s}}",
        "hang: {target: cart/1, pulse: {active: 1s, idle: 0s}}",
        "kill: {target: cart/1, pulse: {active: 1s, idle: 1s}}",
        "flap: {target: cart/1, down: 1s, up: 2s, pulse: {active: 1s, idle: 1s}}",
        "flap: {target: cart/1, down: 0s, up: 2s}",
        "abort: {target: cart/1, status: 503, retry-after: 1500ms}",
        "abort: {target: cart/1}",
        "abort: {target: cart/1, goaway: false}",
        "abort: {target: cart/1, status: 503, rst-stream: cancel}",
        "abort: {target: cart/1, grpc-status: unavailable, retry-after: 1s, body: x}",
        "abort: {target: cart/1, grpc-status: unavailible}",
        "terminate: {target: cart/1, grace: 3s, for: 2s}",
        "crash-loop: {target: cart/1, up: 1s, pick: 30%}",
        "slicer: {target: cart/1, size: 0B, every: 5ms}",
        "slicer: {target: cart/1, size: 8B, every: 5ms, stray: 8B}",
        "reset: {target: cart/1, after: 2s, after-bytes: 1KB}",
        "reset: {target: cart/1, after: 2s, unit: request}",
        "abort: {target: cart/1, status: 503, direction: both}",
        "corrupt: {target: cart/1, direction: client-to-server}",
        "corrupt: {target: cart/1, every: 0B}",
        "rewrite: {target: cart/1}",
        "rewrite: {target: cart/1, set: {content-length: '3'}}",
        "rewrite: {target: cart/1, set: {'a b': '3'}}",
        "rewrite: {target: cart/1, set: {a: \"x\\r\\ny: 1\"}}",
        "slicer: {target: cart/1, size: 1B, every: 5ms, match: {path: /}}",
        "drip: {target: cart/1, every: 5ms, unit: connection}",
        "connection-limit: {target: cart/1, most: 4, pick: attempt 1}",
        "limit: {target: cart/1}",
        "limit: {target: cart/1, descriptors: 64, pulse: {active: 1s, idle: 1s}}",
        "unlist: {target: cart/1, pulse: {active: 1s, idle: 1s}}",
        "stale: {target: cart/1, pick: 30%}",
        "misdirect: {target: proxy of cart/1}",
    ];
    let cases = cases.map(|case| ("kill: {target: cart/1}", case));
    let two = [
        ("abort: {target: cart/1, status: 503}", "truncate: {target: cart/1}"),
        ("refuse: {target: cart/1}", "latency: {target: cart/1, base: 1s}"),
        ("unlist: {target: cart/1}", "misdirect: {target: cart/1}"),
        ("blackhole: {target: cart/1}", "blackhole: {target: cart/1, direction: client-to-server}"),
    ]
    .map(|(one, other)| format!("{one}}}, {{{other}"));
    let pairs: Vec<(&str, &str)> = two.iter().map(|both| ("kill: {target: cart/1}", both.as_str())).collect();
    insta::assert_snapshot!(table(&cases) + &table(&pairs));
}

#[test]
fn each_way_of_a_connection_may_have_a_hole_of_its_own() {
    let ways = "blackhole: {target: cart/1, direction: client-to-server}}, {blackhole: {target: cart/1, direction: server-to-client}";
    assert_eq!(scenario(&CART.replace("kill: {target: cart/1}", ways)).timeline[2].faults.len(), 2);
}

#[test]
fn who_is_gone_may_stay_listed() {
    let both = "stale: {target: cart}}, {kill: {target: cart/1}";
    assert_eq!(scenario(&CART.replace("kill: {target: cart/1}", both)).timeline[2].faults.len(), 4);
}

#[test]
fn what_rests_now_and_then_leaves_room_for_another() {
    let both = "flap: {target: cart/1, down: 1s, up: 1s}}, {latency: {target: cart/1, base: 1s}";
    assert_eq!(scenario(&CART.replace("kill: {target: cart/1}", both)).timeline[2].faults.len(), 2);
}

/// Zones are dealt out in turn: instances 1 and 4 are in the first.
const ZONE: &str = "\
scenario: losing a zone does not lose requests
topology: {services: [{name: cart, instances: 6, zone: [a, b, c]}]}
load: {to: cart, rate: 600/s, connections: 64}
timeline:
  - {phase: baseline, for: 5s}
  - {phase: zone-down, for: 10s, faults: [{blackhole: {target: \"zone:a\", direction: both}}]}
expect: {zone-down: {success: \">= 99.5%\"}, healing: [{recovered: cart, within: 3s}]}
max-affected: {instances: 2}
";

#[test]
fn a_zone_is_every_instance_in_it() {
    let struck = |text: &str| {
        let faults = &scenario(text).timeline[2].faults;
        faults.iter().map(|fault| fault.target.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(struck(ZONE), ["cart/1", "cart/4"]);
    let two = ZONE.replace("[a, b, c]}", "[a, b, c]}, {name: pay, zone: b}").replace("zone:a", "zone:b");
    assert_eq!(struck(&two.replace("instances: 2}", "instances: 3}")), ["cart/2", "cart/5", "pay/1"]);
    assert!(errors(&two).contains("`max-affected` allows 2"), "{}", errors(&two));
    assert!(errors(&ZONE.replace("zone:a", "zone:d")).contains("no instance is in a zone `d`"));
}
