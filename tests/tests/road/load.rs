//! Services that run already: loaded from the command line, and by scenarios.

use squall_tests::http::{Backend, status};
use squall_tests::{EJECT_POLICIES, Project, project};
use std::net::TcpListener;

fn url(backend: &Backend) -> String {
    format!("http://{}/items", backend.address)
}

/// `squall load` with these further arguments.
fn load(project: &Project, url: &str, arguments: &[&str]) -> squall_tests::Ended {
    let all: Vec<&str> = ["load", url].into_iter().chain(arguments.iter().copied()).collect();
    project.run(&all)
}

#[test]
fn a_load_is_told_in_one_object_that_adds_up() {
    let backend = Backend::named("ok");
    let arguments = ["--rate", "300/s", "--for", "2s", "--expect", "success>=99%", "--expect", "lost==0", "--json"];
    let told = load(&project(), &url(&backend), &arguments).expect_code(0).json_lines();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (&told["format"], &told["loop"], &told["verdict"]),
        (&"squall/load".into(), &"open".into(), &"PASS".into())
    );
    assert_eq!((&told["planned"], &told["sent"], &told["lost"]), (&600.into(), &600.into(), &0.into()));
    assert_eq!((&told["outcomes"]["acceptable"], &told["statuses"]["200"]), (&600.into(), &600.into()));
    for kind in ["response", "service", "pacer-lag", "connection-wait"] {
        let figure = |name: &str| told[kind][name].as_f64().unwrap_or_else(|| panic!("{kind} {name}: {told}"));
        assert_eq!(told[kind]["count"], 600, "{kind}");
        let rising = ["p50", "p90", "p95", "p99", "p99.9", "max"].map(figure);
        assert!(rising.is_sorted() && figure("mean") <= figure("max"), "{kind}: {rising:?}");
    }
    assert_eq!(told["expectations"].as_array().map(Vec::len), Some(2));
    assert!(backend.asked().iter().all(|asked| asked.target() == "/items"));
    assert!(!project().path().join("squall-out").exists(), "nothing is left behind");
}

#[test]
fn what_is_expected_decides_the_exit() {
    let bad = Backend::start(|_| status(503));
    let ended =
        load(&project(), &url(&bad), &["--rate", "100/s", "--for", "1s", "--expect", "lost==0"]).expect_code(99);
    assert!(ended.out().contains("FAIL") && ended.out().contains("status-503: 100"), "{}", ended.out());
    let arguments = ["--rate", "100/s", "--for", "1s", "--expect", "lost==0", "--accept", "503"];
    let _ = load(&project(), &url(&bad), &arguments).expect_code(0);
}

#[test]
fn files_are_written_where_they_are_asked_for() {
    let (backend, project) = (Backend::named("ok"), project());
    let files = ["--hlog", "a.hlog", "--report", "a.html", "--record", "a.json"];
    let arguments: Vec<&str> = ["--rate", "200/s", "--for", "1s"].into_iter().chain(files).collect();
    let _ = load(&project, &url(&backend), &arguments).expect_code(0);
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).expect(name);
    assert!(read("a.hlog").contains("Tag=load.load.response,"), "{}", read("a.hlog"));
    assert!(read("a.html").contains("<!doctype html>"), "{}", read("a.html"));
    let _ = project.run(&["report", "a.json", "--out", "again"]).expect_code(0);
}

#[test]
fn loads_of_several_generators_are_merged_and_judged_anew() {
    let (project, backend) = (project().file("cut.json", "{"), Backend::named("ok"));
    for (record, rate) in [("a.json", "100/s"), ("b.json", "60/s")] {
        let arguments = ["--rate", rate, "--for", "1s", "--expect", "lost==0", "--record", record];
        let _ = load(&project, &url(&backend), &arguments).expect_code(0);
    }
    let merged = project.run(&["load", "merge", "a.json", "b.json", "--json"]).expect_code(0).json_lines();
    let [merged] = &merged[..] else { panic!("{merged:?}") };
    assert_eq!((&merged["generators"], &merged["planned"]), (&2.into(), &160.into()), "{merged}");
    assert_eq!((&merged["response"]["count"], &merged["rate"]["asked"]), (&160.into(), &160.0.into()), "{merged}");
    assert_eq!((&merged["verdict"], &merged["expectations"][0]["verdict"]), (&"PASS".into(), &"PASS".into()));
    let told = project.run(&["load", "merge", "a.json", "b.json"]).expect_code(0).out();
    assert!(told.contains("160/s, up to") && told.contains("by 2 generators"), "{told}");
    let refused = project.run(&["load", "merge", "a.json", "cut.json", "none.json"]).expect_code(104).err();
    assert!(refused.contains("cut.json: the record is cut") && refused.contains("none.json"), "{refused}");
}

#[test]
fn a_closed_load_is_called_so_and_judged_by_what_it_can_show() {
    let backend = Backend::named("ok");
    let closed = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["--closed", "-c", "4", "--for", "1s"].into_iter().chain(more.iter().copied()).collect();
        load(&project(), &url(&backend), &arguments)
    };
    let told = closed(&["--json", "--expect", "rate>=20/s"]).expect_code(0).json_lines();
    assert_eq!((&told[0]["loop"], &told[0]["rate"]["asked"]), (&"closed".into(), &0.0.into()));
    assert_eq!(told[0]["planned"], told[0]["outcomes"]["acceptable"]);
    let refused = closed(&["--expect", "p99<=20ms"]).expect_code(104).err();
    assert!(refused.contains("on a closed load"), "{refused}");
}

#[test]
fn who_is_not_there_or_not_allowed_is_told_before_anything_is_sent() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let nobody = load(&project(), &format!("http://{free}/"), &["--rate", "1/s"]).expect_code(1);
    assert!(nobody.out().contains("cannot be reached: Connection refused"), "{}", nobody.out());
    let stranger = load(&project(), "http://192.0.2.1/", &["--rate", "1/s"]).expect_code(104).err();
    assert!(
        stranger.contains("nothing says that it may be loaded; if it is yours: `allow: [192.0.2.1]`"),
        "{stranger}"
    );
    for (arguments, why) in [
        (&[][..], "how often?"),
        (&["--closed", "-c", "each"], "a closed load has a number of connections"),
        (&["--profile", "ramp: [1"], "--profile"),
    ] {
        let said = load(&project(), "http://127.0.0.1:9/", arguments).expect_code(2).err();
        assert!(said.contains(why), "{said}");
    }
    let nothing = load(&project(), "http://127.0.0.1:9/", &["--rate", "0.01/s"]).expect_code(104).err();
    assert!(nothing.contains("no request"), "{nothing}");
}

#[test]
fn a_load_is_a_scenario_that_can_be_kept() {
    let backend = Backend::named("ok");
    let arguments = ["--profile", "poisson: 300/s", "--for", "1s", "--expect", "lost==0", "--scenario"];
    let text = load(&project(), &url(&backend), &arguments).expect_code(0).out();
    assert!(backend.asked().is_empty(), "nothing was sent");
    let project = project().file("kept.yaml", &text);
    let refused = project.run(&["run", "kept.yaml"]).expect_code(104).err();
    assert!(refused.contains("--platform external"), "{refused}");
    let _ = project.run(&["run", "kept.yaml", "--platform", "external"]).expect_code(0);
    assert_eq!(backend.asked().len(), 600, "300 of them while it warmed up");
}

#[test]
fn what_lies_before_a_service_that_runs_already_can_be_broken_and_it_itself_cannot() {
    let backends = [Backend::named("ok"), Backend::named("ok")];
    let scenario = format!(
        "scenario: one of two that run already is ejected\n\
         topology: {{services: [{{name: cart, at: [\"{}\", \"{}\"]}}]}}\n\
         policies: [policies/cart.yaml]\n\
         load: {{to: cart, rate: 200/s}}\n\
         timeline:\n  - {{phase: baseline, for: 1s}}\n  - {{phase: failing, for: 3s, faults: [{{abort: {{target: cart/1, status: 503}}}}]}}\n\
         expect: {{healing: [{{ejected: cart/1, within: 1s}}]}}\n",
        backends[0].address, backends[1].address
    );
    let killing = scenario.replace("abort: {target: cart/1, status: 503}", "kill: {target: cart/1}");
    let project =
        project().file("two.yaml", &scenario).file("kill.yaml", &killing).file("policies/cart.yaml", EJECT_POLICIES);
    let _ = project.run(&["run", "two.yaml", "--platform", "external", "--no-control"]).expect_code(0);
    let record = project.record("one-of-two-that-run-already-is-ejected");
    assert_eq!(record["run"]["platform"], "external");
    assert!(backends[1].asked().len() > backends[0].asked().len(), "while it was out the other one had all");
    let refused = project.run(&["check", "kill.yaml"]).expect_code(104).err();
    assert!(refused.contains("is not ours to kill"), "{refused}");
}

#[test]
fn requests_take_the_rows_of_a_table_in_turn() {
    let backend = Backend::named("ok");
    let scenario = format!(
        "
scenario: users are asked for
topology: {{services: [{{name: shop, at: ['{}']}}]}}
load: {{to: shop, rate: 60/s, request: {{method: POST, path: '/users/${{id}}', headers: {{x-plan: '${{plan}}'}}, body: {{text: '{{\"id\": ${{id}}}}'}}, data: users.csv}}}}
timeline: [{{phase: all, for: 2s}}]
expect: {{all: {{lost: '== 0'}}}}
",
        backend.address
    );
    let project = project().file("users.yaml", &scenario).file("users.csv", "id,plan\n7,free\n8,paid\n9,\"a, b\"\n");
    let _ = project.run(&["run", "users.yaml", "--platform", "external", "--no-control"]).expect_code(0);
    let asked = backend.asked();
    let of = |id: &str| asked.iter().filter(|one| one.target() == format!("/users/{id}")).collect::<Vec<_>>();
    let (first, last) = (of("7"), of("9"));
    assert!(first.len() >= 40 && first.len().abs_diff(last.len()) <= 1, "{} {}", first.len(), last.len());
    assert!(last.iter().all(|one| one.field("x-plan") == "a, b" && one.text() == "{\"id\": 9}"), "{:?}", last.first());

    let wrong = scenario.replace("${plan}", "${plans}");
    std::fs::write(project.path().join("users.yaml"), wrong).expect("a file");
    let refused = project.run(&["check", "users.yaml"]).expect_code(104).err();
    assert!(refused.contains("no column `plans`") && refused.contains("`plan`"), "{refused}");
    std::fs::write(project.path().join("users.csv"), "id,plan\n7,free\n8\n").expect("a file");
    let refused = project.run(&["check", "users.yaml"]).expect_code(104).err();
    assert!(refused.contains("users.csv") && refused.contains("found record with 1 fields"), "{refused}");
}
