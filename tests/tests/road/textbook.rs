//! The limits of the shipped textbook scenario follow from the numbers of its policy: twice a number, and a limit breaks.

use serde_json::Value;
use squall_tests::{project, repository};
use std::fs::read_to_string;

/// What stands in the policy, what takes its place, and the expectation that this breaks.
const DOUBLED: [(&str, &str, &str); 6] = [
    ("consecutive5xxErrors: 3", "consecutive5xxErrors: 6", "failing.lost"),
    ("interval: 10s", "interval: 20s", "healing.readmitted(cart/1)"),
    ("baseEjectionTime: 30s", "baseEjectionTime: 60s", "healing.readmitted(cart/1)"),
    ("perTryTimeout: 2s", "perTryTimeout: 4s", "stuck.lost"),
    ("port: 8080}", "port: 8080}, periodSeconds: 20", "healing.restarted(cart/2)"),
    ("port: 8080}", "port: 8080}, failureThreshold: 6", "healing.restarted(cart/2)"),
];

#[test]
fn twice_a_number_of_the_textbook_policy_breaks_its_limit() {
    let shipped = repository().join("scenarios/textbook");
    let scenario = read_to_string(shipped.join("textbook.yaml")).expect("the scenario");
    let policy = read_to_string(shipped.join("policies/textbook.yaml")).expect("its policy");
    let mut project = project();
    for (number, (written, doubled, _)) in DOUBLED.iter().enumerate() {
        assert!(policy.contains(written), "the policy says {written}");
        let titled = scenario.replace("scenario: the textbook policy", &format!("scenario: doubled {number}"));
        project = project
            .file(&format!("doubled/{number}/textbook.yaml"), &titled)
            .file(&format!("doubled/{number}/policies/textbook.yaml"), &policy.replace(written, doubled));
    }
    let all = project.run(&["run", "doubled", "--no-control", "--json", "--jobs", "6"]).expect_code(99).json_lines();
    assert_eq!(all.len(), DOUBLED.len(), "{all:?}");
    for (number, (summary, (_, doubled, broken))) in all.into_iter().zip(DOUBLED).enumerate() {
        // One that a busy machine has made INVALID beside others is run again by itself.
        let summary = if summary["verdict"] == "INVALID" {
            let folder = format!("doubled/{number}");
            project.run(&["run", &folder, "--no-control", "--json"]).expect_code(99).json_lines().remove(0)
        } else {
            summary
        };
        let missed = |expectation: &&Value| expectation["verdict"] == "FAIL";
        let missed: Vec<_> = summary["expectations"]
            .as_array()
            .expect("expectations")
            .iter()
            .filter(missed)
            .filter_map(|expectation| expectation["name"].as_str())
            .collect();
        assert_eq!(summary["verdict"], "FAIL", "{doubled}: {summary}");
        assert!(missed.contains(&broken), "{doubled} breaks {broken}, not only {missed:?}");
    }
}
