//! What was asked, and what was observed.

use crate::html::story;
use crate::plot::{distance, number};
use crate::record::{Arm, Expectation, Interval, Record, Verdict};

/// One expectation.
pub(in crate::html) struct Asked<'a> {
    pub(in crate::html) one: &'a Expectation,
    pub(in crate::html) name: String,
    pub(in crate::html) place: &'a str,
    pub(in crate::html) limit: String,
    pub(in crate::html) observed: &'a str,
    /// What stands in brackets behind the number.
    pub(in crate::html) remark: Option<&'a str>,
    pub(in crate::html) interval: String,
    pub(in crate::html) bar: Option<String>,
}

/// The rows of the expectations.
pub(in crate::html) fn asked(expectations: &[Expectation]) -> Vec<Asked<'_>> {
    expectations
        .iter()
        .enumerate()
        .map(|(number, one)| Asked {
            one,
            name: name(one),
            place: place(one),
            limit: limit(&one.limit_text),
            observed: one.observed.text.split_once(" (").map_or(one.observed.text.as_str(), |(number, _)| number),
            remark: one.observed.text.split_once(" (").map(|(_, remark)| remark.trim_end_matches(')')),
            interval: interval(one),
            bar: distance(&number.to_string(), one),
        })
        .collect()
}

/// What it is about.
pub(in crate::html) fn place(one: &Expectation) -> &str {
    let whole = if one.id.starts_with("sweep.") { "worst cell" } else { "whole run" };
    one.phase.as_deref().unwrap_or(whole)
}

/// The limit with the signs of a book.
pub(in crate::html) fn limit(text: &str) -> String {
    let text = story::signs(text);
    text.strip_prefix("== ").map(str::to_owned).unwrap_or(text)
}

/// The id without the phase, which has a column of its own.
pub(in crate::html) fn name(one: &Expectation) -> String {
    let rest = one.id.split_once('.').map_or(one.id.as_str(), |(_, rest)| rest);
    match rest.split_once('(') {
        Some((kind, subject)) => format!("{} {kind}", subject.trim_end_matches(')')),
        None => rest.to_owned(),
    }
}

/// What bounds the observation: an interval, the resolution of a clock, or that it was counted.
pub(in crate::html) fn interval(one: &Expectation) -> String {
    let observed = &one.observed;
    if observed.value.is_none() {
        return "no data".to_owned();
    }
    if let Some(resolution) = observed.resolution {
        return format!("± {}", number::duration(resolution));
    }
    match observed.interval {
        Some(Interval { low, high }) if observed.text.ends_with('%') => number::percent_interval(low, high),
        Some(Interval { low, high }) if observed.text.ends_with('s') && !observed.text.ends_with("/s") => {
            format!("{} to {}", number::duration(low), number::duration(high))
        }
        Some(Interval { low, high }) => {
            format!("{} to {}", number::three(low), number::three(high))
        }
        None if observed.text.chars().all(|letter| letter.is_ascii_digit() || ".,".contains(letter)) => {
            "counted".to_owned()
        }
        None => "no interval".to_owned(),
    }
}

/// The control as the last row of the expectations.
pub(in crate::html) struct ControlRow {
    pub(in crate::html) place: String,
    pub(in crate::html) observed: String,
    pub(in crate::html) interval: String,
    pub(in crate::html) samples: String,
    pub(in crate::html) bar: Option<String>,
    pub(in crate::html) sign: Verdict,
    pub(in crate::html) word: String,
}

/// None for sweeps, which have no control.
pub(in crate::html) fn control(record: &Record, control: Option<&Arm>) -> Option<ControlRow> {
    let has_main = record.arms.is_empty() || story::main_arm(record).is_some();
    if !has_main {
        return None;
    }
    let missed = control.and_then(|arm| arm.expectations.iter().find(|one| one.verdict == Verdict::Fail));
    let none = || "no data".to_owned();
    Some(ControlRow {
        place: missed.map_or_else(|| "whole run".to_owned(), |one| one.phase.clone().unwrap_or_else(|| name(one))),
        observed: missed.map_or_else(
            || if control.is_some() { none() } else { "not run".to_owned() },
            |one| format!("{} {}", name(one), one.observed.text),
        ),
        interval: missed.map_or_else(none, interval),
        samples: missed.map_or_else(none, |one| number::count(one.samples)),
        bar: missed.and_then(|one| distance("control", one)),
        sign: if record.control == Some(Verdict::Fail) { Verdict::Pass } else { Verdict::Invalid },
        word: match record.control {
            Some(Verdict::Fail) => "FAILS, as it must".to_owned(),
            Some(verdict) => verdict.to_string(),
            None if control.is_some() => "not judged".to_owned(),
            None if record.run.quick => "not run (quick)".to_owned(),
            None => "not run".to_owned(),
        },
    })
}
