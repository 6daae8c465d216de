//! A small run, made up, of which every figure is known: 20 requests/s for 6 s over two instances, one of which fails from 2 to 4 s.

use crate::record::{
    Arm, ArmKind, Event, EventKind, Expectation, FaultSpan, Figure, Flow, GeneratorHealth, HealthSecond, Instance,
    Interval, Latency, LatencyKind, Mark, Observed, Offer, Offers, Outcome, Outcomes, Phase, PhaseTotals, Population,
    Reason, Record, SECOND, Said, SaidKind, SecondLatency, Single, Verdict, Witness,
};
use crate::stats::Histogram;
use std::collections::BTreeMap;

/// Slots of the run.
const SLOTS: usize = 60;

fn histogram(values: impl Iterator<Item = u64>) -> Histogram {
    let mut histogram = Histogram::default();
    values.for_each(|value| histogram.record(value));
    histogram
}

fn latency(phase: usize, values: impl Iterator<Item = u64>) -> Latency {
    let histogram = histogram(values);
    Latency::of((None, Some(phase)), (LatencyKind::Response, Population::All), &histogram)
}

fn second(at: i64) -> SecondLatency {
    let histogram =
        histogram((0..120).map(|n| 4_000 + n * 50 + if (2..4).contains(&at) && n > 110 { 900_000 } else { 0 }));
    SecondLatency {
        flow: 0,
        at: at * SECOND,
        count: 120,
        p50: histogram.quantile(0.5),
        p90: histogram.quantile(0.9),
        p99: Some(histogram.quantile(0.99)),
        max: histogram.max(),
        histogram: histogram.encode(),
    }
}

fn figure(kind: &str, from: i64, at: i64) -> Figure {
    Figure {
        kind: kind.to_owned(),
        subject: "cart/1".to_owned(),
        from: Some(from),
        at: Some(at),
        seconds: Some((at - from) as f64 / 1e6),
        resolution: 0.001,
        note: None,
    }
}

/// An expectation of the failing phase.
pub(crate) fn expectation(id: &str, verdict: Verdict, value: f64, limit: f64) -> Expectation {
    Expectation {
        id: id.to_owned(),
        phase: Some("failing".to_owned()),
        written: format!("{id}: x"),
        line: 4,
        column: 3,
        verdict,
        observed: Observed {
            value: Some(value),
            text: format!("{:.2} %", value * 100.0),
            interval: Some(Interval { low: value - 0.004, high: (value + 0.004).min(1.0) }),
            resolution: None,
        },
        limit: Some(limit),
        limit_text: format!(">= {:.1} %", limit * 100.0),
        samples: 40,
        close: false,
        detail: "asked, observed".to_owned(),
    }
}

/// The arm; `lost` requests a slot are lost in the first half second of the fault.
pub(crate) fn arm(kind: ArmKind, lost: u32) -> Arm {
    let phase = |name: &str, from: i64, to: i64| Phase {
        name: name.to_owned(),
        from: from * SECOND,
        to: to * SECOND,
        judged: true,
        moved_in: 0,
    };
    let instance = |name: &str, faulty| Instance {
        name: name.to_owned(),
        service: "cart".to_owned(),
        version: None,
        address: "127.0.0.1:1".to_owned(),
        faulty,
    };
    let out = 24..44;
    let losing = |slot: usize| if (20..25).contains(&slot) { lost } else { 0 };
    let offers = |instance: usize| Offers {
        instance,
        offered: (0..SLOTS)
            .map(|slot| match (instance, out.contains(&slot)) {
                (_, false) => 1,
                (0, true) => 0,
                (_, true) => 2,
            })
            .collect(),
        retries: vec![0; SLOTS],
        withheld: BTreeMap::from([(
            "abort".to_owned(),
            (0..SLOTS).map(|slot| u32::from(instance == 0 && (20..24).contains(&slot))).collect(),
        )]),
        cut: vec![0; SLOTS],
        received: vec![1; SLOTS],
        inferred: vec![0; SLOTS],
    };
    let single = |id: u64, due: i64, outcome: Outcome| Single {
        id,
        flow: 0,
        due,
        sent: Some(due + 100),
        done: due + if outcome.is_lost() { 120_000 } else { 5_000 },
        instance: (!outcome.is_lost()).then_some((id % 2) as usize),
        outcome,
    };
    let mut arm = Arm {
        started: Some("2026-05-04T10:00:00Z".to_owned()),
        verdict: if lost > 0 { Verdict::Fail } else { Verdict::Pass },
        phases: vec![phase("baseline", 0, 2), phase("failing", 2, 4), phase("recovery", 4, 6)],
        flows: vec![Flow {
            name: "load".to_owned(),
            to: "cart".to_owned(),
            journey: false,
            rate: 20.0,
            connections: "64".to_owned(),
            time_out: SECOND,
        }],
        instances: vec![instance("cart/1", true), instance("cart/2", false)],
        faults: vec![FaultSpan {
            kind: "abort".to_owned(),
            what: "abort 503 on cart/1".to_owned(),
            instance: 0,
            phase: 1,
            asked: 2 * SECOND,
            effect: Some(2 * SECOND + 3_000),
            cleared: Some(4 * SECOND),
            harmed: 4,
            victims: vec![1, 2, 3, 4],
        }],
        events: vec![Event {
            at: 2 * SECOND + 3_000,
            kind: EventKind::FaultEffect,
            subject: "cart/1".to_owned(),
            witness: Witness::Relay,
            text: "abort takes effect".to_owned(),
        }],
        marks: vec![
            Mark { at: 2 * SECOND + 3_000, label: "abort on".to_owned(), subject: "cart/1".to_owned() },
            Mark { at: 2 * SECOND + 400_000, label: "out".to_owned(), subject: "cart/1".to_owned() },
            Mark { at: 4 * SECOND, label: "abort off".to_owned(), subject: "cart/1".to_owned() },
            Mark { at: 4 * SECOND + 400_000, label: "back".to_owned(), subject: "cart/1".to_owned() },
        ],
        outcomes: vec![Outcomes {
            flow: 0,
            planned: vec![2; SLOTS],
            sent: vec![2; SLOTS],
            by_outcome: BTreeMap::from([
                (Outcome::Acceptable, (0..SLOTS).map(|slot| 2 - losing(slot)).collect()),
                (Outcome::Status(503), (0..SLOTS).map(losing).collect()),
            ]),
        }],
        offers: vec![offers(0), offers(1)],
        seconds: (0..6).map(second).collect(),
        latencies: vec![
            latency(0, (0..240).map(|n| 4_000 + n * 30)),
            latency(1, (0..240).map(|n| if n > 220 { SECOND as u64 } else { 4_000 + n * 40 })),
            latency(2, (0..40).map(|n| 4_000 + n * 30)),
        ],
        said: vec![
            Said {
                at: 2 * SECOND + 410_000,
                instance: 0,
                what: SaidKind::Ejected,
                reason: "consecutive-5xx".to_owned(),
            },
            Said { at: 4 * SECOND + 390_000, instance: 0, what: SaidKind::Readmitted, reason: "time".to_owned() },
        ],
        generator: GeneratorHealth {
            planned: 120,
            offered: 120,
            lag_p99: 120,
            lag_max: 2_500,
            cpu_share: 0.02,
            seconds: (0..6)
                .map(|at| HealthSecond {
                    at: at * SECOND,
                    lag_p99: 90 + at as u64 * 10,
                    lag_max: 2_500,
                    cpu_share: 0.02,
                })
                .collect(),
            ..GeneratorHealth::default()
        },
        expectations: vec![expectation(
            "failing.success",
            if lost > 0 { Verdict::Fail } else { Verdict::Pass },
            if lost > 0 { 0.95 } else { 1.0 },
            0.999,
        )],
        ..Arm::empty(kind)
    };
    arm.singles.requests = (0..30)
        .map(|id| {
            single(
                id,
                1_800_000 + id as i64 * 25_000,
                if lost > 0 && (8..14).contains(&id) { Outcome::Status(503) } else { Outcome::Acceptable },
            )
        })
        .collect();
    arm.singles.offers = (0..30)
        .map(|id| Offer {
            at: 1_800_500 + id as i64 * 25_000,
            instance: (id % 2) as usize,
            id: Some(id),
            attempt: 1,
            withheld: (8..14).contains(&id).then(|| "abort".to_owned()),
        })
        .collect();
    arm.figures.healing = vec![
        figure("ejected", 2 * SECOND + 3_000, 2 * SECOND + 400_000),
        figure("readmitted", 4 * SECOND, 4 * SECOND + 400_000),
    ];
    arm.truth.offered = 120;
    arm.truth.withheld = 4;
    arm.truth.received = 116;
    arm.totals = vec![PhaseTotals {
        phase: "failing".to_owned(),
        planned: 40,
        lost: u64::from(lost) * 5,
        rate: 20.0,
        ..PhaseTotals::default()
    }];
    arm
}

/// The record: the run, and its control in which more was lost.
pub(crate) fn record() -> Record {
    let mut record: Record = serde_json::from_str(RECORD).unwrap();
    let main = arm(ArmKind::Main, 1);
    record.expectations.clone_from(&main.expectations);
    let mut control = arm(ArmKind::Control, 2);
    control.without = vec!["retries".to_owned()];
    control.reasons =
        vec![Reason { verdict: Verdict::Fail, code: "missed".to_owned(), text: "FAIL: failing.success".to_owned() }];
    record.arms = vec![main, control];
    record
}

const RECORD: &str = r#"{"format": "squall/record", "version": "1.0", "complete": true, "verdict": "FAIL", "control": "FAIL", "dirty": [], "expectations": [], "arms": [],
    "reasons": [{"verdict": "FAIL", "code": "missed", "text": "FAIL: 5 of 40 requests in failing were lost, 12.5 % where 0.1 % is allowed."}],
    "scenario": {"title": "one of two fails", "slug": "one-of-two-fails", "file": "a.yaml", "line": 1, "about": "Two instances.", "tags": [], "source": "scenario: one of two fails\ntimeline:\n  - {phase: failing, faults: [{abort: {target: cart/1}}]}\n  failing: {success: \">= 99.9%\"}\n",
      "set": [], "policies": [{"path": "p.yaml", "text": "spec:\n  outlierDetection:\n    interval: 1s\n"}], "unsupported": []},
    "run": {"id": "20260504T100000Z-7", "started": "2026-05-04T10:00:00Z", "seconds": 14.5, "seed": 7, "command": ["squall", "run", "a.yaml"], "squall": "squall 0.1.0", "platform": "local", "quick": false, "repetition": [1, 1],
      "machine": {"cores": 2, "cpu": "any", "kernel": "6.1", "memory": 8589934592, "ci": null}}}"#;
