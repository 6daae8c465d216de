//! Policies that are applied under way: refused where they are wrong, loaded where they are not, by every proxy of the mesh.

use serde_json::Value;
use squall_tests::{Project, project};

const SLUG: &str = "policies-change-under-way";

fn virtual_service(timeout: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: cart}}
spec: {{hosts: [cart], http: [{{route: [{{destination: {{host: cart}}}}], timeout: {timeout}}}]}}
"
    )
}

fn changing(mode: &str, fault: &str) -> Project {
    let scenario = format!(
        "scenario: policies change under way
topology: {{services: [{{name: cart, instances: 2, responds: {{latency: 1ms, body: 10B}}}}]}}
policies: [policies/calm.yaml]
mesh: {{mode: {mode}}}
load: {{to: cart, rate: 200/s}}
timeline:
  - {{phase: baseline, for: 1s}}
  - {{phase: wrong, for: 2s, do: [{{apply: policies/wrong.yaml}}]}}
  - {{phase: hasty, for: 3s, do: [{{apply: policies/hasty.yaml}}]{fault}}}
expect:
  wrong: {{lost: \"== 0\"}}
  healing: [{{refused: wrong, within: 2s}}]
control: {{without: [last-good]}}
"
    );
    project()
        .file("change.yaml", &scenario)
        .file("policies/calm.yaml", &virtual_service("1s"))
        .file("policies/wrong.yaml", &virtual_service("soon"))
        .file("policies/hasty.yaml", &virtual_service("900ms"))
}

fn told<'r>(arm: &'r Value, kind: &'r str) -> impl Iterator<Item = &'r str> {
    let events = arm["events"].as_array().expect("events").iter().filter(move |event| event["kind"] == kind);
    events.filter_map(|event| event["text"].as_str())
}

#[test]
fn what_is_wrong_is_refused_by_every_proxy_and_what_is_right_is_loaded_by_all() {
    for mode in ["client", "both"] {
        let project = changing(mode, "");
        let _ = project.run(&["run", "change.yaml"]).expect_code(0);
        let record = project.record(SLUG);
        // Of one that a busy machine has made INVALID there is another try behind it.
        let arms = record["arms"].as_array().expect("arms");
        let last = |kind: &str| arms.iter().rfind(|arm| arm["kind"] == kind).expect("an arm of the kind");
        let (arm, control) = (last("main"), last("control"));
        let refused = told(arm, "refused").next().expect("a refusal");
        assert!(refused.contains("policies/wrong.yaml:4:") && refused.contains("`soon` is no duration"), "{refused}");
        assert!(told(arm, "policy").any(|text| text == "every proxy has loaded it"), "{mode}: {}", arm["events"]);
        assert!(told(control, "policy").any(|text| text.starts_with("started anew: ")), "{}", control["events"]);
        assert_eq!(control["verdict"], "FAIL", "{mode}");
    }
}

#[test]
fn a_proxy_that_is_killed_amid_a_reload_comes_back_with_what_was_applied() {
    let project = changing("both", ", faults: [{kill: {target: proxy of cart/1, at: 60ms, for: 1s}}]");
    let _ = project.run(&["run", "change.yaml", "--no-control"]).expect_code(0);
    let record = project.record(SLUG);
    let arm = &record["arms"][0];
    assert!(arm["faults"][0]["cleared"].is_i64(), "{}", arm["faults"][0]);
    assert!(told(arm, "policy").any(|text| text == "every proxy has loaded it"), "{}", arm["events"]);
}

fn listing(fault: &str, healed: &str) -> Project {
    let scenario = format!(
        "scenario: policies change under way
topology: {{services: [{{name: cart, instances: 2, responds: {{latency: 1ms, body: 10B}}}}]}}
policies: [policies/calm.yaml]
load: {{to: cart, rate: 200/s}}
timeline:
  - {{phase: baseline, for: 2s}}
  - {{phase: misinformed, for: 3s, faults: [{fault}]}}
  - {{phase: recovery, for: 2s}}
expect: {{misinformed: {{{healed}}}, recovery: {{success: \">= 95%\"}}}}
"
    );
    let policy = virtual_service("1s").replace("timeout: 1s", "retries: {attempts: 2, retryOn: connect-failure}");
    project().file("change.yaml", &scenario).file("policies/calm.yaml", &policy)
}

#[test]
fn an_instance_that_nobody_lists_gets_nothing_and_a_service_without_endpoints_serves_nobody() {
    for (fault, limit, offered) in [
        ("{unlist: {target: cart/1}}", "lost: \"== 0\"", 1),
        ("{unlist: {target: cart}}", "success: \"<= 10%\"", 2),
        ("{misdirect: {target: cart/2}}", "success: \">= 99%\", attempts-per-request: \">= 1.2\"", 1),
    ] {
        let project = listing(fault, limit);
        let _ = project.run(&["run", "change.yaml"]).expect_code(0);
        let record = project.record(SLUG);
        let faults = record["arms"][0]["faults"].as_array().expect("faults").clone();
        assert_eq!(faults.len(), offered, "{fault}");
        for span in faults {
            assert!(span["effect"].is_i64() && span["cleared"].as_i64() > span["effect"].as_i64(), "{span}");
        }
    }
}
