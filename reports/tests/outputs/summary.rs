use crate::sample::{self, FOLDER, run_of_many};
use squall_reports::digest::Digest;
use squall_reports::record::Verdict;
use squall_reports::summary::RunSummary;
use std::path::Path;

#[test]
fn the_whole_summary_is_as_it_was_reviewed() {
    let text = RunSummary::of(&run_of_many(), Path::new(FOLDER)).json().unwrap();
    assert_eq!(text, RunSummary::of(&run_of_many(), Path::new(FOLDER)).json().unwrap());
    insta::assert_snapshot!(text);
}

#[test]
fn all_outputs_tell_the_same_figures() {
    let records = run_of_many();
    let digest = Digest::of(&sample::record("one-instance-fails", Verdict::Fail, 1));
    let lost = digest.lost.unwrap();
    assert_eq!(
        (lost.lost, lost.planned, digest.out.text().as_str(), digest.back.text().as_str()),
        (20, 200, "200 ms", "400 ms")
    );
    let json = RunSummary::of(&records, Path::new(FOLDER));
    let one = json.scenarios.iter().find(|one| one.slug == "one-instance-fails").unwrap();
    assert_eq!(
        (one.lost, one.planned, one.out, one.back, one.p99),
        (Some(20), Some(200), Some(0.2), Some(0.4), digest.p99)
    );
    let markdown = squall_reports::markdown::summary(&records, Path::new(FOLDER));
    assert!(
        markdown.contains("| one instance fails | 20 of 200 | 200 ms, 400 ms | 13 ms | fails, as it must | 12 |"),
        "{markdown}"
    );
    let page = squall_reports::index::page(&records, Path::new(FOLDER)).unwrap();
    assert!(page.contains("<b>20</b><div class=\"dim sm\">of 200</div>"), "{page}");
}

#[test]
fn an_empty_run_has_no_verdict() {
    let summary = RunSummary::of(&[], Path::new("/"));
    assert_eq!((summary.verdict, summary.scenarios.len()), (None, 0));
}
