use super::*;
use crate::scenario::resolved::{Chosen, MeshMode, Place};
use crate::units::Percent;
use squall_reports::record::{LatencyKind, Population};
use squall_reports::stats::Histogram;

fn expectation(limit: Limit, confidence: Option<f64>) -> Expectation {
    Expectation {
        id: "fault.success".to_owned(),
        place: Place::default(),
        written: "success >= 99%".to_owned(),
        subject: Subject::Whole { flow: None, metric: Metric::Success },
        limit,
        confidence: confidence.map(Percent),
    }
}

/// The verdict on so many acceptable of so many planned.
fn success(limit: f64, confidence: Option<f64>, good: u64, planned: u64) -> Verdict {
    let totals = PhaseTotals { planned, lost: planned - good, ..PhaseTotals::default() };
    let measured = Measured {
        value: good as f64 / planned as f64,
        text: String::new(),
        interval: None,
        samples: planned,
        basis: String::new(),
    };
    decide(&expectation(Limit::AtLeast(limit), confidence), &Metric::Success, &totals, &measured).0
}

#[test]
fn success_is_judged_by_count_of_what_was_planned() {
    for (limit, good, planned, verdict) in [
        (0.99, 1000, 1000, Verdict::Pass),
        (0.99, 990, 1000, Verdict::Pass),
        (0.99, 989, 1000, Verdict::Fail),
        (0.999, 3996, 4000, Verdict::Pass),
        (0.999, 3995, 4000, Verdict::Fail),
        // A budget below one request says nothing unless one is lost.
        (0.999, 900, 900, Verdict::Inconclusive),
        (0.999, 899, 900, Verdict::Fail),
        // All of them is a limit of its own.
        (1.0, 900, 900, Verdict::Pass),
        (1.0, 899, 900, Verdict::Fail),
    ] {
        assert_eq!(success(limit, None, good, planned), verdict, "{good} of {planned} at {limit}");
    }
}

#[test]
fn one_percent_of_errors_of_1000_against_99_percent_at_95_percent_confidence_is_inconclusive() {
    assert_eq!(success(0.99, Some(95.0), 990, 1000), Verdict::Inconclusive);
    assert_eq!(success(0.99, Some(95.0), 1000, 1000), Verdict::Pass);
    assert_eq!(success(0.99, Some(95.0), 900, 1000), Verdict::Fail);
}

#[test]
fn limits_include_their_own_value() {
    let totals = PhaseTotals { planned: 100, ..PhaseTotals::default() };
    let at = |limit, value| {
        let measured = Measured { value, text: String::new(), interval: None, samples: 100, basis: String::new() };
        decide(&expectation(limit, None), &Metric::Lost, &totals, &measured).0
    };
    assert_eq!(at(Limit::AtMost(5.0), 5.0), Verdict::Pass);
    assert_eq!(at(Limit::AtMost(5.0), 6.0), Verdict::Fail);
    assert_eq!(at(Limit::AtLeast(5.0), 5.0), Verdict::Pass);
    assert_eq!(at(Limit::AtLeast(5.0), 4.0), Verdict::Fail);
    assert_eq!(at(Limit::Exactly(0.0), 0.0), Verdict::Pass);
    assert_eq!(at(Limit::Exactly(0.0), 1.0), Verdict::Fail);
}

#[test]
fn without_a_phase_there_is_no_verdict_but_invalid() {
    let missing = missing(&expectation(Limit::AtLeast(0.99), None), None, "the arm did not get so far");
    assert_eq!(missing.verdict, Verdict::Invalid);
    assert_eq!(missing.observed.value, None);
}

#[test]
fn what_does_not_decide_says_how_many_would_in_phases_and_in_cells() {
    let totals = |phase: &str| PhaseTotals {
        phase: phase.to_owned(),
        planned: 900,
        outcomes: [(record::Outcome::Acceptable, 900)].into(),
        ..PhaseTotals::default()
    };
    let told = "none of 900 was lost, which cannot show 99.9 %: 1,000 requests are needed to tell";
    let asked = expectation(Limit::AtLeast(0.999), None);
    let main = Arm { totals: vec![totals("whole")], ..Arm::empty(ArmKind::Main) };
    let judged = metric_of(&asked, &main, "whole", None, &Metric::Success);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.detail.ends_with(told), "{}", judged.detail);
    let cell = record::Cell::new("client", 100.0, 4);
    let cell = Arm { cell: Some(cell), totals: vec![totals("measure")], ..Arm::empty(ArmKind::Cell) };
    let subject = Subject::Sweep { cells: Chosen::default(), metric: Metric::Success, over: None };
    let judged = judge_cells(&Expectation { subject, ..asked }, &[&cell]);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.detail.ends_with(told), "{}", judged.detail);
}

#[test]
fn of_a_cell_in_several_blocks_the_middle_one_speaks_and_losses_are_not_outvoted() {
    let cell = |block, rate: f64, lost| {
        let totals = PhaseTotals {
            phase: "measure".to_owned(),
            planned: 2_000,
            lost,
            outcomes: [(record::Outcome::Acceptable, 2_000 - lost), (record::Outcome::Cut, lost)].into(),
            rate,
            ..PhaseTotals::default()
        };
        let cell = record::Cell { block, ..record::Cell::new("client", 100.0, 4) };
        Arm { cell: Some(cell), totals: vec![totals], ..Arm::empty(ArmKind::Cell) }
    };
    let blocks = [cell(1, 80.0, 0), cell(2, 99.0, 3), cell(3, 100.0, 0)];
    let blocks: Vec<&Arm> = blocks.iter().collect();
    let judged = |metric, limit| {
        let subject = Subject::Sweep { cells: Chosen::default(), metric, over: None };
        judge_cells(&Expectation { subject, ..expectation(limit, None) }, &blocks)
    };
    let rate = judged(Metric::Rate, Limit::AtLeast(95.0));
    assert_eq!((rate.verdict, rate.observed.value), (Verdict::Pass, Some(99.0)), "{rate:?}");
    let lost = judged(Metric::Lost, Limit::Exactly(0.0));
    assert_eq!((lost.verdict, lost.observed.value), (Verdict::Fail, Some(3.0)), "{lost:?}");
}

#[test]
fn what_a_proxy_adds_proves_nothing_where_the_generators_lag_could_be_it() {
    let cell = |mode: &str, p50: u64, lag: u64| {
        let latency = |kind, micros: u64| {
            let mut values = Histogram::default();
            (0..2_000).for_each(|_| values.record(micros));
            record::Latency::of((None, Some(0)), (kind, Population::All), &values)
        };
        Arm {
            cell: Some(record::Cell::new(mode, 100.0, 4)),
            phases: vec![record::Phase { name: "measure".to_owned(), from: 0, to: 1, judged: true, moved_in: 0 }],
            totals: vec![PhaseTotals { phase: "measure".to_owned(), planned: 2_000, ..PhaseTotals::default() }],
            latencies: vec![latency(LatencyKind::Response, p50), latency(LatencyKind::PacerLag, lag)],
            ..Arm::empty(ArmKind::Cell)
        }
    };
    for (client, direct, verdict) in [
        ((7_500, 100), (6_000, 100), Verdict::Pass),
        ((8_500, 100), (6_000, 100), Verdict::Fail),
        // Missed by less than its own lag, or kept by less than the lag of what it is compared with.
        ((8_500, 900), (6_000, 100), Verdict::Invalid),
        ((7_500, 100), (6_000, 900), Verdict::Invalid),
    ] {
        let cells = [cell("client", client.0, client.1), cell("none", direct.0, direct.1)];
        let chosen = Chosen { mode: Some(MeshMode::Client), ..Chosen::default() };
        let metric = Metric::Response { quantile: 0.5, name: "p50".to_owned() };
        let subject = Subject::Sweep { cells: chosen, metric, over: Some(MeshMode::None) };
        let asked = Expectation { subject, ..expectation(Limit::AtMostMore(0.002), None) };
        let judged = judge_cells(&asked, &cells.iter().collect::<Vec<_>>());
        assert_eq!(judged.verdict, verdict, "{client:?} beside {direct:?}: {judged:?}");
    }
}
