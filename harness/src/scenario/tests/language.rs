//! The language as it is meant to become: each scenario is read, or what it asks for is refused by name.

use super::errors;

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
        (
            GRAPH,
            &[
                "`from` is not obeyed yet",
                "an edge between two services as a target is not obeyed yet",
                "`blamed` is not obeyed yet",
            ][..],
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
