//! Nothing is left behind, whoever is killed.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use squall_tests::http::Backend;
use squall_tests::{Project, ejection, processes_with, until};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const SLUG: &str = "one-failing-instance-is-ejected";

/// A run whose first fault has been asked for.
fn in_the_fault(project: &Project) -> Child {
    let mut command = project.squall(&["run", "eject.yaml"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a run");
    until("the fault is on", || project.stream(SLUG).contains("fault-effect"));
    run
}

fn nothing_is_left(project: &Project) {
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    until("no process of the run is left", || processes_with(&own).is_empty());
    let state = project.path().join("state/runs");
    until("the run is struck off", || fs::read_to_string(&state).unwrap_or_default().trim().is_empty());
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
    if Command::new("python3").arg("--version").output().is_err() {
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
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
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

/// A run of which the list of runs says that its harness is dead, with this journal; and a process that carries its mark.
fn left_behind(project: &Project, journal: &[u8]) -> (PathBuf, Child) {
    let run = project.path().canonicalize().expect("a path").join("squall-out/a-run");
    fs::create_dir_all(&run).expect("a folder");
    fs::create_dir_all(project.path().join("state")).expect("a folder");
    fs::write(run.join("journal.jsonl"), journal).expect("a journal");
    fs::write(project.path().join("state/runs"), format!("1 1 {}\n", run.display())).expect("a list");
    let process = Command::new("sleep").arg("600").env("SQUALL_RUN", &run).spawn().expect("a process");
    (run, process)
}

fn lives(process: &mut Child) -> bool {
    process.try_wait().expect("a child").is_none()
}

#[test]
fn of_a_run_whose_journal_a_later_version_has_written_nothing_is_touched() {
    let project = squall_tests::project().file("eject.yaml", squall_tests::EJECT);
    let journal = b"2 1 22 cb995e1282a633bf {\"entry\":\"unheard-of\"}\n";
    let (run, mut process) = left_behind(&project, journal);
    for _ in 0..2 {
        let ended = project.run(&["recover"]).expect_code(1);
        let said = "a journal of version 2, and this squall reads version 1: nothing was changed";
        assert!(ended.out().contains(said) && ended.out().trim().ends_with("squall recover"), "{}", ended.out());
        assert!(lives(&mut process));
        assert_eq!(fs::read(run.join("journal.jsonl")).expect("the journal"), journal);
        assert_eq!(fs::read_dir(&run).expect("the run").count(), 1);
        assert!(fs::read_to_string(project.path().join("state/runs")).expect("the list").contains("a-run"));
    }
    process.kill().expect("a signal");
    process.wait().expect("its end");
}

#[test]
fn a_damaged_line_of_a_journal_is_told_once_and_everything_else_is_undone() {
    let project = squall_tests::project();
    let (_, mut process) = left_behind(&project, b"1 1 22 damaged\n1 2 22 torn");
    let ended = project.run(&["recover"]).expect_code(1);
    assert!(ended.out().contains("line 1 of the journal is damaged"), "{}", ended.out());
    assert!(!lives(&mut process), "it carries the mark of the run");
    assert!(project.run(&["recover"]).expect_code(0).out().contains("nothing to recover"));
}

#[test]
fn what_could_not_be_undone_keeps_the_verdict_and_is_told_last_with_its_command() {
    let project = ejection();
    let run = in_the_fault(&project);
    // The list cannot be written any more, whoever tries.
    let list = project.path().join("state/runs");
    fs::remove_file(&list).expect("the list");
    fs::create_dir(&list).expect("a folder");
    let output = run.wait_with_output().expect("the end of the run");
    let record = project.record(SLUG);
    // What a busy machine has made of it is its own business.
    let code = if record["verdict"] == "PASS" { 1 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{}", record["reasons"]);
    assert!(["PASS", "INVALID"].contains(&record["verdict"].as_str().expect("a verdict")), "{}", record["reasons"]);
    assert!(record["dirty"][0].as_str().expect("what is left").ends_with("squall recover"), "{}", record["dirty"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = said.lines().last().expect("a last line");
    assert!(last.starts_with("DIRTY: the list of runs") && last.ends_with("squall recover"), "{said}");
}

#[test]
fn relays_that_do_not_answer_do_not_keep_a_run_from_ending() {
    let project = ejection();
    let mut run = in_the_fault(&project);
    let mark = project.path().canonicalize().expect("a path");
    let is_ours = |id: i32| fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd.starts_with(&mark));
    for (id, _) in processes_with(" shim").into_iter().filter(|(id, _)| is_ours(*id)) {
        kill(Pid::from_raw(id), Signal::SIGSTOP).expect("a signal");
    }
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).expect("a signal");
    let status = run.wait().expect("the end of the run");
    assert_eq!(status.code(), Some(105));
    nothing_is_left(&project);
}

#[test]
fn the_selftest_finds_nothing_left_whatever_befalls_a_run() {
    let project = squall_tests::project();
    let asked = ["selftest", "faults", "--kinds", "abort,kill", "--kills", "12", "--seed", "7", "--json"];
    let ended = project.run(&asked).expect_code(0);
    let told = &ended.json_lines()[0];
    assert_eq!(told["held"], true);
    assert_eq!(told["matrix"].as_array().expect("the matrix").len(), 20);
    assert_eq!((&told["kills"]["asked"], &told["kills"]["residue"]), (&12.into(), &0.into()));
    assert!(told["kills"]["undone-ms-max"].as_f64().is_some_and(|ms| ms > 0.0), "{told}");
    assert_eq!(fs::read_dir(project.path()).expect("the folder").count(), 0, "it writes nothing where it is called");
}

#[test]
fn a_selftest_of_kinds_that_there_are_not_says_which_there_are() {
    let ended = squall_tests::project().run(&["selftest", "faults", "--kinds", "abort,kil,paus"]).expect_code(2);
    assert!(ended.err().contains("is called kil, paus") && ended.err().contains("pause"), "{}", ended.err());
}
