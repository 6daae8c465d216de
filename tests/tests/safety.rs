//! Nothing is left behind, whoever is killed.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use squall_tests::http::Backend;
use squall_tests::{Project, ejection, processes_with, until};
use std::process::{Child, Stdio};

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
    assert_eq!(project.record(SLUG)["verdict"], "ABORTED", "the guardian has folded what there was");
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

/// A shell that starts its server as a child: killing the shell alone would leave the server.
const FORKING: &str = r#"
scenario: programs that start programs
topology:
  services:
    - {name: cart, instances: 2, run: [sh, -c, "python3 -m http.server --bind 127.0.0.1 {port} & wait"]}
load: {to: cart, rate: 50/s}
timeline:
  - {phase: baseline, for: 2s}
  - {phase: crash, for: 20s, faults: [{pause: {target: cart/1}}]}
expect:
  baseline: {lost: "== 0"}
"#;

#[test]
fn what_ones_own_programs_have_started_dies_with_the_run_too() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("not tested: there is no python3 here");
        return;
    }
    let project = squall_tests::project().file("forking.yaml", FORKING);
    let mut run = project.start(&["run", "forking.yaml"]);
    until("the fault is on", || project.stream("programs-that-start-programs").contains("fault-effect"));
    let servers = || marked(&project).into_iter().filter(|(_, command)| command.contains("http.server")).count();
    assert!(servers() >= 2, "{:?}", marked(&project));
    kill(Pid::from_raw(run.id() as i32), Signal::SIGKILL).expect("a signal");
    run.wait().expect("the end of the run");
    until("no server is left", || servers() == 0);
    nothing_is_left(&project);
}

/// Processes that carry the mark of a run of this project.
fn marked(project: &Project) -> Vec<(i32, String)> {
    let mark = format!("SQUALL_RUN={}", project.path().canonicalize().expect("a path").display());
    let is_marked = |id: i32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair.starts_with(mark.as_bytes()))
    };
    processes_with("").into_iter().filter(|(id, _)| is_marked(*id)).collect()
}

#[test]
fn a_second_ctrl_c_leaves_the_undo_to_the_guardian() {
    let project = ejection();
    let mut run = in_the_fault(&project);
    let id = Pid::from_raw(run.id() as i32);
    kill(id, Signal::SIGINT).expect("a signal");
    // The first may have ended it already.
    let _ = kill(id, Signal::SIGINT);
    assert_eq!(run.wait().expect("the end of the run").code(), Some(105));
    nothing_is_left(&project);
}

#[test]
fn a_comparison_that_ends_early_ends_what_it_measures_with() {
    for (signal, code) in [(Signal::SIGINT, Some(105)), (Signal::SIGTERM, Some(105)), (Signal::SIGKILL, None)] {
        let (project, backend) = (squall_tests::project(), Backend::named("ok"));
        let url = format!("http://{}/", backend.address);
        let mut command = project.squall(&["compare", &url, &url, "--rate", "50/s", "--for", "60s"]);
        let mut run = command.env("TMPDIR", project.path()).stderr(Stdio::null()).spawn().expect("a comparison");
        until("it asks", || !backend.asked().is_empty());
        kill(Pid::from_raw(run.id() as i32), signal).expect("a signal");
        assert_eq!(run.wait().expect("the end of the comparison").code(), code, "{signal}");
        nothing_is_left(&project);
    }
}
