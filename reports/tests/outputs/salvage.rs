use crate::sample;
use squall_reports::record::{Verdict, fold, salvage};

#[test]
fn a_record_that_is_cut_in_its_control_still_shows_the_scenario() {
    let record = sample::record("cut", Verdict::Pass, 0);
    let text = serde_json::to_string(&record).unwrap();
    let control = text.rfind("\"kind\":\"control\"").unwrap();
    let half = salvage(&text[..control + 400]).unwrap();
    assert_eq!(half.arms, record.arms[..1]);
    assert_eq!((half.verdict, half.complete), (Verdict::Aborted, false));
    assert!(half.reasons[0].text.contains("1 arm follows, the rest is missing"), "{}", half.reasons[0].text);
}

#[test]
fn a_record_that_is_cut_before_its_first_arm_ends_holds_nothing() {
    let text = serde_json::to_string(&sample::record("cut", Verdict::Pass, 0)).unwrap();
    for end in [0, 1, 100, text.find("\"arms\"").unwrap() + 200] {
        assert!(salvage(&text[..end]).is_none(), "{end}");
    }
}

#[test]
fn brackets_in_texts_are_no_structure() {
    let mut record = sample::record("cut", Verdict::Pass, 0);
    record.scenario.title = "}]\\\"}]{[".to_owned();
    record.arms[0].events[0].text = "}}]]\\".to_owned();
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(salvage(&text[..text.len() - 2]).unwrap().arms[0], record.arms[0]);
}

#[test]
fn lines_of_a_later_version_name_what_reads_them() {
    let line =
        r#"{"line":"begin","record":{"format":"squall/record","version":"3.1","run":{"squall":"squall 1.4.0"}}}"#;
    let told = fold::fold(line).unwrap_err().to_string();
    assert!(told.contains("version 3.1") && told.contains("squall 1.4.0 or later"), "{told}");
    assert!(fold::fold("{}\n").unwrap_err().to_string().contains("no record of a run"));
}
