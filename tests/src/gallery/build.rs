//! A record about rehearsed arms: its scenario's text, its verdict and its reasons.

use super::judge::Ask;
use super::plan::Plan;
use super::rehearse::rehearse;
use super::words::{count, time};
use squall_reports::record::{
    Arm, ArmKind, FORMAT, Machine, Reason, Record, Run, Scenario, SourceFile, VERSION, Verdict,
};

const POLICY: &str = "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: cart
spec:
  host: cart
  trafficPolicy:
    outlierDetection:
      consecutive5xxErrors: 5
      interval: 1s
      baseEjectionTime: 3s
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: cart
spec:
  hosts: [cart]
  http:
    - route: [{destination: {host: cart}}]
      retries: {attempts: 1, retryOn: 5xx}
";

/// A record without arms.
pub(super) fn empty(slug: &str, title: &str) -> Record {
    Record {
        format: FORMAT.to_owned(),
        version: VERSION.to_owned(),
        complete: true,
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        control: None,
        dirty: Vec::new(),
        expectations: Vec::new(),
        scenario: Scenario {
            title: title.to_owned(),
            slug: slug.to_owned(),
            file: format!("gallery/{slug}.yaml"),
            line: 1,
            about: None,
            tags: vec!["gallery".to_owned()],
            source: String::new(),
            set: Vec::new(),
            policies: vec![SourceFile { path: "gallery/policies/cart.yaml".to_owned(), text: POLICY.to_owned() }],
            unsupported: Vec::new(),
        },
        run: Run {
            id: "20261120T021000Z-1".to_owned(),
            started: "2026-11-20T02:10:00.000000000Z".to_owned(),
            seconds: 30.0,
            seed: 1,
            command: ["squall", "run", "gallery/", "--seed", "1"].map(str::to_owned).to_vec(),
            squall: "squall 0.1.0".to_owned(),
            platform: "local".to_owned(),
            quick: false,
            repetition: (1, 1),
            machine: Machine {
                cores: 8,
                cpu: "a processor".to_owned(),
                kernel: "6.12.0".to_owned(),
                memory: 32 << 30,
                ci: None,
            },
        },
        arms: Vec::new(),
        searches: Vec::new(),
    }
}

/// A scenario with its control, played and judged.
pub(super) fn with_control(slug: &str, title: &str, plan: &Plan, asks: &[Ask]) -> Record {
    of_arms(slug, title, vec![rehearse(plan), rehearse(&plan.control())], asks)
}

/// A scenario of arms that are there already, judged.
pub(super) fn of_arms(slug: &str, title: &str, arms: Vec<Arm>, asks: &[Ask]) -> Record {
    let mut record = empty(slug, title);
    record.arms = arms;
    let first = write_source(&mut record, asks);
    for arm in &mut record.arms {
        let judge = |(index, ask): (usize, &Ask)| ask.judge(arm, first + index);
        arm.expectations = asks.iter().enumerate().map(judge).collect();
        arm.reasons = missed(arm);
        arm.verdict = arm.expectations.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Pass);
    }
    let current = |kind| move |arm: &&Arm| arm.kind == kind && !arm.superseded;
    if let Some(main) = record.arms.iter().find(current(ArmKind::Main)) {
        record.expectations.clone_from(&main.expectations);
        record.verdict = main.verdict;
        record.reasons.clone_from(&main.reasons);
    }
    record.control = record.arms.iter().find(current(ArmKind::Control)).map(|arm| arm.verdict);
    if record.control.is_some_and(|control| control != Verdict::Fail) && record.verdict == Verdict::Pass {
        let text = "INVALID: the control passed too: nothing here shows that the healing matters.";
        invalid(&mut record, "control-passed", text);
    }
    if record.reasons.is_empty() {
        let text = passed(&record);
        record.reasons = vec![Reason { verdict: Verdict::Pass, code: "held".to_owned(), text }];
    }
    record
}

/// Puts a reason in front that makes the run prove nothing.
pub(super) fn invalid(record: &mut Record, code: &str, text: &str) {
    record.verdict = Verdict::Invalid;
    record.reasons.retain(|reason| reason.verdict != Verdict::Pass);
    let reason = Reason { verdict: Verdict::Invalid, code: code.to_owned(), text: text.to_owned() };
    record.reasons.insert(0, reason);
}

/// The scenario's text; returns the line of the first expectation.
fn write_source(record: &mut Record, asks: &[Ask]) -> usize {
    let mut lines = vec![format!("scenario: {}", record.scenario.title), "policies: [policies/cart.yaml]".to_owned()];
    if let Some(arm) = record.arms.first() {
        lines.push("load:".to_owned());
        for flow in &arm.flows {
            lines.push(format!("  - {{to: {}, rate: {}/s}}", flow.to, flow.rate));
        }
        lines.push("timeline:".to_owned());
        for (index, phase) in arm.phases.iter().enumerate() {
            let faults: Vec<String> = (arm.faults.iter())
                .filter(|fault| fault.phase == index)
                .map(|fault| format!("{{{}: {{target: {}}}}}", fault.kind, arm.instances[fault.instance].name))
                .collect();
            let long = (phase.to - phase.from) as f64 / 1e6;
            let faults = if faults.is_empty() { String::new() } else { format!(", faults: [{}]", faults.join(", ")) };
            lines.push(format!("  - {{phase: {}, for: {long}s{faults}}}", phase.name));
        }
    }
    lines.push("expect:".to_owned());
    let first = lines.len() + 1;
    lines.extend(asks.iter().map(|ask| format!("    {}", ask.written())));
    record.scenario.source = lines.join("\n") + "\n";
    first
}

fn missed(arm: &Arm) -> Vec<Reason> {
    let mut missed: Vec<_> = arm.expectations.iter().filter(|one| one.verdict != Verdict::Pass).collect();
    missed.sort_by_key(|one| std::cmp::Reverse(one.verdict));
    let reason = |one: &squall_reports::record::Expectation| Reason {
        verdict: one.verdict,
        code: "missed".to_owned(),
        text: format!("{}: {}: {}", one.verdict, one.id, one.detail),
    };
    missed.into_iter().map(reason).collect()
}

fn passed(record: &Record) -> String {
    let Some(main) = record.arms.iter().find(|arm| arm.kind == ArmKind::Main) else {
        return format!("PASS: every expectation holds over {} cells.", record.arms.len());
    };
    let lost = |arm: &Arm| {
        let whole = arm.totals_of("whole", None);
        whole.map_or("none".to_owned(), |whole| format!("{} of {}", count(whole.lost), count(whole.planned)))
    };
    let healed = |kind: &str| main.figures.healing.iter().find(|one| one.kind == kind).and_then(|one| one.seconds);
    let mut text = format!("PASS: {} requests were lost", lost(main));
    if let Some(out) = healed("ejected") {
        text.extend(["; out after ", &time(out)]);
    }
    if let Some(back) = healed("readmitted") {
        text.extend([", back ", &time(back), " after the fault ended"]);
    }
    text.push('.');
    if let Some(control) = record.arms.iter().find(|arm| arm.kind == ArmKind::Control) {
        text.extend([" Without healing: ", &lost(control), "."]);
    }
    text
}
