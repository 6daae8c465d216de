//! Sweeps: what is varied, in which order, and how one that was cut goes on.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use squall_tests::{Project, project, until};
use std::collections::HashMap;

const SLUG: &str = "what-a-request-costs";

const SWEEP: &str = "
scenario: what a request costs
topology: {services: [{name: cart, instances: 1, responds: {latency: 1ms}}]}
load: {to: cart}
sweep:
  rate: [100/s, 200/s]
  connections: [4]
  protocol: [http1, http2]
  payload: [0B, 1KiB]
  blocks: 2
  each: {warm-up: 100ms, measure: 400ms}
expect:
  sweep: [{success: \">= 90%\"}, {where: {protocol: http2, payload: 1KiB}, lost: \"== 0\"}]
";

/// Runs it; on a machine that other tests use too a run may prove nothing, and then is run once more.
fn proven(project: &Project, arguments: &[&str]) {
    for _ in 0..2 {
        let ended = project.run(arguments);
        if ended.code() != Some(3) {
            let _ = ended.expect_code(0);
            return;
        }
    }
    let _ = project.run(arguments).expect_code(0);
}

/// When each cell first began, by its coordinates.
fn begun(project: &Project) -> HashMap<String, String> {
    let record = project.record(SLUG);
    let arms = record["arms"].as_array().expect("arms").iter().filter(|arm| arm["try-number"] == 1);
    let name = |cell: &Value| {
        let block = cell["block"].as_u64().unwrap_or(1);
        format!("{}/{}/{}/{block}", cell["rate"], cell["protocol"], cell["payload"])
    };
    let text = |value: &Value| value.as_str().expect("a moment").to_owned();
    arms.map(|arm| (name(&arm["cell"]), text(&arm["started"]))).collect()
}

#[test]
fn every_combination_is_run_once_a_block_and_each_is_asked_as_it_says() {
    let project = project().file("sweep.yaml", SWEEP);
    proven(&project, &["run", "sweep.yaml", "--seed", "3"]);
    let begun = begun(&project);
    assert_eq!(begun.len(), 16);
    let (first, second): (Vec<_>, Vec<_>) = begun.iter().partition(|(name, _)| name.ends_with("/1"));
    assert_eq!(first.len(), second.len());
    let last_of_first = first.iter().map(|(_, at)| at).max();
    assert!(last_of_first < second.iter().map(|(_, at)| at).min(), "{begun:?}");
    let record = project.record(SLUG);
    let ids: Vec<&str> =
        record["expectations"].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["sweep.success", "sweep.lost(http2, bodies of 1024 B)"]);
    let page = std::fs::read_to_string(project.path().join(format!("squall-out/latest/{SLUG}/report.html")));
    let page = page.expect("a page");
    assert!(page.contains("client proxy, http2, bodies of 1024 B"), "a panel for each");
}

#[test]
fn a_sweep_that_was_cut_goes_on_with_the_cells_that_it_had_not_measured() {
    let project = project().file("sweep.yaml", SWEEP);
    let mut run = project.start(&["run", "sweep.yaml", "--seed", "5"]);
    let latest = project.path().join("squall-out/latest");
    let measured = || {
        let cells = std::fs::read_dir(latest.join(SLUG)).into_iter().flatten().flatten();
        cells.filter(|cell| cell.path().join("cell.json").is_file()).count()
    };
    until("three cells are measured", || measured() >= 3);
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).expect("a signal");
    assert_eq!(run.wait().expect("its end").code(), Some(105));
    let cut = begun(&project);
    assert!((3..16).contains(&cut.len()), "{cut:?}");

    let earlier = latest.canonicalize().expect("the run that was cut");
    let earlier = earlier.to_str().expect("a path in UTF-8");
    proven(&project, &["run", "sweep.yaml", "--resume", earlier]);
    let whole = begun(&project);
    assert_eq!(whole.len(), 16);
    let taken_over = cut.iter().filter(|(name, at)| whole.get(*name) == Some(*at)).count();
    assert!(taken_over >= 3, "what was measured is not measured again: {cut:?} {whole:?}");
    assert_eq!(project.record(SLUG)["run"]["seed"], 5, "the order is that of the run that was cut");

    let other = SWEEP.replace("latency: 1ms", "latency: 2ms");
    std::fs::write(project.path().join("sweep.yaml"), other).expect("a file");
    let refused = project.run(&["run", "sweep.yaml", "--resume", earlier]).expect_code(104);
    assert!(refused.err().contains("is not what it was then"), "{}", refused.err());
    let refused = project.run(&["run", "sweep.yaml", "--resume", "."]).expect_code(104);
    assert!(refused.err().contains("holds no sweep that was begun"), "{}", refused.err());
}

/// Everything under a folder that holds this text.
fn holding(folder: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if std::fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text)) {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_is_kept_of_a_sweep_holds_no_secret() {
    let one = SWEEP
        .replace("load: {to: cart}", "load: {to: cart, request: {headers: {authorization: {from-env: SHOP_KEY}}}}");
    let one = one.replace("  rate: [100/s, 200/s]\n", "  rate: [100/s]\n").replace("  blocks: 2\n", "");
    let project = project().file("sweep.yaml", &one);
    let secret = |command: &mut std::process::Command| {
        command.env("SHOP_KEY", "s3cr3t-of-the-shop");
    };
    let ended = project.run_with(&["run", "sweep.yaml"], secret);
    assert!(matches!(ended.code(), Some(0 | 3)), "{}", ended.err());
    let out = project.path().join("squall-out");
    assert!(!holding(&out, "cell").is_empty(), "cells are kept");
    assert_eq!(holding(&out, "s3cr3t"), Vec::<std::path::PathBuf>::new());
}

/// Two connections to a service that takes 20 ms carry 100 requests a second and no more.
const SEARCH: &str = "
scenario: how much two connections bear
topology: {services: [{name: cart, instances: 1, responds: {latency: 20ms}}]}
load: {to: cart}
sweep:
  search: {from: 60/s, to: 240/s, while: {p90: \"<= 80ms\"}, confirm: 2s}
  connections: [2]
  mode: [none]
  each: {warm-up: 100ms, measure: 1s}
expect:
  sweep:
    - {where: {connections: 2}, highest-rate: \">= 60/s\"}
";

#[test]
fn the_highest_rate_that_holds_is_what_the_connections_can_carry() {
    let project = project().file("search.yaml", SEARCH);
    proven(&project, &["run", "search.yaml"]);
    let record = project.record("how-much-two-connections-bear");
    let searches = record["searches"].as_array().expect("searches");
    assert_eq!(searches.len(), 1);
    for (search, most) in searches.iter().zip([100.0]) {
        let number = |name: &str| search[name].as_f64().unwrap_or_else(|| panic!("no {name}: {search}"));
        // A second's queue of a tenth too much is 100 ms long: what is just above what can be carried may hold for so short a time.
        assert!(number("highest") <= most * 1.12 && number("confirmed") <= most * 1.03, "{search}");
        assert!(number("broken") > number("highest") && number("confirmed") < number("highest") + 0.5, "{search}");
        let steps = search["steps"].as_array().expect("steps");
        assert!((8..60).contains(&steps.len()) && steps.iter().any(|step| step["confirms"] == true), "{search}");
    }
    let page =
        std::fs::read_to_string(project.path().join("squall-out/latest/how-much-two-connections-bear/report.html"));
    let page = page.expect("a page");
    assert!(page.contains("p90 &lt;= 80ms") || page.contains("p90 &#60;= 80ms"), "what had to hold");
}
