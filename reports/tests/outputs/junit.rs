//! The test report, read as Jenkins, GitLab and GitHub's actions read it.

use crate::sample::{self, placed, run_of_many};
use roxmltree::{Document, Node};
use squall_reports::artifacts::Recorded;
use squall_reports::junit;
use squall_reports::record::Verdict;
use std::collections::HashSet;
use std::path::Path;

fn xml(records: &[Recorded]) -> String {
    let text = junit::report(records, Path::new("/out")).unwrap();
    assert_eq!(text, junit::report(records, Path::new("/out")).unwrap(), "the same records give the same bytes");
    text
}

fn cases<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name("testcase")).collect()
}

fn case<'a>(document: &'a Document<'a>, class: &str, name: &str) -> Node<'a, 'a> {
    let wanted =
        |case: &Node<'_, '_>| case.attribute("classname") == Some(class) && case.attribute("name") == Some(name);
    cases(document).into_iter().find(wanted).unwrap_or_else(|| panic!("{class} {name}"))
}

fn child<'a>(case: &Node<'a, 'a>, tag: &str) -> Option<Node<'a, 'a>> {
    case.children().find(|child| child.has_tag_name(tag))
}

#[test]
fn the_whole_report_is_as_it_was_reviewed() {
    insta::assert_snapshot!(xml(&run_of_many()));
}

#[test]
fn jenkins_reads_packages_durations_and_reruns() {
    let text = xml(&run_of_many());
    let document = Document::parse(&text).unwrap();
    for suite in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
        let name = suite.attribute("name").unwrap();
        let mut seconds = 0.0;
        for case in suite.children().filter(|node| node.has_tag_name("testcase")) {
            // The package is the class's name up to its last dot: all scenarios are in one.
            assert_eq!(case.attribute("classname").unwrap().rsplit_once('.'), Some(("squall", name)));
            assert!(case.attribute("timestamp").unwrap().ends_with('Z'), "a time with its zone");
            seconds += case.attribute("time").unwrap().parse::<f64>().unwrap();
        }
        // It adds durations up, so they must add up to the scenario's.
        assert!((seconds - suite.attribute("time").unwrap().parse::<f64>().unwrap()).abs() < 1e-6, "{name}");
        assert!(suite.attribute("timestamp").unwrap().parse::<jiff::Timestamp>().is_ok());
        for text in suite.descendants().filter_map(|node| node.text()) {
            assert!(text.len() < 100_000, "output beyond that is cut in the middle");
        }
    }
    let sound = case(&document, "squall.unsound", "the run is sound");
    let again = child(&sound, "rerunFailure").expect("the first try");
    assert_eq!(again.attribute("type"), Some("INVALID"));
    assert!(again.attribute("message").unwrap().contains("31 ms late"), "{again:?}");
    let passed = case(&document, "squall.unsound", "failing.success");
    assert!(child(&passed, "flakyFailure").is_some() && child(&passed, "failure").is_none());
}

#[test]
fn gitlab_reads_bodies_alone_and_drops_names_that_it_knows() {
    let mut records = run_of_many();
    let mut second = sample::record("one-instance-fails", Verdict::Fail, 2);
    second.run.repetition = (2, 2);
    // A sweep may ask for the same at two rates.
    second.expectations.push(second.expectations[0].clone());
    records.push(placed(second));
    let text = xml(&records);
    let document = Document::parse(&text).unwrap();
    let names: Vec<_> =
        cases(&document).iter().map(|case| [case.attribute("classname"), case.attribute("name")]).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
    for case in cases(&document) {
        for tag in ["failure", "error"] {
            let Some(bad) = child(&case, tag) else { continue };
            let body = bad.text().unwrap_or_default();
            assert!(body.lines().next() == bad.attribute("message"), "the message is the body's first line: {body:?}");
            assert!(
                body.contains("report: ") && body.contains("plot: ") || body.contains("stopped by a signal"),
                "{body}"
            );
            let out = child(&case, "system-out").and_then(|out| out.text()).unwrap_or_default();
            let path =
                out.strip_prefix("[[ATTACHMENT|").and_then(|rest| rest.strip_suffix("]]")).expect("an attachment");
            assert!(path.ends_with("/summary.png") && !path.starts_with('/'), "{path}");
        }
        assert!(case.attribute("file").unwrap().ends_with(".yaml"));
        let seconds = case.attribute("time").unwrap();
        assert!(seconds.contains('.') && seconds.parse::<f64>().is_ok(), "{seconds}");
    }
    let body = case(&document, "squall.one-instance-fails", "failing.success");
    let body = child(&body, "failure").unwrap().text().unwrap().to_owned();
    for line in [
        "asked: >= 99.9 % (written: success: \">= 99.9%\")",
        "measured: 90 %, 95 % interval 89 % to 91 %",
        "samples: 1,200",
        "where: scenarios/one-instance-fails.yaml:12:14",
        "plot: 20261121T031700Z-7/one-instance-fails/plots/healing.png",
    ] {
        assert!(body.lines().any(|one| one == line), "{line}\n{body}");
    }
}

#[test]
fn actions_on_github_read_file_and_line() {
    let text = xml(&run_of_many());
    let document = Document::parse(&text).unwrap();
    let failed = case(&document, "squall.one-instance-fails", "failing.success");
    assert_eq!(failed.attribute("file"), Some("scenarios/one-instance-fails.yaml"));
    assert_eq!(failed.attribute("line"), Some("12"));
    for case in cases(&document) {
        assert!(case.attribute("line").unwrap().parse::<usize>().unwrap() > 0);
    }
}

#[test]
fn a_failure_is_the_products_and_an_error_is_the_runs() {
    for verdict in [Verdict::Invalid, Verdict::Inconclusive, Verdict::Error, Verdict::Aborted] {
        let mut record = sample::record("x", verdict, 0);
        record.reasons = vec![sample::reason(verdict, "data", "why")];
        record.expectations[0].verdict = verdict;
        let text = xml(&[placed(record)]);
        let document = Document::parse(&text).unwrap();
        for name in ["the run is sound", "failing.success"] {
            let case = case(&document, "squall.x", name);
            assert_eq!(child(&case, "error").unwrap().attribute("type"), Some(verdict.to_string().as_str()));
            assert!(child(&case, "skipped").is_none() && child(&case, "failure").is_none());
        }
    }
    let text = xml(&[placed(sample::record("x", Verdict::Fail, 1))]);
    let document = Document::parse(&text).unwrap();
    assert!(
        child(&case(&document, "squall.x", "the run is sound"), "error").is_none(),
        "a missed SLO is sound evidence"
    );
    assert!(child(&case(&document, "squall.x", "failing.success"), "failure").is_some());
}

#[test]
fn what_was_missed_in_a_run_that_proves_nothing_is_not_the_products_failure() {
    let mut record = sample::unsound();
    record.expectations[0].verdict = Verdict::Fail;
    let text = xml(&[placed(record)]);
    let document = Document::parse(&text).unwrap();
    let case = case(&document, "squall.unsound", "failing.success");
    assert!(child(&case, "failure").is_none());
    assert_eq!(child(&case, "error").unwrap().attribute("type"), Some("INVALID"));
}

#[test]
fn what_was_not_judged_is_skipped_with_the_reason() {
    let text = xml(&[placed(sample::stopped())]);
    let document = Document::parse(&text).unwrap();
    let skipped = case(&document, "squall.stopped", "failing.success");
    let reason = child(&skipped, "skipped").unwrap().attribute("message").unwrap();
    assert_eq!(reason, "not judged: stopped by a signal; everything was undone.");
    assert!(child(&skipped, "system-out").is_none(), "there is nothing to look at");
    assert_eq!(
        child(&case(&document, "squall.stopped", "the run is sound"), "error").unwrap().attribute("type"),
        Some("ABORTED")
    );
}

#[test]
fn what_is_left_behind_is_an_error_although_everything_passed() {
    let mut record = sample::record("x", Verdict::Pass, 0);
    record.dirty = vec!["process 7 is left. Clean up with: squall recover".to_owned()];
    let text = xml(&[placed(record)]);
    let document = Document::parse(&text).unwrap();
    let error = child(&case(&document, "squall.x", "the run is sound"), "error").unwrap();
    assert!(error.attribute("message").unwrap().contains("squall recover"));
}
