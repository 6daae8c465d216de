//! Conditions under which a run is cut short: everything is undone at once, and nothing judged.

use serde_json::Value;
use squall_tests::http::{Backend, status};
use squall_tests::{Project, project};

const SLUG: &str = "much-is-lost";

/// Everything fails, for longer than a test may take.
fn failing(condition: &str) -> Project {
    let scenario = format!(
        "scenario: much is lost
topology: {{services: [{{name: cart, instances: 1, responds: {{latency: 1ms, body: 10B}}}}]}}
load: {{to: cart, rate: 100/s}}
timeline:
  - {{phase: baseline, for: 1s}}
  - {{phase: failing, for: 10m, faults: [{{abort: {{target: cart/1, status: 503}}}}]}}
expect: {{failing: {{success: \">= 1%\"}}}}
abort-when: [{condition}]
"
    );
    project().file("lost.yaml", &scenario)
}

fn cut_short(project: &Project, arguments: &[&str], wanted: &str) -> Value {
    let mut all = vec!["run", "lost.yaml", "--no-control", "--json"];
    all.extend(arguments);
    let summary = project.run(&all).expect_code(105).json_lines().remove(0);
    assert_eq!(summary["verdict"], "ABORTED");
    let record = project.record(SLUG);
    let why = record["reasons"][0]["text"].as_str().unwrap_or_default();
    assert!(why.contains("abort-when: ") && why.contains(wanted), "{why}");
    record
}

#[test]
fn too_little_success_undoes_everything_at_once_and_says_why() {
    let project = failing("{success: \"< 50%\", over: 500ms}");
    let record = cut_short(&project, &[], "requests succeeded, < 50% is too few");
    let arm = &record["arms"][0];
    let aborted = arm["events"].as_array().expect("events").iter().find(|event| event["kind"] == "aborted");
    let aborted = aborted.expect("the end is told")["at"].as_i64();
    assert!(arm["faults"][0]["cleared"].as_i64() >= aborted, "{}", arm["faults"][0]);
}

#[test]
fn requests_that_take_too_long_end_a_run() {
    let project = failing("{p99: \"> 1us\", over: 500ms}");
    cut_short(&project, &[], "requests took longer than 1us");
}

#[test]
fn an_address_that_does_not_answer_well_ends_a_run() {
    let sick = Backend::start(|_| status(503));
    let project = failing(&format!("{{probe: \"http://{}/health\", over: 300ms}}", sick.address));
    cut_short(&project, &[], "/health answers 503");
    assert_eq!(sick.asked()[0].target(), "/health");
}

#[test]
fn a_program_that_does_not_end_well_ends_a_run_if_programs_are_allowed() {
    let project = failing("{command: [\"false\"], over: 1s}");
    let refused = project.run(&["run", "lost.yaml"]).expect_code(104).err();
    assert!(refused.contains("starts `false`: if that is meant, say --allow-commands"), "{refused}");
    cut_short(&project, &["--allow-commands"], "`false` has come to exit code 1");
}

#[test]
fn conditions_that_do_not_hold_change_nothing() {
    const CALM: &str = "{phase: calm, for: 2s}";
    let project = failing("{success: \"< 50%\"}, {p99: \"> 20s\"}, {command: [\"true\"]}");
    let text = std::fs::read_to_string(project.path().join("lost.yaml")).expect("written before");
    let fault = text.lines().find(|line| line.contains("failing, for")).expect("a phase").to_owned();
    let calm = text
        .replace(&fault, &format!("  - {CALM}"))
        .replace("{failing: {success: \">= 1%\"}}", "{calm: {lost: \"== 0\"}}");
    std::fs::write(project.path().join("lost.yaml"), calm).expect("written");
    let _ = project.run(&["run", "lost.yaml", "--allow-commands"]).expect_code(0);
}

#[test]
fn conditions_that_cannot_be_are_refused() {
    for (condition, wanted) in [
        ("{over: 1s}", "a condition is one thing"),
        ("{success: \"< 50%\", p99: \"> 1s\"}", "a condition is one thing"),
        ("{success: \"50%\"}", "such as `< 99%`"),
        ("{p99: \"< 1s\"}", "such as `> 2s`"),
        ("{success: \"< 50%\", over: 0s}", "over no time at all"),
        ("{probe: \"ftp://127.0.0.1/\"}", "cannot be asked"),
        ("{probe: \"http://192.0.2.1:80/\"}", "not on this machine"),
        ("{command: []}", "no program"),
    ] {
        let refused = failing(condition).run(&["check", "lost.yaml"]).expect_code(104).err();
        assert!(refused.contains(wanted), "{condition}: {refused}");
    }
}

#[test]
fn what_may_be_hit_is_bounded_by_number_and_by_share() {
    let scenario = |most: &str| {
        let text = "scenario: bounded
topology: {services: [{name: cart, instances: 4}]}
load: {to: cart, rate: 100/s}
timeline:
  - {phase: baseline, for: 1s}
  - {phase: failing, for: 1s, faults: [{abort: {target: cart/1..2, status: 503}}]}
expect: {failing: {success: \">= 1%\"}}
";
        project().file("bounded.yaml", &format!("{text}max-affected: {most}\n")).run(&["check", "bounded.yaml"])
    };
    for most in ["{instances: 2}", "{percent: 50%}", "{instances: 3, percent: 74%}"] {
        let _ = scenario(most).expect_code(0);
    }
    for (most, wanted) in [
        ("{instances: 1}", "`max-affected` allows 1"),
        ("{percent: 49%}", "`max-affected` allows 1"),
        ("{instances: 4, percent: 20%}", "`max-affected` allows 0"),
        ("{}", "it bounds nothing"),
    ] {
        let refused = scenario(most).expect_code(104).err();
        assert!(refused.contains(wanted), "{most}: {refused}");
    }
}
