//! The language as it is meant to become: each scenario is read, or what it asks for is refused by name.

use super::errors;

const GREY: &str = "\
scenario: a grey failure is found by nothing but latency
topology: {services: [{name: search, instances: 5, responds: {latency: {p50: 4ms, p99: 15ms}}}]}
load: {to: search, profile: {poisson: 800/s}, connections: {up-to: 200}}
timeline:
  - {phase: baseline, for: 10s}
  - {phase: limp, for: 20s, faults: [{latency: {target: search/3, base: 300ms, jitter: 50ms, pick: 40%, pulse: {active: 4s, idle: 2s}}}]}
expect: {limp: {p99: \"<= 60ms\", success: \">= 99.9%\"}}
";

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

const GRAPH: &str = "\
scenario: the slow service deep in the graph is named
topology: {from: graphs/ten-services.yaml}
mesh: {mode: both}
load: {to: frontend, rate: 100/s, connections: 32}
timeline:
  - {phase: baseline, for: 10s}
  - {phase: slow, for: 15s, faults: [{latency: {target: \"reviews -> ratings\", base: 400ms}}]}
expect: {healing: [{blamed: ratings, within: 5s}]}
";

const PARTS: &str = "\
scenario: parts that are still to come
topology: {services: [{name: cart, instances: 2, calls: [{to: stock}]}]}
load:
  - {name: closed, to: cart, closed: {connections: 64}}
  - {name: ramp, to: cart, profile: {ramp: {from: 1/s, to: 9/s, over: 5s}}}
timeline:
  - {phase: all, for: 5s, do: [{scale: {service: cart, to: 4}}, {drain: cart/1}]}
expect: {all: {lost: \"== 0\"}, healing: [{promoted: cart@v2}]}
allow: [10.0.0.0/8]
";

#[test]
fn what_is_not_obeyed_yet_is_refused_by_name() {
    for (text, expected) in [
        (GREY, &["`pulse` is not obeyed yet"][..]),
        (ZONE, &["a zone as a target is not obeyed yet"]),
        (
            GRAPH,
            &[
                "`from` is not obeyed yet",
                "an edge between two services as a target is not obeyed yet",
                "`blamed` is not obeyed yet",
            ],
        ),
        (PARTS, &["`calls`", "`scale`", "`drain`", "`promoted`"]),
    ] {
        let said = errors(text);
        for part in expected {
            assert!(said.contains(part), "{part}:\n{said}");
        }
        assert!(said.lines().all(|line| line.contains("is not obeyed yet")), "{said}");
    }
}
