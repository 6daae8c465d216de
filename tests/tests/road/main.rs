//! The whole road: a scenario is deployed, broken, judged and reported.

mod abort;
mod advice;
mod bootstrap;
mod compare;
mod configuration;
mod fault;
mod history;
mod journeys;
mod load;
mod modes;
mod processes;
mod protocols;
mod sweep;
mod textbook;

use serde_json::Value;
use squall_tests::{EJECT, EJECT_POLICIES, children, ejection, project, until};

const SLUG: &str = "one-failing-instance-is-ejected";

#[test]
fn a_healing_mesh_passes_and_its_control_fails() {
    let project = ejection();
    let ended = project.run(&["run", "eject.yaml", "--json", "--seed", "7"]).expect_code(0);
    let lines = ended.json_lines();
    assert_eq!(lines.len(), 1, "one object a scenario");
    let summary = &lines[0];
    assert_eq!(summary["verdict"], "PASS");
    assert_eq!(summary["control"], "FAIL");
    assert_eq!(summary["scenario"], "one failing instance is ejected");
    let names: Vec<_> = expectations(summary).iter().map(|expectation| expectation["name"].clone()).collect();
    assert_eq!(names, ["failing.success", "failing.attempts-per-request", "healing.ejected(cart/1)"]);

    let folder = project.path().join("squall-out/latest");
    for file in ["index.html", "summary.md", "junit.xml"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    for file in
        ["record.json", "record.jsonl", "report.html", "plots/healing.svg", "plots/healing.png", "plots/latency.svg"]
    {
        assert!(folder.join(SLUG).join(file).exists(), "{file}");
    }
    let log = std::fs::read_to_string(folder.join(SLUG).join("latency.hlog")).expect("a histogram log");
    for tag in ["Tag=load.failing.response,", "Tag=load.failing.service,", "Tag=load.baseline.pacer-lag,"] {
        assert!(log.contains(tag), "{tag} is missing");
    }
    let record = project.record(SLUG);
    assert_eq!(record["format"], "squall/record");
    assert_eq!(record["run"]["seed"], 7);
    for arm in record["arms"].as_array().expect("arms") {
        every_request_is_accounted_for(arm);
        the_instances_explain_every_attempt(arm);
    }
}

fn every_request_is_accounted_for(arm: &Value) {
    for totals in arm["totals"].as_array().expect("totals") {
        let outcomes: u64 = totals["outcomes"].as_object().expect("outcomes").values().filter_map(Value::as_u64).sum();
        assert_eq!(totals["planned"].as_u64(), Some(outcomes), "{}", totals["phase"]);
    }
}

fn the_instances_explain_every_attempt(arm: &Value) {
    assert_eq!(arm["truth"]["unexplained"], 0, "{}", arm["truth"]);
    assert!(arm["truth"]["offered"].as_u64() > Some(1000), "{}", arm["truth"]);
}

#[test]
fn an_impossible_expectation_fails_and_says_by_how_much() {
    // So far from the limit that nothing of it is the generator's, on however busy a machine.
    let impossible =
        EJECT.replace("attempts-per-request: \"<= 1.1\"", "p50: \"<= 1ms\"").replace("latency: 2ms", "latency: 100ms");
    let project = project().file("eject.yaml", &impossible).file("policies/cart.yaml", EJECT_POLICIES);
    let ended = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(99);
    assert!(ended.out().contains("failing.p50"), "{}", ended.out());
    assert!(ended.out().contains("eject.yaml:"), "{}", ended.out());
    let record = project.record(SLUG);
    assert_eq!(record["verdict"], "FAIL");
    assert_eq!(record["control"], Value::Null);
    let missed = record["expectations"].as_array().expect("expectations").iter().find(|one| one["id"] == "failing.p50");
    let missed = missed.expect("the expectation that was changed");
    assert_eq!(missed["verdict"], "FAIL");
    assert!(missed["observed"]["value"].as_f64() > Some(0.001), "{missed}");
}

#[test]
fn a_fault_without_effect_proves_nothing() {
    let harmless = EJECT.replace("status: 503", "status: 503, match: {path: /never-asked}");
    let project = project().file("eject.yaml", &harmless).file("policies/cart.yaml", EJECT_POLICIES);
    let ended = project.run(&["run", "eject.yaml", "--no-control", "--json"]).expect_code(3);
    assert_eq!(ended.json_lines()[0]["verdict"], "INVALID");
}

#[test]
fn a_control_that_passes_makes_the_scenario_invalid() {
    let toothless = EJECT.replace("without: [outlier-detection, retries]", "without: [outlier-detection]");
    let project = project().file("eject.yaml", &toothless).file("policies/cart.yaml", EJECT_POLICIES);
    let ended = project.run(&["run", "eject.yaml", "--json"]).expect_code(3);
    assert_eq!(ended.json_lines()[0]["verdict"], "INVALID");
    let reasons = project.record(SLUG)["reasons"].to_string();
    assert!(reasons.contains("proves nothing") && reasons.contains("failing.success"), "{reasons}");
}

#[test]
fn a_record_is_redrawn_and_told_in_totals() {
    let project = ejection();
    let _ = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(0);
    let scenario = format!("squall-out/latest/{SLUG}");
    let report = project.path().join(&scenario).join("report.html");
    let first = std::fs::read(&report).expect("a report");
    let _ = project.run(&["report", &scenario]).expect_code(0);
    assert!(first == std::fs::read(&report).expect("a report"), "the same record gives the same page");
    let totals = project.run(&["report", &scenario, "--json"]).expect_code(0);
    assert!(totals.json_lines()[0].to_string().contains("planned"));
}

#[test]
fn a_generator_that_was_stopped_for_200_ms_proves_nothing() {
    let project = ejection();
    let mut run = project.squall(&["run", "eject.yaml", "--no-control", "--no-rerun", "--json"]);
    let run = run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().expect("it starts");
    let mut generator = None;
    until("the generator is at work", || {
        generator = children(run.id()).into_iter().find(|(_, command)| command.contains("load-worker"));
        generator.is_some() && project.stream(SLUG).contains("fault-effect")
    });
    let generator = nix::unistd::Pid::from_raw(generator.expect("just found").0);
    nix::sys::signal::kill(generator, nix::sys::signal::Signal::SIGSTOP).expect("a signal");
    // The oracle is a matter of time: 200 ms of a stopped generator.
    std::thread::park_timeout(std::time::Duration::from_millis(200));
    nix::sys::signal::kill(generator, nix::sys::signal::Signal::SIGCONT).expect("a signal");
    let output = run.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
    let record = project.record(SLUG);
    assert_eq!(record["verdict"], "INVALID");
    assert!(record["reasons"].to_string().contains("generator"), "{}", record["reasons"]);
}

fn expectations(summary: &Value) -> Vec<Value> {
    summary["expectations"].as_array().expect("expectations").clone()
}
