//! `JUnit`: a suite a scenario, a case an expectation, and one for the soundness of the run.
//!
//! FAIL is a failure; INVALID, INCONCLUSIVE, ERROR and ABORTED are errors with that word as their type, never skipped.

use crate::record::{Expectation, Record, Verdict};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The XML of a run.
pub fn report<'a>(records: impl Iterator<Item = &'a Record>) -> Result<String, SerializeError> {
    let mut report = Report::new("squall");
    for record in records {
        report.add_test_suite(suite(record));
    }
    report.to_string()
}

fn suite(record: &Record) -> TestSuite {
    let mut suite = TestSuite::new(&record.scenario.slug);
    let class = format!("squall.{}", record.scenario.slug);
    let add = |suite: &mut TestSuite, name: &str, line: usize, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname(&class);
        case.set_time(Duration::from_secs_f64(record.run.seconds));
        case.extra.insert("file".into(), record.scenario.file.as_str().into());
        case.extra.insert("line".into(), line.to_string().into());
        suite.add_test_case(case);
    };
    let unsound: Vec<_> =
        record.reasons.iter().filter(|reason| reason.verdict != Verdict::Pass && reason.code != "missed").collect();
    let sound = match unsound.first() {
        None => TestCaseStatus::success(),
        Some(reason) => non_success(reason.verdict, &reason.text, &reason.text),
    };
    add(&mut suite, "the run is sound", record.scenario.line, sound);
    for expectation in &record.expectations {
        let status = match expectation.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            verdict => non_success(verdict, &message(expectation), &body(record, expectation)),
        };
        add(&mut suite, &expectation.id, expectation.line, status);
    }
    suite
}

fn non_success(verdict: Verdict, message: &str, body: &str) -> TestCaseStatus {
    let kind = if verdict == Verdict::Fail { NonSuccessKind::Failure } else { NonSuccessKind::Error };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.to_string()).set_message(plain(message)).set_description(plain(body));
    status
}

fn message(expectation: &Expectation) -> String {
    format!("{}: {}", expectation.id, expectation.detail)
}

/// The message again as the first line, since some readers show nothing else.
fn body(record: &Record, expectation: &Expectation) -> String {
    format!(
        "{}\nwritten: {}\nat: {}:{}:{}\nsamples: {}\nseed: {}",
        message(expectation),
        expectation.written,
        record.scenario.file,
        expectation.line,
        expectation.column,
        expectation.samples,
        record.run.seed
    )
}

/// Control characters are no XML.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}
