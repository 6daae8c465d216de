//! The pages of two small runs.

use super::{One, overview, page, refused};
use crate::plot::fixture::{expectation, record};
use crate::record::{Arm, ArmKind, Cell, Record, Verdict};
use std::path::Path;

fn one(record: &Record) -> One<'_> {
    One { record, folder: Path::new("/out/a") }
}

fn compared(a: &Record, b: &Record) -> String {
    page(one(a), one(b), Path::new("/out/pages")).unwrap()
}

#[test]
fn what_changed_is_told_first_and_what_did_not_is_said_so() {
    let (mut a, mut b) = (record(), record());
    a.expectations = vec![expectation("failing.success", Verdict::Pass, 0.9995, 0.999)];
    b.expectations = vec![expectation("failing.success", Verdict::Fail, 0.95, 0.999)];
    (a.verdict, b.verdict) = (Verdict::Pass, Verdict::Fail);
    let told = compared(&a, &b);
    assert!(told.contains("A beside B: PASS in A, FAIL in B</h1>"), "{told}");
    assert!(told.contains("<li>failing.success: PASS in A, FAIL in B (99.95 % in A, 95.00 % in B).</li>"), "{told}");
    assert!(told.contains("-4.95 points"), "{told}");
    assert!(told.contains("with the same program on such a machine"), "{told}");
    assert!(told.contains("the same, letter by letter"), "{told}");
}

#[test]
fn figures_within_their_intervals_are_not_told_apart() {
    let (mut a, mut b) = (record(), record());
    a.expectations = vec![expectation("failing.success", Verdict::Pass, 0.995, 0.99)];
    b.expectations = vec![expectation("failing.success", Verdict::Pass, 0.994, 0.99)];
    (a.verdict, b.verdict) = (Verdict::Pass, Verdict::Pass);
    let told = compared(&a, &b);
    assert!(told.contains("both hold") && told.contains("No verdict differs, and no two figures"), "{told}");
    assert!(told.contains("-0.10 points, within the intervals"), "{told}");
    b.expectations[0].id = "failing.p99".to_owned();
    let told = compared(&a, &b);
    assert!(told.contains("only A asks it") && told.contains("only B asks it") && told.contains("not asked"), "{told}");
}

#[test]
fn a_policy_that_changed_is_shown_by_its_lines() {
    let (a, mut b) = (record(), record());
    b.scenario.policies[0].text += "added: <b>\n";
    b.run.seed += 1;
    let told = compared(&a, &b);
    let path = &b.scenario.policies[0].path;
    assert!(told.contains(&format!("What they were given differs in: seed, {path}.")), "{told}");
    assert!(told.contains("<ins>+ added: &lt;b&gt;</ins>"), "{told}");
    b.scenario.policies.clear();
    assert!(compared(&a, &b).contains("only A has it"));
    assert!(compared(&b, &a).contains("only B has it"));
}

#[test]
fn both_are_drawn_at_one_scale_and_every_id_stands_once() {
    let (a, b) = (record(), record());
    let told = compared(&a, &b);
    assert!(told.contains("id=\"compare-w\"") && told.contains("B&#39;s failing"), "{told}");
    let mut ids: Vec<&str> = told.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    let body = &told[told.find("<body>").unwrap()..];
    assert!(!body.contains(" style=") && body.contains("href=\"../a/report.html\""));
}

#[test]
fn sweeps_share_one_grid() {
    let cell = |rate: f64| Arm { cell: Some(Cell::new("client", rate, 16)), ..Arm::empty(ArmKind::Cell) };
    let (mut a, mut b) = (record(), record());
    a.arms = vec![cell(500.0), cell(1_000.0)];
    b.arms = vec![cell(500.0), cell(2_000.0)];
    let told = compared(&a, &b);
    assert!(told.contains("A: client proxy") && told.contains("B: client proxy"), "{told}");
    assert!(told.contains("They have no cell in common"), "nothing was measured: {told}");
}

#[test]
fn a_quick_run_is_refused_and_a_cut_one_says_so() {
    let mut a = record();
    assert!(refused(&a).is_none());
    a.run.quick = true;
    assert!(refused(&a).is_some_and(|why| why.contains("--quick")));
    let mut cut = record();
    cut.complete = false;
    cut.arms.clear();
    assert!(compared(&cut, &record()).contains("A was cut"));
}

#[test]
fn the_overview_begins_with_what_changed() {
    let (same, mut changed) = (record(), record());
    changed.scenario.title = "Zulu".to_owned();
    let mut failed = changed.clone();
    failed.verdict = Verdict::Error;
    let pairs =
        [(one(&same), one(&same), "same.html".to_owned()), (one(&changed), one(&failed), "zulu page.html".to_owned())];
    let told = overview(&pairs, &["gone".to_owned()]).unwrap();
    assert!(told.contains("The verdict of 1 of 2 scenarios differs."), "{told}");
    assert!(told.find("zulu%20page.html") < told.find("same.html"), "{told}");
    assert!(told.contains("Only one of them has: gone"), "{told}");
}
