//! Where proxies stand: whom a request meets on its way, and what dies with whom.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use squall_tests::{Project, processes_with, project, until};

/// A run of some seconds, with a word for its mode and its phases.
const ROAD: &str = r#"
scenario: the road in mode MODE
topology: {services: [{name: cart, instances: 2, responds: {latency: 2ms}}]}
policies: [policies/shop.yaml]
mesh: {mode: MODE}
load: {to: cart, host: shop.example.com, rate: 40/s, connections: 4, time-out: 3s}
timeline:
  - {phase: baseline, for: 1s}
  - {phase: fault, for: 2s, faults: [FAULT]}
expect: {baseline: {lost: "<= 40"}}
"#;

const SHOP: &str = r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [mesh, shop]
  http:
    - route: [{destination: {host: cart}}]
      retries: {attempts: 3, retryOn: "connect-failure,refused-stream,reset,5xx"}
"#;

const MODES: [&str; 5] = ["none", "client", "server", "both", "gateway"];

fn road(mode: &str, fault: &str) -> String {
    ROAD.replace("MODE", mode).replace("FAULT", fault)
}

/// Scenarios under one roof, each in a file.
fn scenarios(texts: &[String]) -> Project {
    let mut project = project().file("roads/policies/shop.yaml", SHOP);
    for (number, text) in texts.iter().enumerate() {
        project = project.file(&format!("roads/{number}.yaml"), text);
    }
    project
}

/// The only arm of a scenario's newest record, which every attempt is explained in.
fn arm(project: &Project, mode: &str) -> Value {
    let record = project.record(&format!("the-road-in-mode-{mode}"));
    let arm = record["arms"][0].clone();
    assert_eq!(arm["truth"]["unexplained"], 0, "{mode}: {}", arm["truth"]);
    arm
}

fn names(arm: &Value) -> Vec<&str> {
    arm["processes"].as_array().expect("processes").iter().filter_map(|process| process["name"].as_str()).collect()
}

/// Lines of a log of the arm as written.
fn log(project: &Project, mode: &str, file: &str) -> Vec<Value> {
    let path = format!("squall-out/latest/the-road-in-mode-{mode}/run/logs/{file}");
    let text = std::fs::read_to_string(project.path().join(path)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn sum(series: &Value) -> u64 {
    series.as_array().expect("a series").iter().filter_map(Value::as_u64).sum()
}

#[test]
fn a_request_meets_the_proxies_of_its_mode_in_their_order_and_every_attempt_is_explained() {
    let texts: Vec<_> =
        MODES.iter().map(|mode| road(mode, "{abort: {target: cart/1, status: 503, pick: 50%}}")).collect();
    let project = scenarios(&texts);
    let _ = project.run(&["run", "roads", "--no-control", "--no-rerun", "--jobs", "5"]);
    for mode in MODES {
        let arm = arm(&project, mode);
        assert_eq!(arm["mode"], mode);
        let entrance = names(&arm).contains(&"proxy");
        let beside = names(&arm).iter().filter(|name| name.starts_with("proxy cart/")).count();
        assert_eq!(entrance, matches!(mode, "client" | "both" | "gateway"), "{mode}: {:?}", names(&arm));
        assert_eq!(beside, if matches!(mode, "server" | "both") { 2 } else { 0 }, "{mode}");
        assert!(arm["faults"][0]["harmed"].as_u64() > Some(0), "{mode}: {}", arm["faults"]);
        // Whoever is asked first sends to a relay; the proxy beside an instance sends to the instance.
        let relays: Vec<_> =
            arm["instances"].as_array().expect("instances").iter().map(|one| &one["address"]).collect();
        let first = log(&project, mode, "proxy-access.jsonl");
        assert_eq!(!first.is_empty(), entrance, "{mode}");
        assert!(first.iter().all(|line| relays.contains(&&line["upstream_host"])), "{mode}");
        let last = log(&project, mode, "proxy-cart-2-access.jsonl");
        assert_eq!(!last.is_empty(), beside > 0, "{mode}");
        assert!(last.iter().all(|line| !relays.contains(&&line["upstream_host"])), "{mode}");
        let answered = last.iter().filter(|line| line["response_code"] == 200);
        for line in answered.take(if entrance { 5 } else { 0 }) {
            let before = first.iter().find(|one| one["request_id"] == line["request_id"]).expect("asked before");
            assert!(before["start_time"].as_str() <= line["start_time"].as_str(), "{mode}: {before} {line}");
            assert!(before["duration"].as_u64() >= line["duration"].as_u64(), "{mode}: {before} {line}");
        }
        // Retries of the caller's proxy are seen by the relays, and nowhere without one.
        let retries: u64 = arm["offers"].as_array().expect("offers").iter().map(|one| sum(&one["retries"])).sum();
        assert_eq!(retries > 0, entrance, "{mode}: {retries}");
    }
}

#[test]
fn a_pod_dies_as_a_whole_and_both_of_its_processes_come_back() {
    let project = scenarios(&[road("both", "{kill: {target: cart/1, for: 1s}}")]);
    let _ = project.run(&["run", "roads", "--no-control", "--no-rerun"]);
    let arm = arm(&project, "both");
    assert!(arm["faults"][0]["cleared"].is_i64(), "{}", arm["faults"]);
    let logs = project.path().join("squall-out/latest/the-road-in-mode-both/run/logs");
    assert!(logs.join("cart-1-1.log").exists(), "the instance has a second process");
    assert!(!logs.join("cart-2-1.log").exists(), "the other has not");
    // The second process of the proxy asks the second process of the instance, at another port.
    let asked: std::collections::BTreeSet<_> = log(&project, "both", "proxy-cart-1-access.jsonl")
        .iter()
        .filter_map(|line| Some(line["upstream_host"].as_str()?.to_owned()))
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    assert!(processes_with(&own).is_empty(), "{:?}", processes_with(&own));
}

#[test]
fn a_fault_aimed_at_a_proxy_leaves_its_instance_alone() {
    // Connections that stay open would stay with the other instance.
    let killed =
        road("server", "{kill: {target: proxy of cart/1, for: 1s}}").replace("connections: 4", "connections: each");
    let paused = road("both", "{pause: {target: proxy of cart/1, for: 1s}}");
    let project = scenarios(&[killed, paused]);
    let _ = project.run(&["run", "roads", "--no-control", "--no-rerun"]);
    for (mode, kind) in [("server", "kill"), ("both", "pause")] {
        let arm = arm(&project, mode);
        assert_eq!(arm["faults"][0]["what"], format!("{kind} on the proxy of cart/1"));
        assert!(arm["faults"][0]["cleared"].is_i64(), "{mode}: {}", arm["faults"]);
        let events = arm["events"].to_string();
        assert!(!events.contains("cart/1 is gone"), "{mode}: {events}");
        let logs = project.path().join(format!("squall-out/latest/the-road-in-mode-{mode}/run/logs"));
        assert!(!logs.join("cart-1-1.log").exists(), "{mode}: the instance still has its first process");
        let last = log(&project, mode, "proxy-cart-1-access.jsonl");
        assert!(last.iter().any(|line| line["response_code"] == 200), "{mode}: {last:?}");
    }
    // Nobody reaches the instance while its proxy is away, and it is asked again once there is another.
    let arm = arm(&project, "server");
    let fault = &arm["faults"][0];
    let slot = |name: &str| fault[name].as_u64().expect("a time") as usize / 100_000;
    let (effect, cleared) = (slot("effect"), slot("cleared"));
    let offered: Vec<_> = arm["offers"][0]["offered"].as_array().expect("a series").iter().map(Value::as_u64).collect();
    assert!(offered[effect + 1..cleared].iter().all(|count| *count == Some(0)), "{effect} to {cleared}: {offered:?}");
    assert!(offered[cleared..].iter().any(|count| *count > Some(0)), "{offered:?}");
}

#[test]
fn a_fault_behind_the_proxy_is_seen_once_by_it_and_tried_again_by_the_caller_alone() {
    let project = scenarios(&[road("both", "{abort: {target: cart/1, status: 503, behind: sidecar}}")]);
    let _ = project.run(&["run", "roads", "--no-control", "--no-rerun"]);
    let arm = arm(&project, "both");
    assert_eq!(arm["faults"][0]["what"], "abort 503 on cart/1 behind its proxy");
    let harmed = arm["faults"][0]["harmed"].as_u64().expect("a count");
    // An attempt offered in front of the proxy is one attempt behind it: retries do not multiply.
    assert_eq!(harmed, sum(&arm["offers"][0]["withheld"]["abort"]), "{}", arm["offers"][0]);
    let beside = log(&project, "both", "proxy-cart-1-access.jsonl");
    let passed_on: Vec<_> = beside.iter().filter(|line| line["response_code"] == 503).collect();
    assert!(harmed > 0 && passed_on.len() as u64 == harmed, "{harmed} and {}", passed_on.len());
    assert!(passed_on.iter().all(|line| line["attempts"] == 1), "{passed_on:?}");
}

#[test]
fn nothing_is_left_of_a_mesh_with_proxies_on_both_sides_whose_harness_is_killed() {
    let long = road("both", "{abort: {target: cart/1, status: 503, behind: sidecar}}").replace("for: 2s", "for: 30s");
    let project = scenarios(&[long]);
    let mut run = project.start(&["run", "roads", "--no-control"]);
    until("the fault is on", || project.stream("the-road-in-mode-both").contains("fault-effect"));
    let own = project.path().to_str().expect("a path in UTF-8").to_owned();
    let beside = |processes: &[(i32, String)]| processes.iter().filter(|(_, line)| line.contains("inbound")).count();
    assert_eq!(beside(&processes_with(&own)), 2);
    kill(Pid::from_raw(run.id() as i32), Signal::SIGKILL).expect("a signal");
    run.wait().expect("the end of the run");
    until("no process of the run is left", || processes_with(&own).is_empty());
}

#[test]
fn each_port_of_a_service_is_a_road_of_its_own_to_the_same_instances() {
    let text = r#"
scenario: the road in mode MODE
topology: {services: [{name: cart, instances: 2, ports: [80, 8080, {port: 6379, tcp: true}], responds: {latency: 2ms}}]}
policies: [policies/shop.yaml]
mesh: {mode: MODE}
load:
  - {name: shop, to: cart, rate: 20/s, connections: 2}
  - {name: admin, to: "cart:8080", rate: 20/s, connections: 2}
  - {name: bytes, to: "cart:6379", rate: 20/s, connections: 2}
timeline: [{phase: all, for: 2s}]
expect: {all: {lost: "<= 120"}}
"#;
    let texts: Vec<_> = ["none", "client", "both"].iter().map(|mode| text.replace("MODE", mode)).collect();
    let project = scenarios(&texts);
    let _ = project.run(&["run", "roads", "--no-rerun"]);
    for mode in ["none", "client", "both"] {
        let arm = arm(&project, mode);
        for (number, flow) in ["shop", "admin", "bytes"].iter().enumerate() {
            let outcomes = &arm["outcomes"][number];
            assert!(sum(&outcomes["by-outcome"]["acceptable"]) > 0, "{mode}: {flow}: {outcomes}");
        }
        let clusters: std::collections::BTreeSet<_> = log(&project, mode, "proxy-access.jsonl")
            .iter()
            .filter_map(|line| Some(line["upstream_cluster"].as_str()?.split('|').nth(1)?.to_owned()))
            .collect();
        let expected = if mode == "none" { vec![] } else { vec!["6379", "80", "8080"] };
        assert_eq!(clusters.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{mode}");
    }
    let beside = log(&project, "both", "proxy-cart-1-access.jsonl");
    assert!(beside.iter().any(|line| line["upstream_cluster"] == "inbound|8080||"), "{beside:?}");
}
