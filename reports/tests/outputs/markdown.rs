use crate::sample::{self, placed, run_of_many};
use squall_reports::markdown::{MOST, summary};
use squall_reports::record::Verdict;
use std::path::Path;

#[test]
fn the_whole_summary_is_as_it_was_reviewed() {
    let text = summary(&run_of_many(), Path::new("/out"));
    assert_eq!(text, summary(&run_of_many(), Path::new("/out")));
    insta::assert_snapshot!(text);
}

#[test]
fn a_summary_that_would_be_too_long_says_what_it_leaves_out() {
    let many: Vec<_> =
        (0..2000).map(|number| placed(sample::record(&format!("scenario-{number}"), Verdict::Fail, 1))).collect();
    let text = summary(&many, Path::new("/out"));
    assert!(text.len() <= MOST && text.len() > MOST / 2, "{} bytes", text.len());
    assert!(text.contains("left out for its length"), "{}", &text[text.len() - 200..]);
    assert_eq!(text.matches("```").count() % 2, 0, "every block that is begun is ended");
}

#[test]
fn nothing_run_is_said_in_a_sentence() {
    assert!(summary(&[], Path::new("/")).contains("no scenario was run"));
}
