//! Nothing is left behind, whoever is killed.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use squall_tests::{Project, ejection, processes_with, until};
use std::process::Child;

const SLUG: &str = "one-failing-instance-is-ejected";

/// A run whose first fault has been asked for.
fn in_the_fault(project: &Project) -> Child {
    let run = project.start(&["run", "eject.yaml"]);
    until("the fault is on", || project.stream(SLUG).contains("fault-effect"));
    run
}

fn nothing_is_left(project: &Project) {
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    until("no process of the run is left", || processes_with(&own).is_empty());
    let state = project.path().join("state/runs");
    until("the run is struck off", || std::fs::read_to_string(&state).unwrap_or_default().trim().is_empty());
}

#[test]
fn killing_the_harness_in_the_fault_leaves_nothing_and_the_next_run_starts_clean() {
    let project = ejection();
    let mut run = in_the_fault(&project);
    kill(Pid::from_raw(run.id() as i32), Signal::SIGKILL).expect("a signal");
    run.wait().expect("the end of the run");
    nothing_is_left(&project);
    let cut = project.run(&["report", &format!("squall-out/latest/{SLUG}"), "--json"]).expect_code(0);
    assert!(cut.out().contains("ABORTED"), "{}", cut.out());
    let _ = project.run(&["recover"]).expect_code(0);
    let _ = project.run(&["run", "eject.yaml", "--no-control"]).expect_code(0);
}

#[test]
fn ctrl_c_undoes_reports_and_exits_105() {
    let project = ejection();
    let mut run = in_the_fault(&project);
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).expect("a signal");
    let status = run.wait().expect("the end of the run");
    assert_eq!(status.code(), Some(105));
    nothing_is_left(&project);
    assert_eq!(project.record(SLUG)["verdict"], "ABORTED");
}
