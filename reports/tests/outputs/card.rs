use crate::sample;
use squall_reports::card;
use squall_reports::record::Verdict;

#[test]
fn it_tells_the_story_by_itself() {
    let svg = card::svg(&sample::record("one-instance-fails", Verdict::Fail, 1)).unwrap();
    for part in [
        "one instance fails",
        "FAIL:",
        "90 %",
        "&gt;= 99.9 %",
        "arrivals at cart/1",
        "requests lost",
        "control: fails, as it must",
        "#f0e442",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    insta::assert_snapshot!(svg);
}

#[test]
fn the_picture_is_1200_by_630_and_the_same_twice() {
    let record = sample::record("one-instance-fails", Verdict::Fail, 1);
    let png = card::png(&record).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!((&png[16..20], &png[20..24]), (&1200_u32.to_be_bytes()[..], &630_u32.to_be_bytes()[..]));
    assert!(png == card::png(&record).unwrap());
}

#[test]
fn every_kind_of_run_can_be_drawn() {
    let mut no_control = sample::record("x", Verdict::Pass, 0);
    no_control.control = None;
    no_control.arms.truncate(1);
    for (record, said) in [
        (sample::stopped(), "stopped by a signal"),
        (sample::unsound(), "31 ms late"),
        (no_control, "control: not run"),
        (sample::sweep(), "0 of 400 requests were lost"),
        (sample::one_cell(), "Nothing was compared."),
        (sample::search(), "client proxy, 16 connections"),
    ] {
        let svg = card::svg(&record).unwrap();
        assert!(svg.contains(said), "{said}\n{svg}");
        assert!(card::png(&record).is_ok());
    }
    let mut nothing = sample::stopped();
    nothing.arms.clear();
    assert!(card::svg(&nothing).unwrap().contains("Nothing was counted."));
}

#[test]
fn long_titles_end_in_an_ellipsis() {
    let mut record = sample::record("x", Verdict::Fail, 1);
    record.scenario.title = "a claim that goes on and on ".repeat(10);
    record.reasons[0].text = format!("FAIL: {}", "the reason is a long story ".repeat(20));
    let svg = card::svg(&record).unwrap();
    assert!(svg.matches(" …<").count() == 2, "{svg}");
}
