//! The records of the gallery add up as those of a real run do; otherwise the pages drawn from them would show nothing.

use squall_reports::record::{self, Arm, LatencyKind, Outcomes, Population, Record, Verdict};
use squall_reports::stats::Histogram;
use squall_tests::gallery;

/// All but the hour, which is like the others, and long.
fn records() -> impl Iterator<Item = Record> {
    gallery::records().take(gallery::COUNT - 1)
}

fn all_arms(check: impl Fn(&str, &Arm)) {
    for record in records() {
        record.arms.iter().for_each(|arm| check(&record.scenario.slug, arm));
    }
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}

#[test]
fn every_record_can_be_read_and_is_made_the_same_again() {
    for (one, again) in records().zip(records()) {
        assert!(one == again, "{}", one.scenario.slug);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(record::read(&text).unwrap().arms.len(), one.arms.len(), "{}", one.scenario.slug);
    }
}

#[test]
fn outcomes_sum_to_what_was_planned_in_totals_and_in_slots() {
    all_arms(|slug, arm| {
        for totals in &arm.totals {
            assert_eq!(totals.outcomes.values().sum::<u64>(), totals.planned, "{slug} {}", totals.phase);
            let lost: u64 = totals.outcomes.iter().filter(|(one, _)| one.is_lost()).map(|(_, count)| count).sum();
            assert_eq!(lost, totals.lost, "{slug} {}", totals.phase);
            assert_eq!(totals.arrivals.values().sum::<u64>(), totals.attempts, "{slug} {}", totals.phase);
        }
        for outcomes in &arm.outcomes {
            let ended: u64 = outcomes.by_outcome.values().map(|counts| sum(counts)).sum();
            assert_eq!(ended, sum(&outcomes.planned), "{slug}");
        }
        let slots = |pick: fn(&Outcomes) -> u64| arm.outcomes.iter().map(pick).sum::<u64>();
        let totals = arm.totals.iter().filter(|totals| totals.flow.is_none() && totals.phase != "whole");
        let (planned, lost) = totals.fold((0, 0), |(planned, lost), one| (planned + one.planned, lost + one.lost));
        if !arm.totals.is_empty() {
            assert_eq!(slots(|outcomes| sum(&outcomes.planned)), planned, "{slug}");
            assert_eq!(slots(|outcomes| sum(&outcomes.lost())), lost, "{slug}");
        }
    });
}

#[test]
fn what_was_offered_was_withheld_or_received() {
    all_arms(|slug, arm| {
        for offers in &arm.offers {
            let withheld: u64 = offers.withheld.values().map(|counts| sum(counts)).sum();
            assert_eq!(sum(&offers.offered), withheld + sum(&offers.received), "{slug}");
        }
    });
}

#[test]
fn histograms_hold_as_many_samples_as_the_totals_say() {
    all_arms(|slug, arm| {
        for latency in &arm.latencies {
            let histogram = Histogram::decode(&latency.histogram).unwrap();
            assert_eq!(histogram.count(), latency.count, "{slug}");
            assert_eq!(histogram.told(), latency.quantiles, "{slug}");
        }
        for (index, phase) in arm.phases.iter().enumerate() {
            let of = |population| {
                let found = arm.latencies.iter().find(|one| {
                    (one.flow, one.phase, one.kind, one.population)
                        == (None, Some(index), LatencyKind::Response, population)
                });
                found.map_or(0, |one| one.count)
            };
            if let Some(totals) = arm.totals_of(&phase.name, None) {
                assert_eq!(of(Population::All), totals.planned, "{slug}");
                assert_eq!(of(Population::Lost), totals.lost, "{slug}");
            }
        }
    });
}

#[test]
fn the_verdict_is_the_worst_that_is_said() {
    for record in records().filter(|record| record.complete) {
        let worst = record.expectations.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Pass);
        assert!(record.verdict >= worst || record.verdict == Verdict::Invalid, "{}", record.scenario.slug);
        assert_eq!(record.reasons[0].verdict, record.verdict, "{}", record.scenario.slug);
        for one in &record.expectations {
            let line = record.scenario.source.lines().nth(one.line - 1).unwrap();
            assert!(line.contains(&one.written), "{}: {line}", record.scenario.slug);
        }
    }
}

#[test]
fn every_verdict_is_in_the_gallery() {
    let mut seen: Vec<Verdict> = records().map(|record| record.verdict).collect();
    seen.sort_unstable();
    seen.dedup();
    let all = "PASS INCONCLUSIVE INVALID FAIL ERROR ABORTED";
    assert_eq!(seen.iter().map(Verdict::to_string).collect::<Vec<_>>().join(" "), all);
}
