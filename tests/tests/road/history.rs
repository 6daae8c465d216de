//! The figures of many runs.

use serde_json::{Value, json};
use squall_tests::http::Backend;
use squall_tests::{Project, project};

/// Records of so many nights, made of one that was measured: the last `slow` have twice its percentiles.
fn nights(project: &Project, nights: usize, slow: usize) -> Vec<String> {
    let backend = Backend::named("ok");
    let url = format!("http://{}/", backend.address);
    let _ = project.run(&["load", &url, "--rate", "50/s", "--for", "1s", "--record", "one.json"]).expect_code(0);
    let text = std::fs::read_to_string(project.path().join("one.json")).expect("a record");
    let one: Value = serde_json::from_str(&text).expect("JSON");
    let night = |night: usize| {
        let mut record = one.clone();
        record["run"]["id"] = json!(format!("night-{night:02}"));
        record["run"]["started"] = json!(format!("2026-05-{:02}T03:00:00Z", night + 1));
        let times = if night + slow >= nights { 2.0 } else { 1.0 } * (1.0 + (night % 3) as f64 / 100.0);
        for totals in record["arms"][0]["totals"].as_array_mut().expect("totals") {
            for name in ["p50", "p90", "p99"] {
                totals["response"][name] = json!(times * 4.0);
            }
        }
        let name = format!("night-{night:02}.json");
        std::fs::write(project.path().join(&name), record.to_string()).expect("a file");
        name
    };
    (0..nights).map(night).collect()
}

fn history(project: &Project, arguments: &[&str], code: i32) -> (String, String) {
    let all: Vec<&str> = ["history"].into_iter().chain(arguments.iter().copied()).collect();
    let ended = project.run(&all).expect_code(code);
    (ended.out(), ended.err())
}

#[test]
fn nights_are_kept_once_and_a_slowdown_of_late_fails_the_check() {
    let project = project();
    let records = nights(&project, 16, 3);
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let (nothing, said) = history(&project, &["check"], 1);
    assert!(nothing.is_empty() && said.contains("there is no history at squall-out/history.db"), "{said}");
    let add = |records: &[&str]| history(&project, &[&["add"], records].concat(), 0).0;
    assert!(add(&records[..13]).contains("13 records added, 0 known"));
    assert!(history(&project, &["check"], 0).0.contains("none became worse in the last 5 runs"));
    assert!(add(&records).contains("3 records added, 13 known"));
    let (told, _) = history(&project, &["check"], 99);
    assert!(
        told.contains("WORSE") && told.contains("load.p99 4.04 ms to") && told.contains("since night-13"),
        "{told}"
    );
    assert!(history(&project, &["check", "--recent", "2"], 0).0.contains("worse  "), "it is known for longer");
    assert_eq!(history(&project, &["list"], 0).0.lines().count(), 16);
}

#[test]
fn it_is_kept_as_it_was_where_a_record_cannot_be_read() {
    let project = project().file("broken.json", "{\"format\": \"squall/record\"");
    let records = nights(&project, 4, 0);
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let _ = history(&project, &[&["add"], &records[..]].concat(), 0);
    let (_, said) = history(&project, &["rebuild", records[0], "broken.json"], 1);
    assert!(said.contains("broken.json"), "{said}");
    assert_eq!(history(&project, &["list"], 0).0.lines().count(), 4);
}

#[test]
fn it_is_made_anew_from_the_records_drawn_and_exported() {
    let project = project();
    let records = nights(&project, 12, 3);
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let _ = history(&project, &[&["add"], &records[..3]].concat(), 0);
    assert!(history(&project, &[&["rebuild"], &records[..]].concat(), 0).0.contains("12 records added"));
    let (csv, _) = history(&project, &["export", "--format", "csv"], 0);
    let of_p99: Vec<&str> = csv.lines().filter(|line| line.contains(",load.p99,")).collect();
    assert_eq!(of_p99.len(), 12, "{csv}");
    let json = |format| -> Value {
        serde_json::from_str(&history(&project, &["export", "--format", format], 0).0).expect("JSON")
    };
    let bencher = json("bencher");
    let (_, p99) =
        bencher.as_object().and_then(|all| all.iter().find(|(name, _)| name.ends_with("/load.p99"))).expect("p99");
    assert!(p99["milliseconds"]["value"].as_f64().is_some_and(|value| value >= 8.0), "{p99}");
    let smaller = json("github-smaller");
    let smaller: Vec<&str> = smaller.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    assert!(
        smaller.iter().any(|name| name.ends_with("/load.p99")) && !smaller.iter().any(|name| name.ends_with("success"))
    );
    assert_eq!(history(&project, &["page", "--out", "h.html"], 0).0.trim(), "h.html");
    let page = std::fs::read_to_string(project.path().join("h.html")).expect("the page");
    assert!(page.contains("load.p99") && page.contains("worse since night-09") && page.contains("nights-"), "{page}");
}
