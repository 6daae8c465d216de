use crate::sample::{self, FOLDER, placed, run_of_many};
use squall_reports::digest::Digest;
use squall_reports::record::{Record, Verdict};
use squall_reports::{index, trend};
use std::path::Path;

fn overview(records: &[(Record, std::path::PathBuf)]) -> String {
    let page = index::page(records, Path::new(FOLDER)).unwrap();
    assert!(page == index::page(records, Path::new(FOLDER)).unwrap(), "the same records give the same page");
    page
}

/// What a page must hold to be read where scripts and styles are forbidden, and from a disk.
fn is_self_contained(page: &str) {
    for never in ["<script", " style=\"", "http://", "https://", "<img", "@import", "url(h", "onclick"] {
        assert!(!page.contains(never), "{never}");
    }
    for part in page.split("<path ").skip(1) {
        let tag = part.split('>').next().unwrap_or_default();
        assert!(tag.contains("fill=") || tag.contains("stroke="), "a mark without a colour of its own: {tag}");
    }
}

#[test]
fn what_did_not_pass_comes_first() {
    let page = overview(&run_of_many());
    is_self_contained(&page);
    let places: Vec<_> = [
        "stopped/report.html",
        "one-instance-fails/report.html",
        "unsound/report.html",
        "one-instance-hangs/report.html",
    ]
    .map(|link| page.find(&format!("href=\"{link}\"")).unwrap_or_else(|| panic!("{link}")))
    .into();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("1 of 5 scenarios was stopped; 1 does not hold, 1 proves nothing, 2 hold"), "the tally");
    assert!(page.contains("All 3 controls fail, as they must."));
    assert!(page.contains("a sweep of 2 cells"));
    assert!(page.contains("squall run scenarios/ --seed 7"), "how to run it again");
    insta::assert_snapshot!(page.split("</style>").nth(1).unwrap());
}

#[test]
fn all_pictures_share_one_scale() {
    let mut long = sample::record("long", Verdict::Pass, 0);
    let outcomes = long.arms[0].outcomes[0].clone();
    let before = outcomes.planned.len();
    long.arms[0].outcomes[0].replace_from(before, outcomes);
    let page = overview(&[placed(long), placed(sample::record("short", Verdict::Pass, 0))]);
    let widths: Vec<f64> = page
        .split("class=\"pic\"><svg viewBox=\"0 0 ")
        .skip(1)
        .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(widths.len(), 2);
    assert!((widths[0] - 2.0 * widths[1]).abs() < 0.2, "twice as long is twice as wide: {widths:?}");
}

#[test]
fn a_run_without_scenarios_names_the_command_that_makes_one() {
    let page = overview(&[]);
    assert!(page.contains("squall run scenarios/"), "{page}");
}

#[test]
fn what_is_left_behind_is_said_at_the_top() {
    let mut record = sample::record("x", Verdict::Pass, 0);
    record.dirty = vec!["process 7 is left".to_owned()];
    let page = overview(&[placed(record)]);
    assert!(page.find("DIRTY: process 7 is left").unwrap() < page.find("<table").unwrap());
}

fn night(number: usize, verdicts: &[(&str, Verdict)]) -> trend::Run {
    let scenario = |(slug, verdict): &(&str, Verdict)| {
        let mut record = sample::record(slug, *verdict, u32::from(*verdict == Verdict::Fail));
        record.run.id = format!("night-{number}");
        record.run.started = format!("2026-11-{number:02}T03:17:00Z");
        (Digest::of(&record), format!("night-{number}/{slug}/report.html"))
    };
    trend::Run { id: format!("night-{number}"), scenarios: verdicts.iter().map(scenario).collect() }
}

#[test]
fn a_trend_shows_since_when_and_leaves_gaps() {
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    let runs = [
        night(1, &[("steady", pass), ("breaks", pass), ("rare", pass)]),
        night(2, &[("steady", pass)]),
        night(4, &[("steady", pass), ("breaks", fail)]),
        night(3, &[("steady", pass), ("breaks", pass), ("rare", Verdict::Invalid)]),
    ];
    let page = trend::page(&runs).unwrap();
    assert!(page == trend::page(&runs).unwrap());
    is_self_contained(&page);
    assert!(page.contains("oldest first: PASS, no run, PASS, FAIL"), "in order of time, a gap where there is no run");
    assert!(page.contains("FAIL since 2026-11-04 03:17, PASS before"), "{page}");
    assert!(page.contains("PASS in all 4 runs"));
    assert!(page.contains("no trend in fewer than 3 runs: rare (2 runs)"));
    assert!(
        page.find("href=\"night-4/breaks/report.html\"").unwrap()
            < page.find("href=\"night-4/steady/report.html\"").unwrap()
    );
    assert!(page.contains("1 of 2 scenarios does not hold; 1 holds in the last run"));
    insta::assert_snapshot!(page.split("</style>").nth(1).unwrap());
}

#[test]
fn quick_runs_are_no_part_of_a_trend() {
    let mut quick = night(5, &[("steady", Verdict::Fail)]);
    quick.scenarios[0].0.quick = true;
    let runs = [
        night(1, &[("steady", Verdict::Pass)]),
        night(2, &[("steady", Verdict::Pass)]),
        night(3, &[("steady", Verdict::Pass)]),
        quick,
    ];
    let page = trend::page(&runs).unwrap();
    assert!(page.contains("PASS in all 3 runs") && page.contains("1 quick run"), "{page}");
}
