//! Two targets measured in blocks beside each other.

use squall_tests::http::{Backend, ok, status};
use squall_tests::{Ended, Project, project};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

fn url(backend: &Backend) -> String {
    format!("http://{}/", backend.address)
}

/// `squall compare` with these further arguments, as short as it can be.
fn compare(project: &Project, [a, b]: [&str; 2], arguments: &[&str]) -> Ended {
    let all: Vec<&str> = ["compare", a, b].into_iter().chain(arguments.iter().copied()).collect();
    project.run(&all)
}

/// Every fifth request fails.
fn limping() -> Backend {
    let asked = AtomicU32::new(0);
    Backend::start(
        move |_| if asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(5) { status(503) } else { ok("ok") },
    )
}

#[test]
fn a_target_that_loses_every_fifth_request_is_worse_in_every_block() {
    let (a, b, project) = (Backend::named("ok"), limping(), project());
    let arguments =
        ["--rate", "100/s", "--for", "300ms", "--warm-up", "100ms", "--json", "--seed", "5", "--report", "a.html"];
    let ended = compare(&project, [&url(&a), &url(&b)], &arguments).expect_code(99);
    let told = ended.json_lines();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&told["format"], &told["verdict"]), (&"squall/compare".into(), &"worse".into()), "{told}");
    assert_eq!((&told["seed"], &told["blocks"]), (&5.into(), &8.into()), "{told}");
    let figures = told["figures"].as_array().expect("figures");
    let names: Vec<_> = figures.iter().filter_map(|one| one["figure"].as_str()).collect();
    assert_eq!(names, ["success", "p50", "p90", "p99"], "a target without a mesh has no proxy");
    let success = &figures[0];
    assert_eq!((&success["verdict"], success["pairs"].as_array().map(Vec::len)), (&"worse".into(), Some(8)));
    let ratio = success["ratio"].as_f64().unwrap_or_default();
    assert!((ratio - 0.8).abs() < 0.01, "{success}");
    assert_eq!(success["floor"], 0.0, "what never fails differs by nothing from itself");
    assert!(ended.err().contains("block 8 of 8: p50"), "{}", ended.err());
    let page = std::fs::read_to_string(project.path().join("a.html")).expect("the page");
    assert!(page.contains("B is worse: success") && page.contains("ratios-w"), "{page}");
}

#[test]
fn two_scenarios_are_compared_with_the_processor_time_of_their_services() {
    let scenario = |latency: &str, cpu: &str| {
        format!(
            "scenario: {latency}\nmesh: {{mode: none}}\n\
             topology: {{services: [{{name: cart, responds: {{latency: {latency}, cpu: {cpu}}}}}]}}\n\
             load: {{to: cart, rate: 100/s}}\n\
             timeline: [{{phase: warm-up, for: 100ms}}, {{phase: all, for: 400ms}}]\n\
             expect: {{all: {{success: \">= 90%\"}}}}\n"
        )
    };
    let project = project().file("quick.yaml", &scenario("1ms", "0ms")).file("slow.yaml", &scenario("20ms", "3ms"));
    let ended = compare(&project, ["quick.yaml", "slow.yaml"], &["--blocks", "6", "--json"]).expect_code(99);
    let told = ended.json_lines().remove(0);
    let verdict = |name: &str| {
        let figures = told["figures"].as_array().expect("figures");
        figures.iter().find(|one| one["figure"] == name).map(|one| one["verdict"].clone())
    };
    assert_eq!(verdict("p50"), Some("worse".into()), "{told}");
    assert_eq!(verdict("cpu-of-services"), Some("worse".into()), "{told}");
}

#[test]
fn what_cannot_be_compared_is_said_before_anything_is_measured() {
    let scenario = "scenario: one\ntopology: {services: [{name: cart}]}\nmesh: {mode: none}\nload: {to: cart, rate: 10/s}\n\
                    timeline: [{phase: load, for: 1s}]\nexpect: {load: {lost: \"== 0\"}}\n";
    let two = format!("{scenario}---\n{}", scenario.replace("scenario: one", "scenario: two"));
    let project = project().file("one.yaml", scenario).file("two.yaml", &two).file("wrong.yaml", "scenario: [");
    let said = |sides, arguments: &[&str], code| compare(&project, sides, arguments).expect_code(code).err();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let nobody = format!("http://{free}/");
    for (sides, arguments, code, why) in [
        (["http://127.0.0.1:9/", "http://127.0.0.1:9/"], &[][..], 2, "how often?"),
        (["one.yaml", "one.yaml"], &["--rate", "5/s"], 2, "stands in the scenarios"),
        (["one.yaml", "two.yaml"], &[], 2, "holds 2 scenarios"),
        (["wrong.yaml", "two.yaml"], &[], 2, "wrong.yaml:1"),
        (["one.yaml", "wrong.yaml"], &[], 104, "wrong.yaml:1"),
        (["one.yaml", "none.yaml"], &[], 104, "none.yaml"),
        (["http://192.0.2.1/", "one.yaml"], &["--rate", "5/s"], 104, "nothing says that it may be loaded"),
        (["one.yaml", "one.yaml"], &["--blocks", "5"], 2, "6..=200"),
        ([nobody.as_str(), nobody.as_str()], &["--rate", "5/s"], 1, "cannot be reached: Connection refused"),
    ] {
        let said = said(sides, arguments, code);
        assert!(said.contains(why), "{sides:?} {arguments:?}: {said}");
    }
}
