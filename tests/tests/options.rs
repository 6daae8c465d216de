//! What the command line promises besides running: own programs, repetitions, changes, lists, first scenarios, schema.

use serde_json::Value;
use squall_tests::{EJECT_POLICIES, Project, ejection, processes_with, project, until};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, Stdio};

/// A web server in Python that answers with what its environment says.
const CART: &str = r#"
import http.server, os, sys
class Cart(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["GREETING"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Cart).serve_forever()
"#;

const OWN: &str = r#"
scenario: our own cart survives a crash
topology:
  services:
    - {name: cart, instances: 3, run: [python3, cart.py, "{port}"], ready: /ready, env: {GREETING: hello}}
policies:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: cart}
    spec:
      hosts: [cart]
      http:
        - route: [{destination: {host: cart}}]
          retries: {attempts: 5, retryOn: "connect-failure,refused-stream,reset"}
load: {to: cart, rate: 100/s}
timeline:
  - {phase: baseline, for: 1s}
  - {phase: crash, for: 3s, faults: [{kill: {target: cart/1, restart: supervisor}}]}
expect:
  crash: {success: ">= 99%"}
  healing: [{restarted: cart/1, within: 2s}]
"#;

#[test]
fn programs_of_ones_own_are_started_killed_and_restarted_like_the_test_service() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("SQUALL_TEST_FOREIGN").is_none(), "python3 is needed: apt-get install python3");
        eprintln!("not tested: there is no python3 here");
        return;
    }
    let project = project().file("own.yaml", OWN).file("cart.py", CART);
    let _ = project.run(&["run", "own.yaml", "--no-control"]).expect_code(0);
    let record = project.record("our-own-cart-survives-a-crash");
    assert_eq!(record["verdict"], "PASS");
    let events = record["arms"][0]["events"].to_string();
    assert!(events.contains("cart/1 is started again"), "{events}");
}

#[test]
fn a_program_that_does_not_start_is_an_error_that_says_why() {
    let broken = OWN.replace("cart.py, \"{port}\"", "no-such-file.py, \"{port}\"");
    let ended = project().file("own.yaml", &broken).run(&["run", "own.yaml", "--no-control"]).expect_code(1);
    assert!(ended.out().contains("no-such-file.py"), "{}", ended.out());
}

#[test]
fn repetitions_have_records_of_their_own_and_pass_only_if_all_do() {
    let project = ejection();
    let ended = project.run(&["run", "eject.yaml", "--no-control", "--repeat", "2", "--json"]).expect_code(0);
    let records: Vec<String> =
        ended.json_lines().iter().map(|line| line["record"].as_str().expect("a path").to_owned()).collect();
    assert_eq!(records.len(), 2);
    assert_ne!(records[0], records[1]);
    let index = std::fs::read_to_string(project.path().join("squall-out/latest/index.html")).expect("an overview");
    assert!(index.contains("2 of 2 passed"), "{index}");
    let summary = std::fs::read_to_string(project.path().join("squall-out/latest/summary.md")).expect("a summary");
    assert!(summary.contains("| healing.ejected(cart/1) | within 1.00 s | 2 |"), "{summary}");
}

#[test]
fn set_changes_a_value_and_is_recorded() {
    let project = ejection();
    let set = ["--set", "load.rate=400/s", "--set", "timeline[baseline].for=1s"];
    let _ = project.run(&[&["run", "eject.yaml", "--no-control"], &set[..]].concat()).expect_code(0);
    let record = project.record("one-failing-instance-is-ejected");
    assert_eq!(record["scenario"]["set"][0], "load.rate=400/s");
    assert_eq!(record["arms"][0]["flows"][0]["rate"], 400.0);
    let told = project.run(&["check", "eject.yaml", "--set", "load.rat=200/s"]).expect_code(104).err();
    assert!(told.contains("`rat`") && told.contains("did you mean `rate`?"), "{told}");
}

#[test]
fn quick_runs_no_control_and_says_so() {
    let project = ejection();
    let ended = project.run(&["run", "eject.yaml", "--quick", "--json"]).expect_code(0);
    assert_eq!(ended.json_lines()[0]["control"], Value::Null);
    assert_eq!(ended.json_lines()[0]["quick"], true);
    let summary = std::fs::read_to_string(project.path().join("squall-out/latest/summary.md")).expect("a summary");
    assert!(summary.contains("not run (quick)"), "{summary}");
    assert_eq!(project.record("one-failing-instance-is-ejected")["run"]["quick"], true);
}

/// A run that is up for a look, what it has told so far, and the pipe that it tells more into.
///
/// What is looked at is the first try. On a machine that other tests use too it may prove nothing, and then is run once more.
fn kept(project: &Project) -> (Child, String, BufReader<ChildStderr>) {
    for _ in 0..3 {
        let (mut run, told, reader) = looked_at(project);
        if !told.contains("INVALID") {
            return (run, told, reader);
        }
        drop(run.stdin.take());
        run.wait().expect("its end");
    }
    panic!("three tries prove nothing");
}

fn looked_at(project: &Project) -> (Child, String, BufReader<ChildStderr>) {
    let mut command = project.squall(&["run", "eject.yaml", "--no-control", "--keep"]);
    let mut run =
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut told = String::new();
    let mut reader = BufReader::new(run.stderr.take().expect("a pipe"));
    while !told.contains("press Enter") {
        assert!(reader.read_line(&mut told).expect("a line") > 0, "{told}");
    }
    (run, told, reader)
}

#[test]
fn keep_leaves_everything_up_until_enter() {
    let project = ejection();
    let (mut run, told, _reader) = kept(&project);
    let proxy =
        told.split("proxy http://").nth(1).and_then(|rest| rest.split([' ', ',', '\n']).next()).expect("its address");
    let answer = squall_tests::http::get(proxy.parse().expect("an address"), "/", "host: cart\r\n");
    assert_eq!(answer.status(), 200, "{told}");
    let report = told.split("report ").nth(1).and_then(|rest| rest.lines().next()).expect("its report");
    assert!(project.path().join(report).is_file(), "the report is there before the look: {told}");
    run.stdin.take().expect("a pipe").write_all(b"\n").expect("Enter");
    assert_eq!(run.wait().expect("its end").code(), Some(0));
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    until("no process of the run is left", || processes_with(&own).is_empty());
}

#[test]
fn ctrl_c_ends_a_look_without_cutting_the_run() {
    let project = ejection();
    let (mut run, _, _reader) = kept(&project);
    let pid = nix::unistd::Pid::from_raw(run.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it lives");
    // A machine that is too busy may have changed its verdict, but nobody cut it.
    let code = run.wait().expect("its end").code();
    assert!(matches!(code, Some(0 | 3 | 99)), "{code:?}");
    assert_ne!(project.record("one-failing-instance-is-ejected")["verdict"], "ABORTED");
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    until("no process of the run is left", || processes_with(&own).is_empty());
}

#[test]
fn keep_holds_one_timeline_up_and_no_more() {
    let ended = ejection().run(&["run", "eject.yaml", "--keep", "--repeat", "2"]).expect_code(2);
    assert!(ended.err().contains("--keep leaves one timeline up"), "{}", ended.err());
}

#[test]
fn scenarios_are_listed_with_their_tags() {
    let scenarios = squall_tests::repository().join("scenarios");
    let ended = ejection().run(&["list", scenarios.to_str().expect("a path in UTF-8")]).expect_code(0);
    assert!(ended.out().contains("the textbook policy, and what it truly delivers"), "{}", ended.out());
}

#[test]
fn init_writes_a_scenario_for_each_promise_that_can_be_checked_at_once() {
    let project = project().file("policies/cart.yaml", EJECT_POLICIES);
    let written = project.run(&["init", "policies/cart.yaml"]).expect_code(0).out();
    let project = project.file("first.yaml", &written);
    let checked = project.run(&["check", "first.yaml"]).expect_code(0);
    assert_eq!((checked.out().as_str(), checked.err().as_str()), ("2 scenarios can be run\n", ""));
}

#[test]
fn the_schema_is_json_schema() {
    let schema = ejection().run(&["schema"]).expect_code(0);
    let schema: Value = serde_json::from_str(&schema.out()).expect("JSON");
    assert!(schema["$schema"].as_str().is_some_and(|name| name.contains("json-schema.org")), "{}", schema["$schema"]);
    assert!(schema["properties"]["timeline"].is_object());
}

#[test]
fn check_lint_and_scenarios_follow_the_version_that_is_asked_for() {
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec: {host: cart, trafficPolicy: {outlierDetection: {outlierDetectionHttpErrorCodes: [503], maxEjectionPercent: 100}}}\n";
    let scenario = "scenario: cart answers\ntopology: {services: [{name: cart, instances: 3}]}\npolicies: [policies/cart.yaml]\nload: {to: cart, rate: 100/s}\ntimeline: [{phase: calm, for: 5s}]\nexpect: {calm: {lost: \"== 0\"}}\n";
    let own = scenario.replace("load:", "mesh: {compat: 1.31}\nload:");
    let project = project().file("policies/cart.yaml", rule).file("calm.yaml", scenario).file("own.yaml", &own);
    let old = ["--istio-version", "1.31"];
    for (arguments, version, code) in [
        (&["check", "calm.yaml"][..], &[][..], 0),
        (&["check", "calm.yaml"], &old, 104),
        (&["check", "own.yaml"], &[], 104),
        (&["lint", "policies"], &[], 0),
        (&["lint", "policies"], &old, 104),
        (&["proxy", "translate", "--policies", "policies"], &old, 104),
    ] {
        let ended = project.run(&[arguments, version].concat()).expect_code(code);
        // What lint finds is its result, and goes to standard output.
        let told = ended.out() + &ended.err();
        let named = told.contains("Istio 1.31 has no `outlierDetectionHttpErrorCodes`");
        assert_eq!(named, code == 104, "{arguments:?} {version:?}: {told}");
    }
}

#[test]
fn doctor_tells_what_the_machine_can_do() {
    let told = ejection().run(&["doctor"]).expect_code(0).out();
    for word in ["processors", "steal", "timers", "namespaces", "netem", "ports"] {
        assert!(told.contains(word), "{word} is missing in\n{told}");
    }
}
