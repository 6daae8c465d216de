use crate::sample::{self, run_of_many};
use squall_reports::annotations::{MOST, github};
use squall_reports::digest::Digest;
use squall_reports::record::Verdict;

fn lines(records: &[squall_reports::record::Record]) -> Vec<String> {
    let digests: Vec<Digest> = records.iter().map(Digest::of).collect();
    github(&digests, &|file| format!("shop/{file}"))
}

#[test]
fn a_missed_expectation_is_shown_at_its_line() {
    let told = lines(&[sample::record("one-fails", Verdict::Fail, 1), sample::record("holds", Verdict::Pass, 0)]);
    assert_eq!(
        told,
        [
            "::error file=shop/scenarios/one-fails.yaml,line=12,title=FAIL failing.success::one fails: asked >= 99.9 %25, observed 90 %25: 190 of 200 requests were acceptable"
        ]
    );
}

#[test]
fn what_is_no_expectation_is_shown_at_the_scenario() {
    let told = lines(&[sample::unsound()]);
    assert_eq!(
        told,
        [
            "::error file=shop/scenarios/unsound.yaml,line=3,title=INVALID unsound::the generator was up to 31 ms late, 10 ms is allowed."
        ]
    );
}

#[test]
fn what_was_missed_in_a_run_that_proves_nothing_is_no_finding() {
    let mut record = sample::unsound();
    record.expectations[0].verdict = Verdict::Fail;
    let told = lines(&[record]);
    assert!(told.len() == 1 && told[0].contains("title=INVALID unsound::"), "{told:?}");
}

#[test]
fn there_are_never_more_than_a_step_may_show() {
    let many: Vec<_> = (0..14).map(|number| sample::record(&format!("s{number}"), Verdict::Fail, 1)).collect();
    let told = lines(&many);
    assert_eq!(told.len(), MOST);
    assert!(told[MOST - 1].contains("::and 6 more"), "{}", told[MOST - 1]);
    let just: Vec<_> = many[..MOST].to_vec();
    assert!(lines(&just).iter().all(|line| !line.contains("more")), "nine are nine");
    assert!(lines(&[sample::record("holds", Verdict::Pass, 0)]).is_empty());
}

#[test]
fn the_worst_come_first() {
    let records: Vec<_> = run_of_many().into_iter().map(|(record, _)| record).collect();
    let told = lines(&records);
    let words: Vec<_> =
        told.iter().map(|line| line.split("title=").nth(1).unwrap().split(' ').next().unwrap()).collect();
    assert_eq!(words, ["ABORTED", "FAIL", "INVALID"]);
}
