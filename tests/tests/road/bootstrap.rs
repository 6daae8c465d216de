//! An Envoy bootstrap as the policies of a scenario.

use serde_json::Value;
use squall_tests::{Project, project};

/// A bootstrap with two listeners and two clusters, of which one is found by the name of its host.
const ENVOY: &str = include_str!("envoy.yaml");

const SCENARIO: &str = r#"
scenario: a bootstrap
topology:
  services:
    - {name: cart, instances: 2, responds: {latency: 2ms}}
    - {name: pay, instances: 1, responds: {latency: 2ms}}
policies: [policies/envoy.yaml]
load:
  - {name: shop, to: cart, host: "shop.example.com:10000", rate: 60/s, connections: 6, time-out: 20s}
  - {name: till, to: pay, host: "till:10001", rate: 10/s, connections: 2, time-out: 20s}
timeline:
  - {phase: baseline, for: 1s}
  - {phase: failing, for: 2s, faults: [{abort: {target: cart/1, status: 503}}]}
expect: {failing: [{of: shop, success: ">= 90%"}]}
control: {without: [outlier-detection, retries]}
"#;

fn with(scenario: &str) -> Project {
    project().file("bootstrap.yaml", scenario).file("policies/envoy.yaml", ENVOY)
}

fn lost(arm: &Value) -> u64 {
    let totals = arm["totals"].as_array().expect("totals");
    let failing = totals.iter().find(|one| one["phase"] == "failing" && one["flow"] == "shop").expect("a phase");
    failing["lost"].as_u64().expect("a count")
}

#[test]
fn its_listeners_lead_to_the_instances_of_its_clusters_and_its_control_is_disarmed() {
    let project = with(SCENARIO);
    let _ = project.run(&["run", "bootstrap.yaml", "--no-rerun"]);
    let record = project.record("a-bootstrap");
    let [main, control] = record["arms"].as_array().expect("arms").as_slice() else { panic!("two arms") };
    for arm in [main, control] {
        assert_eq!(arm["truth"]["unexplained"], 0, "{}", arm["truth"]);
        // Each of the three instances was asked, by the cluster that stands for its service.
        for offers in arm["offers"].as_array().expect("offers") {
            let offered: u64 = offers["offered"].as_array().expect("a series").iter().filter_map(Value::as_u64).sum();
            assert!(offered > 0, "{}", arm["offers"]);
        }
    }
    assert!(lost(control) > lost(main), "{} in the control, {} with healing", lost(control), lost(main));
    let logs = project.path().join("squall-out/latest/a-bootstrap/run/logs/proxy-access.jsonl");
    let text = std::fs::read_to_string(logs).expect("an access log");
    for cluster in ["cart_service", "pay"] {
        assert!(text.contains(&format!("\"upstream_cluster\":\"{cluster}\"")), "{cluster} is asked");
    }
}

#[test]
fn what_cannot_go_with_it_is_said_with_its_place_before_anything_is_started() {
    for (from, to, expected) in [
        ("\"shop.example.com:10000\"", "\"shop.example.com:9\"", "8:34: nobody listens on port 9"),
        ("\"shop.example.com:10000\"", "shop.example.com", "8:34: nobody listens on port 80"),
        ("load:", "mesh: {mode: both}\nload:", "7:14: an Envoy bootstrap is the whole configuration of one proxy"),
        ("name: pay", "name: purse", "no service `pay`"),
    ] {
        let text = SCENARIO.replacen(from, to, 1).trim_start().to_owned();
        let ended = with(&text).run(&["check", "bootstrap.yaml"]).expect_code(104);
        let said = ended.err() + &ended.out();
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = expected.split_once(": ").map_or(expected, |(_, message)| message);
        assert!(flat.contains(wanted), "{expected}:\n{said}");
        if let Some((place, _)) = expected.split_once(": ").filter(|(place, _)| place.starts_with(char::is_numeric)) {
            assert!(flat.contains(&format!("bootstrap.yaml:{place}")), "{expected}:\n{said}");
        }
    }
}
