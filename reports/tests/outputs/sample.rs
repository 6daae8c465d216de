//! Records made by hand: small, and every number in them is known.

use squall_reports::artifacts::Recorded;
use squall_reports::record::search::{Outcome as Tried, Search, Step};
use squall_reports::record::{
    Arm, ArmKind, Cell, Event, EventKind, Expectation, FORMAT, FaultSpan, Figure, Flow, Instance, Interval, Machine,
    Observed, Offers, Outcome, Outcomes, Phase, PhaseTotals, Reason, Record, Run, Scenario, VERSION, Verdict, Witness,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the files of a record lie.
pub(crate) const FOLDER: &str = "/out/20261121T031700Z-7";

/// Two instances under 100 requests a second: 1 s of baseline, 2 s of a fault that loses `lost` requests a slot, 1 s of recovery.
pub(crate) fn record(slug: &str, verdict: Verdict, lost: u32) -> Record {
    let main = arm(ArmKind::Main, lost);
    let mut control = arm(ArmKind::Control, 5);
    control.verdict = Verdict::Fail;
    let expectations = vec![
        expectation(
            "failing.success",
            12,
            if lost == 0 { Verdict::Pass } else { Verdict::Fail },
            1.0 - f64::from(lost) / 10.0,
        ),
        expectation("healing.ejected(cart/1)", 14, Verdict::Pass, 0.2),
    ];
    let mut reasons: Vec<Reason> = expectations
        .iter()
        .filter(|one| one.verdict != Verdict::Pass)
        .map(|one| reason(one.verdict, "missed", &format!("{}: {}", one.id, one.detail)))
        .collect();
    if reasons.is_empty() {
        reasons.push(reason(Verdict::Pass, "held", "0 of 400 requests were lost; out after 200 ms."));
    }
    Record {
        format: FORMAT.to_owned(),
        version: VERSION.to_owned(),
        complete: true,
        verdict,
        reasons,
        control: Some(Verdict::Fail),
        dirty: Vec::new(),
        expectations,
        scenario: Scenario {
            title: slug.replace('-', " "),
            slug: slug.to_owned(),
            file: format!("scenarios/{slug}.yaml"),
            line: 3,
            about: None,
            tags: Vec::new(),
            source: "scenario: x\n".to_owned(),
            set: Vec::new(),
            policies: Vec::new(),
            unsupported: Vec::new(),
        },
        run: run(),
        arms: vec![main, control],
        searches: Vec::new(),
    }
}

fn run() -> Run {
    Run {
        id: "20261121T031700Z-7".to_owned(),
        started: "2026-11-21T03:17:05.123456789Z".to_owned(),
        seconds: 12.5,
        seed: 7,
        command: ["squall", "run", "scenarios/"].map(str::to_owned).to_vec(),
        squall: "squall 0.1.0".to_owned(),
        platform: "local".to_owned(),
        quick: false,
        repetition: (1, 1),
        machine: Machine { cores: 2, cpu: "Test".to_owned(), kernel: "6.1".to_owned(), memory: 1 << 30, ci: None },
    }
}

pub(crate) fn reason(verdict: Verdict, code: &str, text: &str) -> Reason {
    Reason { verdict, code: code.to_owned(), text: format!("{verdict}: {text}") }
}

pub(crate) fn expectation(id: &str, line: usize, verdict: Verdict, share: f64) -> Expectation {
    let text = format!("{:.0} %", share * 100.0);
    Expectation {
        id: id.to_owned(),
        phase: Some("failing".to_owned()),
        written: "success: \">= 99.9%\"".to_owned(),
        line,
        column: 14,
        verdict,
        observed: Observed {
            value: Some(share),
            text: text.clone(),
            interval: Some(Interval { low: share - 0.01, high: share + 0.01 }),
            resolution: None,
        },
        limit: Some(0.999),
        limit_text: ">= 99.9 %".to_owned(),
        samples: 1200,
        close: false,
        detail: format!("asked >= 99.9 %, observed {text}: 190 of 200 requests were acceptable"),
    }
}

fn arm(kind: ArmKind, lost: u32) -> Arm {
    let planned = vec![10_u32; 40];
    let bad: Vec<u32> = (0..40).map(|slot| if (10..30).contains(&slot) { lost } else { 0 }).collect();
    let good = bad.iter().map(|lost| 10 - lost).collect();
    let out = |slot: usize| kind == ArmKind::Main && (12..34).contains(&slot);
    let first: Vec<u32> = (0..40).map(|slot| if out(slot) { 0 } else { 5 }).collect();
    let second: Vec<u32> = (0..40).map(|slot| if out(slot) { 10 } else { 5 }).collect();
    let offers = |instance, offered: Vec<u32>| Offers {
        instance,
        retries: vec![0; 40],
        withheld: BTreeMap::new(),
        cut: vec![0; 40],
        received: offered.clone(),
        inferred: vec![0; 40],
        offered,
    };
    let instance = |number: u32| Instance {
        name: format!("cart/{number}"),
        service: "cart".to_owned(),
        version: None,
        address: "127.0.0.1:1".to_owned(),
        faulty: number == 1,
    };
    let phase = |name: &str, from: i64, to: i64| Phase {
        name: name.to_owned(),
        from: from * 1_000_000,
        to: to * 1_000_000,
        judged: true,
        moved_in: 0,
    };
    let lost_in_all = u64::from(lost) * 20;
    let mut arm = Arm::empty(kind);
    arm.started = Some("2026-11-21T03:17:05Z".to_owned());
    arm.verdict = Verdict::Pass;
    arm.phases = vec![phase("baseline", 0, 1), phase("failing", 1, 3), phase("recovery", 3, 4)];
    arm.flows = vec![Flow {
        name: "load".to_owned(),
        to: "cart".to_owned(),
        journey: false,
        rate: 100.0,
        connections: "up to 8".to_owned(),
        time_out: 5_000_000,
    }];
    arm.instances = vec![instance(1), instance(2)];
    arm.faults = vec![FaultSpan {
        kind: "abort".to_owned(),
        what: "abort 503 on cart/1".to_owned(),
        instance: 0,
        phase: 1,
        asked: 1_000_000,
        effect: Some(1_002_000),
        cleared: Some(3_000_000),
        harmed: 10,
        victims: Vec::new(),
    }];
    arm.events = vec![Event {
        at: 1_002_000,
        kind: EventKind::FaultEffect,
        subject: "cart/1".to_owned(),
        witness: Witness::Relay,
        text: "abort 503 on cart/1 acts".to_owned(),
    }];
    arm.outcomes = vec![Outcomes {
        flow: 0,
        planned: planned.clone(),
        sent: planned,
        by_outcome: [(Outcome::Acceptable, good), (Outcome::Status(503), bad)].into(),
    }];
    arm.offers = vec![offers(0, first), offers(1, second)];
    arm.totals = vec![totals("failing", 200, lost_in_all), totals("whole", 400, lost_in_all)];
    if kind == ArmKind::Main {
        arm.figures.healing = vec![figure("ejected", 0.2), figure("readmitted", 0.4)];
    }
    arm
}

fn totals(phase: &str, planned: u64, lost: u64) -> PhaseTotals {
    PhaseTotals {
        phase: phase.to_owned(),
        planned,
        lost,
        outcomes: [(Outcome::Acceptable, planned - lost), (Outcome::Status(503), lost)].into(),
        response: [("p99".to_owned(), 13.4)].into(),
        ..PhaseTotals::default()
    }
}

fn figure(kind: &str, seconds: f64) -> Figure {
    Figure {
        kind: kind.to_owned(),
        subject: "cart/1".to_owned(),
        from: Some(1_002_000),
        at: Some(1_202_000),
        seconds: Some(seconds),
        resolution: 0.1,
        note: None,
    }
}

/// A sweep of two cells.
pub(crate) fn sweep() -> Record {
    let mut record = record("what-it-costs", Verdict::Pass, 0);
    record.control = None;
    record.arms = [500.0, 1000.0]
        .map(|rate| {
            let mut cell = arm(ArmKind::Cell, 0);
            cell.cell = Some(Cell::new("client", rate, 16));
            cell.faults.clear();
            cell
        })
        .into();
    record
}

/// A sweep of one cell, with which nothing can be compared.
pub(crate) fn one_cell() -> Record {
    let mut record = sweep();
    record.arms.truncate(1);
    record
}

/// A search that found what it sought.
pub(crate) fn search() -> Record {
    let step = |rate, confirms, outcome| Step { rate, run: 1, confirms, outcome, why: None };
    let found = Search {
        mode: "client".to_owned(),
        connections: 16,
        spoken: String::new(),
        from: 100.0,
        to: 1_000.0,
        holds: vec!["p99 <= 20ms".to_owned()],
        highest: Some(400.0),
        broken: Some(410.0),
        confirmed: Some(360.0),
        limited: false,
        steps: vec![step(400.0, false, Tried::Held), step(410.0, false, Tried::Broken), step(360.0, true, Tried::Held)],
    };
    Record { searches: vec![found], ..sweep() }
}

/// A run that was stopped before anything was counted.
pub(crate) fn stopped() -> Record {
    let mut record = record("stopped", Verdict::Aborted, 0);
    record.complete = false;
    record.control = None;
    record.reasons = vec![reason(Verdict::Aborted, "aborted", "stopped by a signal; everything was undone.")];
    record.arms[0].expectations = std::mem::take(&mut record.expectations);
    record.arms.truncate(1);
    record
}

/// A run whose generator was late in the scenario's first try, and in the control's last.
pub(crate) fn unsound() -> Record {
    let mut record = record("unsound", Verdict::Invalid, 0);
    let late = reason(Verdict::Invalid, "generator", "the generator was up to 31 ms late, 10 ms is allowed.");
    record.arms.insert(0, superseded(&late));
    record.reasons = vec![late];
    record
}

/// A first try that proved nothing, and in which an expectation was missed.
pub(crate) fn superseded(late: &Reason) -> Arm {
    let mut first = arm(ArmKind::Main, 3);
    first.superseded = true;
    first.verdict = Verdict::Invalid;
    first.reasons = vec![late.clone()];
    first.expectations = vec![expectation("failing.success", 12, Verdict::Fail, 0.7)];
    first
}

/// The record, in its folder in a run.
pub(crate) fn placed(record: Record) -> Recorded {
    let folder = PathBuf::from(FOLDER).join(&record.scenario.slug);
    (record, folder)
}

/// One of each kind.
pub(crate) fn run_of_many() -> Vec<Recorded> {
    let held = record("one-instance-hangs", Verdict::Pass, 0);
    let missed = record("one-instance-fails", Verdict::Fail, 1);
    [held, missed, unsound(), stopped(), sweep()].map(placed).into()
}
