//! Processes that are told to end, that do not listen, that crash again and again, and that run out of something.

use squall_tests::{binary, project};

/// What the supervisor and the harness say of `cart/1`, and how the fault on it went.
fn story(fault: &str, service: &str) -> (Vec<String>, serde_json::Value) {
    let text = format!(
        "scenario: processes\n\
         topology: {{services: [{{name: cart, instances: 2{service}}}]}}\n\
         load: {{to: cart, rate: 50/s}}\n\
         timeline: [{{phase: baseline, for: 1s}}, {{phase: ended, for: 4s, faults: [{{{fault}}}]}}, {{phase: after, for: 1s}}]\n\
         expect: {{baseline: {{success: \">= 50%\"}}}}\n"
    );
    let project = project().file("processes.yaml", &text);
    let _ = project.run(&["run", "processes.yaml"]).expect_code(0);
    let arm = project.record("processes")["arms"][0].clone();
    let events = arm["events"].as_array().expect("events").iter();
    let of_first = events.filter(|event| event["subject"] == "cart/1");
    let told = of_first.filter_map(|event| event["text"].as_str().map(str::to_owned)).collect();
    (told, arm["faults"][0].clone())
}

fn seconds(fault: &serde_json::Value) -> f64 {
    (fault["effect"].as_f64().expect("an effect") - fault["asked"].as_f64().expect("asked")) / 1e6
}

#[test]
fn a_process_is_told_to_end_and_a_fresh_one_takes_its_place_when_the_fault_ends() {
    let (told, fault) = story("terminate: {target: cart/1, grace: 3s}", "");
    assert!(told.iter().any(|text| text == "cart/1 is gone (signal 15)"), "{told:?}");
    assert!(seconds(&fault) < 3.0, "it was not waited for: {fault}");
    assert!(fault["cleared"].as_i64() > fault["effect"].as_i64(), "{fault}");
}

#[test]
fn a_process_that_does_not_listen_is_killed_when_its_grace_is_over() {
    let squall = binary().display().to_string();
    let deaf = format!(", run: [env, --ignore-signal=TERM, \"{squall}\", service, --port, \"{{port}}\"]");
    let (told, fault) = story("terminate: {target: cart/1, grace: 1s}", &deaf);
    assert!(told.iter().any(|text| text == "cart/1 is gone (signal 9)"), "{told:?}");
    assert!(seconds(&fault) >= 1.0, "{fault}");
}

#[test]
fn a_process_in_a_crash_loop_is_started_and_killed_until_the_fault_ends() {
    let (told, fault) = story("crash-loop: {target: cart/1, up: 300ms}", "");
    let count = |wanted: &str| told.iter().filter(|text| text.contains(wanted)).count();
    assert!(count("is gone (signal 9)") >= 2, "{told:?}");
    assert_eq!(count("is gone"), count("is started again"), "the last one stays: {told:?}");
    assert!(fault["cleared"].is_i64(), "{fault}");
}

#[test]
fn a_process_without_descriptors_takes_no_connections_until_the_fault_ends() {
    let text = "scenario: descriptors
topology: {services: [{name: cart, instances: 1, responds: {latency: 1ms, body: 10B}}]}
mesh: {mode: none}
load: {to: cart, rate: 50/s, connections: each, time-out: 500ms}
timeline: [{phase: baseline, for: 1s}, {phase: limited, for: 2s, faults: [{limit: {target: cart/1, descriptors: 4}}]}, {phase: after, for: 2s}]
expect: {limited: {lost: \">= 50\"}, after: {success: \">= 60%\"}}
";
    let project = project().file("descriptors.yaml", text);
    let _ = project.run(&["run", "descriptors.yaml"]).expect_code(0);
    let fault = project.record("descriptors")["arms"][0]["faults"][0].clone();
    assert!(fault["effect"].is_i64() && fault["cleared"].is_i64(), "{fault}");
}
