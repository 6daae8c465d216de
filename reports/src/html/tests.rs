//! The page of a small run.

use super::report;
use crate::plot::fixture::{expectation, record};
use crate::record::{Arm, ArmKind, Reason, Verdict};

#[test]
fn the_verdict_is_the_first_sentence_and_health_comes_before_results() {
    let page = report(&record()).unwrap();
    let order = [
        "FAIL:</span> 5 of 40 requests",
        "id=\"expectations\"",
        "id=\"generator\"",
        "id=\"healing\"",
        "id=\"outcomes\"",
        "id=\"latency\"",
        "id=\"control\"",
        "id=\"events\"",
        "id=\"as-run\"",
    ];
    let found: Vec<usize> = order.iter().filter_map(|part| page.find(part)).collect();
    assert!(found.len() == order.len() && found.is_sorted(), "{found:?}");
    assert!(page.contains("control: healing removed") && page.contains("FAILS, as it must"));
}

#[test]
fn every_output_begins_with_the_same_sentence_and_ids_keep_their_letters() {
    let mut record = record();
    record.expectations = vec![expectation("failing.success[steady]", Verdict::Inconclusive, 1.0, 0.9999)];
    let reason = |verdict: Verdict, text: &str| Reason { verdict, code: "x".to_owned(), text: text.to_owned() };
    let sentence = "failing.success[steady]: asked >= 99.99 %, observed 100 %";
    record.reasons = vec![reason(Verdict::Inconclusive, &format!("INCONCLUSIVE: {sentence}")); 2];
    let page = report(&record).unwrap();
    let shown = crate::digest::headline(&record).replace(">=", "≥");
    assert_eq!(shown, sentence.replace(">=", "≥"));
    assert!(page.contains(&format!("</span> {shown}</h1>")) && page.contains(&format!("<li>{shown}</li>")));
}

#[test]
fn of_several_that_were_out_the_heading_tells_how_many() {
    let mut record = record();
    let mut other = record.arms[0].figures.healing[0].clone();
    other.subject = "cart/2".to_owned();
    other.seconds = Some(9.0);
    record.arms[0].figures.healing.push(other);
    let page = report(&record).unwrap();
    assert!(page.contains("Two instances were out, cart/2 last, after 9"), "{page}");
}

#[test]
fn nothing_of_a_record_becomes_markup() {
    let mut record = record();
    let bad = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>\u{1b}";
    record.scenario.title = bad.to_owned();
    record.scenario.source = bad.to_owned();
    record.scenario.file = bad.to_owned();
    record.reasons[0].text = bad.to_owned();
    record.scenario.policies[0].text = bad.to_owned();
    record.run.command = vec![bad.to_owned()];
    record.expectations[0].observed.text = bad.to_owned();
    for arm in &mut record.arms {
        arm.instances[0].name = bad.to_owned();
        arm.phases[1].name = bad.to_owned();
        arm.faults[0].what = bad.to_owned();
        arm.marks[0].label = bad.to_owned();
        arm.events[0].text = bad.to_owned();
        arm.without = vec![bad.to_owned()];
    }
    let page = report(&record).unwrap();
    assert_eq!(page.matches("<script").count(), 2, "ours");
    assert!(!page.contains("<img") && !page.contains("<script>alert"));
}

#[test]
fn the_page_stands_without_inline_styles_and_asks_for_nothing() {
    let page = report(&record()).unwrap();
    let body = &page[page.find("<body>").unwrap()..];
    assert!(!body.contains(" style=") && !body.contains("<style"));
    assert!(!page.contains("src=\"") && !page.contains("@import") && !page.contains("<link"));
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
    let ids: Vec<&str> = body.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "every id stands once");
}

#[test]
fn what_was_not_run_and_not_measured_says_so() {
    let mut record = record();
    record.control = None;
    record.arms.truncate(1);
    let page = report(&record).unwrap();
    assert!(page.contains("The control was not run"));
    record.complete = false;
    record.verdict = Verdict::Aborted;
    record.arms = vec![Arm::empty(ArmKind::Main)];
    record.expectations.clear();
    let page = report(&record).unwrap();
    assert!(page.contains("not measured") && page.contains("The run was cut"));
    record.arms.clear();
    assert!(report(&record).unwrap().contains("Nothing was measured"));
}

#[test]
fn the_sections_of_a_sweep_and_of_processes_stand_in_the_page() {
    let mut record = record();
    let page = report(&record).unwrap();
    assert!(page.contains("id=\"topology\"") && !page.contains("id=\"sweep\"") && !page.contains("id=\"resources\""));
    record.arms[0].processes = vec![crate::record::Process {
        name: "proxy".to_owned(),
        from: 0,
        cpu: vec![47_000; 6],
        memory: vec![12 << 20; 6],
        cpu_by_phase: vec![94_000; 3],
        descriptors: vec![9, 140, 12],
        switches: vec![10, 2_000],
        threads: vec![crate::record::Thread { name: "worker-0".to_owned(), cpu: vec![1_000, 830_000] }],
    }];
    assert!(report(&record).unwrap().replace('\u{202f}', " ").contains("at most 4.70 % of a core, and 12.0 MiB"));
    let page = report(&record).unwrap();
    for told in [">140<", ">2,000<", "worker-0"] {
        assert!(page.contains(told), "{told}");
    }
    let cell =
        |rate: f64| Arm { cell: Some(crate::record::Cell::new("client<", rate, 16)), ..Arm::empty(ArmKind::Cell) };
    record.arms = vec![cell(500.0), cell(1_000.0)];
    let page = report(&record).unwrap();
    assert!(page.contains("id=\"sweep\"") && page.contains("2 of 2 were not run") && !page.contains("client<<"));
}

#[test]
fn the_cause_stands_under_the_verdict() {
    let mut record = record();
    let findings = |record: &crate::record::Record| report(record).unwrap().replace('\u{202f}', " ");
    let page = findings(&record);
    assert!(page.contains("<li>5 requests were lost, all due from 2.00 s to 2.50 s; clients saw 503 each time.</li>"));
    let fault = "<li>Abort 503 on cart/1 was on from 2.00 s to 4.00 s and harmed 4; meanwhile ";
    let asked = |told: &str| format!("{fault}no request was tried again ({told}).</li>");
    assert!(page.contains(&asked("the policies ask for no retries")));
    record.scenario.policies[0].text += "# retryOn: all\nretries: {attempts: 2, retryOn: \"reset, 503\"}\n";
    assert!(findings(&record).contains(&asked("retryOn: reset, 503")));
    record.scenario.policies[0].text = "retries: {retryOn: 5xx, reset, perTryTimeout: 1s}".to_owned();
    assert!(findings(&record).contains(&asked("retryOn: 5xx,reset")));
    record.scenario.policies[0].text += "\nretries: {retryOn: 503}";
    assert!(findings(&record).contains(&asked("the policies&#39; rules differ in retryOn")));
    record.arms[0].offers[1].retries[22] = 3;
    assert!(findings(&record).contains(&format!("{fault}3 attempts were second tries.</li>")));
    record.arms.iter_mut().for_each(|arm| arm.faults.clear());
    assert!(!findings(&record).contains("meanwhile"));
}
