//! An expectation that did not hold, in words: the count first, then the share, then the limit.

use crate::plot::number;
use crate::record::{Expectation, Reason, Record};

/// The sentence for a reason that names a missed expectation; None where the record's own words are the best there are.
pub(super) fn sentence(record: &Record, reason: &Reason) -> Option<String> {
    let rest = super::story::plain(reason);
    let missed = record
        .expectations
        .iter()
        .find(|one| rest.strip_prefix(one.id.as_str()).is_some_and(|rest| rest.starts_with(": ")))?;
    words(missed)
}

fn words(missed: &Expectation) -> Option<String> {
    let limit = missed.limit?;
    let (place, metric) = missed.id.split_once('.')?;
    let metric = metric.split('[').next().unwrap_or(metric);
    let place = if place == "whole" { "the whole run" } else { place };
    let Some(value) = missed.observed.value else {
        let (kind, subject) = metric.split_once('(')?;
        let subject = subject.trim_end_matches(')');
        return Some(format!("{subject} was not {kind} {}: {}.", missed.limit_text, missed.observed.text));
    };
    let samples = number::count(missed.samples);
    match metric {
        "success" => {
            let bad = missed.samples - (value * missed.samples as f64).round() as u64;
            Some(format!(
                "{} of {samples} requests in {place} were not answered well, {} where {} is allowed.",
                number::count(bad),
                number::percent(1.0 - value),
                number::percent(1.0 - limit).replace(".00", "")
            ))
        }
        "lost" if missed.limit_text.contains('%') => None,
        "lost" => Some(format!(
            "{} of {samples} requests in {place} were lost where {} {} allowed.",
            number::count(value.round() as u64),
            number::count(limit.round() as u64),
            if (limit - 1.0).abs() < 0.5 { "is" } else { "are" }
        )),
        "p50" | "p90" | "p95" | "p99" | "p99.9" | "max" => Some(format!(
            "{metric} of {samples} requests in {place} was {} where {} is allowed.",
            missed.observed.text,
            number::limit((limit * 1e6).round() as u64)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::fixture::{expectation, record};
    use crate::record::Verdict;

    fn told(id: &str, value: f64, limit: f64) -> Option<String> {
        let mut record = record();
        record.expectations = vec![expectation(id, Verdict::Fail, value, limit)];
        record.expectations[0].samples = 6_000;
        record.expectations[0].limit_text = "limit".to_owned();
        let text = format!("FAIL: {id}: asked, observed");
        let reason = Reason { verdict: Verdict::Fail, code: "missed".to_owned(), text };
        sentence(&record, &reason).map(|text| text.replace(number::NARROW, " "))
    }

    #[test]
    fn the_count_comes_first_then_the_share_then_the_limit() {
        let success = "256 of 6,000 requests in failing were not answered well, 4.27 % where 0.10 % is allowed.";
        assert_eq!(told("failing.success", 5_744.0 / 6_000.0, 0.999).as_deref(), Some(success));
        let lost = "171 of 6,000 requests in stuck were lost where 90 are allowed.";
        assert_eq!(told("stuck.lost", 171.0, 90.0).as_deref(), Some(lost));
        assert!(told("failing.p99[steady]", 0.5, 0.3).unwrap().ends_with("where 300 ms is allowed."));
        assert_eq!(told("whole.false-ejections", 1.0, 0.0), None, "the record's own words are as good");
    }
}
