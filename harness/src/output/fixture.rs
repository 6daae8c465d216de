//! A small record for tests: 15 s at 300 requests a second, one of three instances hangs and is ejected, comes back in between, and is
//! readmitted.

use squall_reports::record::{
    Arm, ArmKind, Event, EventKind, Expectation, FaultSpan, Figure, Flow, HealthSecond, Instance, Interval, Machine,
    Observed, Offers, Outcome, Outcomes, Phase, Process, Reason, Record, Run, SECOND, SLOT, Said, SaidKind, Scenario,
    SecondLatency, Verdict, Witness,
};
use squall_reports::stats::Histogram;

const SLOTS: usize = 150;
const PLANNED: u32 = 30;

/// The whole record: the arm as written, and its control.
pub(in crate::output) fn record() -> Record {
    let mut control = arm(ArmKind::Control, Verdict::Fail);
    control.offers = (0..3).map(|instance| offers(instance, |_| Some(10))).collect();
    control.said = Vec::new();
    Record {
        format: "squall/record".to_owned(),
        version: "1.0".to_owned(),
        complete: true,
        verdict: Verdict::Fail,
        reasons: vec![Reason {
            verdict: Verdict::Fail,
            code: "missed".to_owned(),
            text: "FAIL: hanging.success: 60 of 1,800 requests were lost".to_owned(),
        }],
        control: Some(Verdict::Fail),
        dirty: Vec::new(),
        expectations: expectations(),
        scenario: Scenario {
            title: "one instance hangs and is ejected".to_owned(),
            slug: "one-instance-hangs".to_owned(),
            file: "scenarios/hang.yaml".to_owned(),
            line: 1,
            about: None,
            tags: Vec::new(),
            source: String::new(),
            set: Vec::new(),
            policies: Vec::new(),
            unsupported: Vec::new(),
        },
        run: Run {
            id: "20261121T061100Z-7".to_owned(),
            started: "2026-11-21T06:11:00Z".to_owned(),
            seconds: 31.0,
            seed: 7,
            command: Vec::new(),
            squall: "squall".to_owned(),
            platform: "local".to_owned(),
            quick: false,
            repetition: (1, 1),
            machine: Machine { cores: 2, cpu: String::new(), kernel: String::new(), memory: 0, ci: None },
        },
        arms: vec![arm(ArmKind::Main, Verdict::Fail), control],
        searches: Vec::new(),
    }
}

fn arm(kind: ArmKind, verdict: Verdict) -> Arm {
    let phase = |name: &str, from: i64, to: i64, judged| Phase {
        name: name.to_owned(),
        from: from * SECOND,
        to: to * SECOND,
        judged,
        moved_in: 0,
    };
    Arm {
        verdict,
        started: Some("2026-11-21T06:11:01Z".to_owned()),
        expectations: expectations(),
        phases: vec![
            phase("warm-up", 0, 1, false),
            phase("baseline", 1, 4, true),
            phase("hanging", 4, 10, true),
            phase("recovery", 10, 15, true),
        ],
        flows: vec![Flow {
            name: "load".to_owned(),
            to: "cart".to_owned(),
            journey: false,
            rate: 300.0,
            connections: "16".to_owned(),
            time_out: SECOND,
        }],
        instances: (1..=3).map(instance).collect(),
        faults: vec![FaultSpan {
            kind: "hang".to_owned(),
            what: "hang on cart/1".to_owned(),
            instance: 0,
            phase: 2,
            asked: 4_001_000,
            effect: Some(4_003_000),
            cleared: Some(10_000_500),
            harmed: 60,
            victims: Vec::new(),
        }],
        events: events(),
        outcomes: vec![outcomes()],
        offers: vec![
            offers(0, |slot| match slot {
                0..42 | 130.. => Some(10),
                70..72 => Some(15),
                _ => None,
            }),
            offers(1, |slot| Some(if (42..130).contains(&slot) { 15 } else { 10 })),
            offers(2, |slot| Some(if (42..130).contains(&slot) { 15 } else { 10 })),
        ],
        seconds: (0..15).map(second).collect(),
        said: vec![Said { at: 4_205_000, instance: 0, what: SaidKind::Ejected, reason: "consecutive-5xx".to_owned() }],
        generator: squall_reports::record::GeneratorHealth {
            planned: 4_500,
            offered: 4_500,
            lag_p99: 120,
            seconds: (0..15)
                .map(|at| HealthSecond { at: at * SECOND, lag_p99: 90 + at as u64, lag_max: 400, cpu_share: 0.02 })
                .collect(),
            ..Default::default()
        },
        processes: vec![Process {
            name: "proxy".to_owned(),
            from: 0,
            cpu: vec![40_000; 15],
            memory: vec![12 << 20; 15],
            ..Process::default()
        }],
        figures: squall_reports::record::Figures {
            healing: vec![Figure {
                kind: "ejected".to_owned(),
                subject: "cart/1".to_owned(),
                from: Some(4_003_000),
                at: Some(4_190_000),
                seconds: Some(0.187),
                resolution: 0.001,
                note: None,
            }],
            ..Default::default()
        },
        ..Arm::empty(kind)
    }
}

fn instance(number: usize) -> Instance {
    Instance {
        name: format!("cart/{number}"),
        service: "cart".to_owned(),
        version: None,
        address: String::new(),
        faulty: number == 1,
    }
}

/// 30 requests time out as the fault begins, and 30 more when the instance is let in again.
fn outcomes() -> Outcomes {
    let lost = |slot: usize| match slot {
        40 | 41 => 15,
        70 | 71 => 15,
        _ => 0,
    };
    let good = (0..SLOTS).map(|slot| PLANNED - lost(slot)).collect();
    Outcomes {
        flow: 0,
        planned: vec![PLANNED; SLOTS],
        sent: vec![PLANNED; SLOTS],
        by_outcome: [(Outcome::Acceptable, good), (Outcome::TimeOut, (0..SLOTS).map(lost).collect())].into(),
    }
}

fn offers(instance: usize, offered: impl Fn(usize) -> Option<u32>) -> Offers {
    Offers { instance, offered: (0..SLOTS).map(|slot| offered(slot).unwrap_or(0)).collect(), ..Offers::default() }
}

fn second(number: i64) -> SecondLatency {
    let mut histogram = Histogram::default();
    let slow = matches!(number, 4 | 7);
    (0..300).for_each(|one| histogram.record(if slow && one < 30 { 1_000_000 } else { 4_000 + one * 20 }));
    SecondLatency {
        flow: 0,
        at: number * SECOND,
        count: histogram.count(),
        p50: histogram.quantile(0.5),
        p90: histogram.quantile(0.9),
        p99: Some(histogram.quantile(0.99)),
        max: histogram.max(),
        histogram: histogram.encode(),
    }
}

fn events() -> Vec<Event> {
    let event = |at, kind, subject: &str, text: &str| Event {
        at,
        kind,
        subject: subject.to_owned(),
        witness: Witness::Harness,
        text: text.to_owned(),
    };
    vec![
        event(400, EventKind::Phase, "warm-up", "warm-up begins"),
        event(1_000_400, EventKind::Phase, "baseline", "baseline begins"),
        event(4_000_400, EventKind::Phase, "hanging", "hanging begins"),
        event(4_001_000, EventKind::FaultAsked, "cart/1", "hang on cart/1"),
        event(4_003_000, EventKind::FaultEffect, "cart/1", "hang takes effect"),
        event(10_000_500, EventKind::FaultCleared, "cart/1", "hang is cleared"),
        event(10_001_000, EventKind::Phase, "recovery", "recovery begins"),
    ]
}

fn expectations() -> Vec<Expectation> {
    let one = |id: &str, written: &str, verdict, text: &str, limit, limit_text: &str| Expectation {
        id: id.to_owned(),
        phase: None,
        written: written.to_owned(),
        line: 14,
        column: 7,
        verdict,
        observed: Observed {
            value: None,
            text: text.to_owned(),
            interval: text.ends_with('%').then_some(Interval { low: 0.9573, high: 0.9745 }),
            resolution: None,
        },
        limit: Some(limit),
        limit_text: limit_text.to_owned(),
        samples: 1_800,
        close: false,
        detail: "asked >= 99.9 %, observed 96.67 %: 1,740 of 1,800 requests were acceptable".to_owned(),
    };
    vec![
        one("hanging.success", "success >= 99.9%", Verdict::Fail, "96.67 %", 0.999, ">= 99.9 %"),
        one("recovery.lost", "lost == 0", Verdict::Pass, "0", 0.0, "== 0"),
        one("healing.ejected(cart/1)", "ejected cart/1 within 3s", Verdict::Pass, "187 ms", 3.0, "within 3.00 s"),
    ]
}

/// Slots are tenths of a second.
const _: () = assert!(SLOT * 10 == SECOND);
