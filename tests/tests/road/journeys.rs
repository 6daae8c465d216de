//! Users who ask one thing after another, and are counted beside what they ask.

use serde_json::Value;
use squall_tests::{EJECT_POLICIES, Project, project};

/// Three services, and users who ask all of them; `extra` is a line of the last step.
fn shop(extra: &str) -> String {
    format!(
        r#"
scenario: users come to the end
topology: {{services: [{{name: catalog}}, {{name: cart, instances: 2}}, {{name: check-out}}]}}
policies: [policies]
load:
  - name: shopper
    to: catalog
    rate: 50/s
    request: {{headers: {{x-user: "${{user}}"}}, data: users.csv}}
    journey:
      - {{step: browse, capture: {{seen: {{header: x-squall-instance}}}}}}
      - {{step: add, to: cart, think: 20ms, request: {{method: POST, path: "/cart?seen=${{seen}}"}}}}
      - {{step: pay, to: check-out, think: {{min: 10ms, max: 50ms}}{extra}}}
timeline: [{{phase: all, for: 2s}}]
expect: {{all: [{{lost: "== 0"}}, {{of: shopper, success: ">= 99%"}}, {{of: shopper/pay, p50: "<= 1s"}}]}}
"#
    )
}

fn with_users() -> Project {
    project().file("policies/cart.yaml", EJECT_POLICIES).file("users.csv", "user\nann\nbob\n")
}

#[test]
fn users_are_counted_beside_the_requests_of_their_steps() {
    let project = with_users().file("shop.yaml", &shop(""));
    let _ = project.run(&["run", "shop.yaml"]).expect_code(0);
    let record = project.record("users-come-to-the-end");
    let arm = &record["arms"][0];
    let names: Vec<&Value> = arm["flows"].as_array().expect("flows").iter().map(|flow| &flow["name"]).collect();
    assert_eq!(names, ["shopper", "shopper/browse", "shopper/add", "shopper/pay"]);
    let totals = arm["totals"].as_array().expect("totals");
    let of = |phase: &str, flow: &Value| {
        let found = totals.iter().find(|totals| totals["phase"] == phase && totals["flow"] == *flow);
        found.unwrap_or_else(|| panic!("{phase} {flow}: {totals:?}"))
    };
    let count = |phase: &str, flow: &Value, what: &str| of(phase, flow)[what].as_u64().expect("a count");
    let sum = |flow: &Value, what: &str| count("warm-up", flow, what) + count("all", flow, what);
    assert_eq!(count("all", &"shopper".into(), "planned"), 100, "users arrive as planned");
    for name in names {
        // Whoever arrives while it warms up may pay after that.
        assert_eq!((sum(name, "planned"), sum(name, "lost")), (150, 0), "{name}");
    }
    assert_eq!((sum(&Value::Null, "planned"), sum(&Value::Null, "lost")), (450, 0), "requests, and no users");
    let median = |flow: &str| of("all", &flow.into())["response"]["p50"].as_f64().expect("a figure");
    assert!(median("shopper") >= median("shopper/pay") + 30.0, "thinking is part of a user's time");
    let offered =
        |instance: &str| ["warm-up", "all"].map(|phase| of(phase, &Value::Null)["arrivals"][instance].as_u64());
    let reached = |instances: &[&str]| instances.iter().flat_map(|name| offered(name)).flatten().sum::<u64>();
    for instances in [&["catalog/1"][..], &["cart/1", "cart/2"], &["check-out/1"]] {
        // The last ones may pay when the timeline has ended.
        assert!((140..=150).contains(&reached(instances)), "{instances:?}: {}", reached(instances));
    }
}

/// A journey that this program plays.
fn played(run: &str) -> Project {
    with_users().file(
        "played.yaml",
        &format!(
            r#"
scenario: users of a program come to the end
topology: {{services: [{{name: catalog}}, {{name: cart}}]}}
policies: [policies]
load:
  - name: shopper
    to: catalog
    rate: 50/s
    journey: {{run: {run}, steps: [{{step: browse}}, {{step: add, to: cart}}]}}
  - {{name: others, to: cart, rate: 30/s}}
timeline: [{{phase: all, for: 2s}}]
expect: {{all: [{{lost: "== 0"}}, {{of: shopper, success: ">= 99%"}}]}}
"#
        ),
    )
}

/// Whoever speaks the load worker's language can play a journey: here it is the load worker itself.
#[test]
fn a_program_plays_a_journey_beside_the_load_worker() {
    let project = played(&format!("[{}, load-worker]", squall_tests::binary().display()));
    let _ = project.run(&["run", "played.yaml"]).expect_code(0);
    let record = project.record("users-of-a-program-come-to-the-end");
    let totals = record["arms"][0]["totals"].as_array().expect("totals");
    let planned = |flow: Value| {
        let of = |phase: &str| totals.iter().find(|totals| totals["phase"] == phase && totals["flow"] == flow);
        let planned = |phase: &str| of(phase).and_then(|totals| totals["planned"].as_u64());
        let both = planned("warm-up").zip(planned("all"));
        both.map_or_else(|| panic!("{flow}"), |(one, other)| one + other)
    };
    for (flow, expected) in [("shopper", 150), ("shopper/browse", 150), ("shopper/add", 150), ("others", 90)] {
        assert_eq!(planned(flow.into()), expected, "{flow}");
    }
    assert_eq!(planned(Value::Null), 390);
    let processes = record["arms"][0]["processes"].as_array().expect("processes");
    assert!(
        processes.iter().any(|process| process["name"] == "players shopper"),
        "what it takes is told: {processes:?}"
    );
}

#[test]
fn a_program_that_plays_nothing_is_told_by_its_name() {
    for run in ["[/bin/true]", "[/nowhere/to-be-found]"] {
        let ended = played(run).run(&["run", "played.yaml"]);
        assert_eq!(ended.code(), Some(1), "{}{}", ended.out(), ended.err());
        assert!((ended.out() + &ended.err()).contains("players shopper"), "{}{}", ended.out(), ended.err());
    }
}

#[test]
fn journeys_that_cannot_be_gone_are_refused_before_anything_starts() {
    let extra = ", request: {path: \"/orders/${order}\"}, capture: {seen: {json: id}, other: {regex: '('}}";
    let said = with_users().file("shop.yaml", &shop(extra)).run(&["check", "shop.yaml"]).expect_code(104).err();
    for what in [
        "captures `order`",
        "`seen` has a value already",
        "`id` is no JSON pointer",
        "is no regular expression: unclosed group",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
}
