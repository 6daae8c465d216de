//! `JUnit`: a suite a scenario, a case an expectation, and one for the soundness of the run.
//!
//! There is no standard, only readers. What they take decides every line here: FAIL is a failure; INVALID, INCONCLUSIVE, ERROR
//! and ABORTED are errors with that word as their type, never skipped; the message is repeated as the first line of the body,
//! since some show nothing else; names are unique and hold no number that changes; and the seconds of a scenario stand in one
//! case only, since readers add them up.

use crate::artifacts::{Recorded, plot_of, shown};
use crate::escape::{visible, visible_lines};
use crate::record::{Arm, ArmKind, Expectation, Record, Verdict};
use crate::words;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestRerun, TestSuite};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// Name of the case that says whether a run is evidence at all.
const SOUND: &str = "the run is sound";

/// The XML of a run. Paths in it are relative to `root` where they lie in it.
pub fn report(records: &[Recorded], root: &Path) -> Result<String, SerializeError> {
    let mut report = Report::new("squall");
    let mut taken = HashSet::new();
    for (record, folder) in records {
        let name = unique(&mut taken, &record.scenario.slug, "-");
        report.add_test_suite(Suite { record, folder: &shown(folder, root), name: &name }.write());
    }
    report.to_string()
}

/// The name itself, or with a number from 2 that no other has: repetitions of a scenario keep theirs from night to night.
fn unique(taken: &mut HashSet<String>, name: &str, separator: &str) -> String {
    let mut fresh = name.to_owned();
    for number in 2.. {
        if taken.insert(fresh.clone()) {
            break;
        }
        fresh = format!("{name}{separator}{number}");
    }
    fresh
}

struct Suite<'a> {
    record: &'a Record,
    folder: &'a str,
    name: &'a str,
}

impl Suite<'_> {
    fn write(&self) -> TestSuite {
        let mut suite = TestSuite::new(self.name);
        let scenario = &self.record.scenario;
        suite.set_time(Duration::from_secs_f64(self.record.run.seconds.max(0.0)));
        suite.extra.insert("timestamp".into(), self.timestamp().into());
        for (name, value) in [
            ("seed", self.record.run.seed.to_string()),
            ("squall", self.record.run.squall.clone()),
            ("run", self.record.run.id.clone()),
        ] {
            suite.add_property((name, visible(&value).as_str()));
        }
        let mut taken = HashSet::new();
        let mut add = |name: &str, line: usize, seconds: f64, status: TestCaseStatus| {
            let is_bad = matches!(status, TestCaseStatus::NonSuccess { .. });
            let mut case = TestCase::new(unique(&mut taken, &visible(name), " "), status);
            case.set_classname(format!("squall.{}", self.name)).set_time(Duration::from_secs_f64(seconds));
            case.extra.insert("timestamp".into(), self.timestamp().into());
            case.extra.insert("file".into(), visible(&scenario.file).into());
            case.extra.insert("line".into(), line.max(1).to_string().into());
            if is_bad {
                case.set_system_out(format!("[[ATTACHMENT|{}]]", visible(&format!("{}/summary.png", self.folder))));
            }
            suite.add_test_case(case);
        };
        add(SOUND, scenario.line, self.record.run.seconds.max(0.0), self.soundness());
        for expectation in &self.record.expectations {
            add(&expectation.id, expectation.line, 0.0, self.status(expectation));
        }
        if self.record.expectations.is_empty() {
            // A run that was cut is not judged; what was asked is named all the same.
            for asked in main_arms(self.record).next().into_iter().flat_map(|arm| &arm.expectations) {
                let mut skipped = TestCaseStatus::skipped();
                skipped.set_message(format!("not judged: {}", visible(&crate::digest::headline(self.record))));
                add(&asked.id, asked.line, 0.0, skipped);
            }
        }
        suite
    }

    /// Start of the scenario, to the millisecond, with its zone.
    fn timestamp(&self) -> String {
        let started = &self.record.run.started;
        let parsed = started.parse::<jiff::Timestamp>();
        parsed.map_or_else(|_| visible(started), |at| format!("{at:.3}"))
    }

    /// Everything that takes the proof out of the run; expectations that were missed have cases of their own.
    fn soundness(&self) -> TestCaseStatus {
        let record = self.record;
        let unsound = record.reasons.iter().filter(|one| one.verdict != Verdict::Pass && one.code != "missed");
        let texts: Vec<String> = unsound.clone().map(|reason| visible(&reason.text)).collect();
        let worst = unsound.map(|reason| reason.verdict).max();
        let dirty: Vec<String> = record.dirty.iter().map(|what| format!("DIRTY: {}", visible(what))).collect();
        let reruns = superseded(record).map(|arm| {
            let reason = arm.reasons.first().map_or(String::new(), |reason| visible(&reason.text));
            rerun(arm, arm.verdict, &reason)
        });
        // A verdict that nothing explains is told all the same, unless an expectation does.
        let unexplained = record.expectations.iter().all(|one| one.verdict == Verdict::Pass).then_some(record.verdict);
        match worst.or(unexplained.filter(|verdict| *verdict != Verdict::Pass)) {
            Some(verdict) => {
                let first = texts.first().cloned().unwrap_or_else(|| verdict.to_string());
                let mut body = vec![first.clone()];
                body.extend(texts.into_iter().skip(1));
                body.extend(dirty);
                body.extend(self.lines());
                non_success(verdict, &first, &body.join("\n"), reruns.collect())
            }
            None if !dirty.is_empty() => non_success(
                Verdict::Error,
                &dirty[0],
                &[dirty.join("\n"), self.lines().join("\n")].join("\n"),
                Vec::new(),
            ),
            None => success(reruns.collect()),
        }
    }

    fn status(&self, expectation: &Expectation) -> TestCaseStatus {
        let tries = superseded(self.record).filter(|arm| arm.kind == ArmKind::Main).filter_map(|arm| {
            let judged = arm.expectations.iter().find(|one| one.id == expectation.id)?;
            (judged.verdict != Verdict::Pass).then(|| rerun(arm, judged.verdict, &message(judged)))
        });
        match (expectation.verdict, self.record.verdict) {
            (Verdict::Pass, _) => success(tries.collect()),
            // What was missed in a run that proves nothing is not the product's failure.
            (Verdict::Fail, run @ (Verdict::Invalid | Verdict::Error | Verdict::Aborted)) => {
                non_success(run, &message(expectation), &self.body(expectation), tries.collect())
            }
            (verdict, _) => non_success(verdict, &message(expectation), &self.body(expectation), tries.collect()),
        }
    }

    fn body(&self, expectation: &Expectation) -> String {
        let mut measured = visible(&expectation.observed.text);
        if let Some(interval) = expectation.observed.interval {
            measured.push_str(&interval_text(expectation, interval.low, interval.high));
        }
        if let Some(resolution) = expectation.observed.resolution {
            measured.extend([", to within ", &words::seconds(resolution)]);
        }
        let scenario = &self.record.scenario;
        let mut lines = vec![
            message(expectation),
            format!("asked: {} (written: {})", visible(&expectation.limit_text), visible(&expectation.written)),
            format!("measured: {measured}"),
            format!("samples: {}", words::count(expectation.samples)),
            format!("where: {}:{}:{}", visible(&scenario.file), expectation.line, expectation.column),
        ];
        lines.extend(expectation.close.then(|| "close: the interval holds the limit".to_owned()));
        lines.extend(self.lines());
        lines.join("\n")
    }

    /// Where to look on.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("report: {}", visible(&format!("{}/report.html", self.folder)))];
        lines.extend(plot_of(self.record).map(|plot| format!("plot: {}", visible(&format!("{}/{plot}", self.folder)))));
        lines.push(format!("seed: {}", self.record.run.seed));
        lines
    }
}

/// `, 95 % interval 95.19 to 96.23 %`: in the unit of the number as it reads.
fn interval_text(expectation: &Expectation, low: f64, high: f64) -> String {
    let text = &expectation.observed.text;
    let shown: fn(f64) -> String = if text.ends_with('%') {
        words::percent
    } else if text.ends_with(" s") || text.ends_with("ms") || text.ends_with("us") {
        words::seconds
    } else {
        words::number
    };
    format!(", 95 % interval {} to {}", shown(low), shown(high))
}

fn message(expectation: &Expectation) -> String {
    visible(&format!("{}: {}: {}", expectation.verdict, expectation.id, expectation.detail))
}

fn main_arms(record: &Record) -> impl Iterator<Item = &Arm> {
    record.arms.iter().filter(|arm| arm.kind == ArmKind::Main)
}

fn superseded(record: &Record) -> impl Iterator<Item = &Arm> {
    record.arms.iter().filter(|arm| arm.superseded)
}

/// An earlier try, that a later one took the place of.
fn rerun(arm: &Arm, verdict: Verdict, message: &str) -> TestRerun {
    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
    let what = if arm.kind == ArmKind::Control { "the control" } else { "the scenario" };
    let message = format!("try {} of {what}: {message}", arm.try_number);
    rerun.set_type(verdict.to_string()).set_message(&message).set_description(&message);
    rerun
}

fn success(tries: Vec<TestRerun>) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    if let TestCaseStatus::Success { flaky_runs } = &mut status {
        *flaky_runs = tries;
    }
    status
}

fn non_success(verdict: Verdict, message: &str, body: &str, tries: Vec<TestRerun>) -> TestCaseStatus {
    let kind = if verdict == Verdict::Fail { NonSuccessKind::Failure } else { NonSuccessKind::Error };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.to_string()).set_message(message).set_description(visible_lines(body));
    if let TestCaseStatus::NonSuccess { reruns, .. } = &mut status {
        reruns.runs = tries;
    }
    status
}
