//! Whether what was measured is evidence.

use crate::html::story;
use crate::plot::{lag, number};
use crate::record::{Arm, SLOT, SaidKind, Verdict};

/// A line on whether this is evidence.
pub(in crate::html) struct Health {
    pub(in crate::html) name: String,
    pub(in crate::html) value: String,
    pub(in crate::html) note: String,
    pub(in crate::html) state: State,
}

/// How a line bears on the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum State {
    Sound,
    Exact,
    Differs,
    NotMeasured,
    Unsound,
}

impl State {
    /// The word beside the sign.
    pub(in crate::html) fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Exact => "exact",
            Self::Differs => "differs",
            Self::NotMeasured => "not measured",
            Self::Unsound => "not sound",
        }
    }

    /// The verdict whose sign it has.
    pub(in crate::html) fn sign(self) -> Verdict {
        match self {
            Self::Sound | Self::Exact => Verdict::Pass,
            Self::Differs => Verdict::Inconclusive,
            Self::NotMeasured => Verdict::Invalid,
            Self::Unsound => Verdict::Fail,
        }
    }

    fn held(self, holds: bool) -> Self {
        if holds { self } else { Self::Unsound }
    }
}

/// CPU of the pacing thread that makes a run INVALID.
const BUSY: f64 = 0.8;

/// The lines of an arm.
pub(in crate::html) fn health(arm: &Arm) -> Vec<Health> {
    let generator = &arm.generator;
    let row =
        |name: &str, value: String, note: String, state: State| Health { name: name.to_owned(), value, note, state };
    let mut rows = Vec::new();
    if generator.planned == 0 {
        let missing = |name: &str| row(name, "not measured".to_owned(), String::new(), State::NotMeasured);
        return ["released in time", "sent late, p99", "generator CPU", "attempts at instances"].map(missing).into();
    }
    let share = generator.offered as f64 / generator.planned as f64;
    rows.push(row(
        "released in time",
        format!("{} of {}", number::count(generator.offered), number::count(generator.planned)),
        generator
            .saturated
            .as_ref()
            .map_or_else(|| "limit 99.9\u{202f}%".to_owned(), |side| format!("the {side} could not keep up")),
        State::Sound.held(share >= 0.999 || generator.saturated.as_deref() == Some("target")),
    ));
    let bare = generator.bare_timer_p99.map_or_else(|| "not measured".to_owned(), number::micros);
    rows.push(row(
        "sent late, p99",
        number::micros(generator.lag_p99),
        format!(
            "limit {}; largest {}; a bare timer just before: {bare}",
            number::limit(lag::ALLOWED),
            number::micros(generator.lag_max)
        ),
        State::Sound.held(generator.lag_p99 <= lag::ALLOWED),
    ));
    let steal = generator.steal_share.map_or_else(|| "not measured".to_owned(), number::percent);
    rows.push(row(
        "CPU of the pacing thread",
        format!("{} of a core", number::percent(generator.cpu_share)),
        format!("busiest second; limit 80\u{202f}%; taken by the hypervisor: {steal}"),
        State::Sound.held(generator.cpu_share <= BUSY),
    ));
    for fault in &arm.faults {
        rows.push(match fault.effect {
            Some(at) => row(
                &fault.what,
                format!("{} harmed", number::count(fault.harmed)),
                format!("confirmed at {}", number::instant(at)),
                State::Sound,
            ),
            None if arm.had_nothing_to_withhold(fault) => {
                row(&fault.what, "nothing withheld".to_owned(), "nothing became of it".to_owned(), State::Sound)
            }
            None => row(&fault.what, "no effect".to_owned(), "it never harmed anything".to_owned(), State::Unsound),
        });
    }
    rows.extend(outcomes(arm));
    let truth = &arm.truth;
    let refused = if truth.inferred > 0 {
        format!("; {} refused by the kernel", number::count(truth.inferred))
    } else {
        String::new()
    };
    rows.push(row(
        "attempts at instances",
        number::count(truth.offered),
        format!(
            "{} blocked by a fault, {} counted by the instances, {} cut{refused}; unexplained: {}",
            number::count(truth.withheld),
            number::count(truth.received),
            number::count(truth.cut),
            truth.unexplained
        ),
        if truth.unexplained == 0 && truth.disagreements.is_empty() { State::Exact } else { State::Unsound },
    ));
    for sentence in &truth.disagreements {
        rows.push(row("does not add up", String::new(), sentence.clone(), State::Unsound));
    }
    rows.extend(late_returns(arm));
    rows.push(said(arm));
    // What no line shows by itself, such as a verdict that hangs on the generator's lag.
    if rows.iter().all(|row| row.state != State::Unsound) {
        let invalid = arm.reasons.iter().filter(|reason| reason.verdict == Verdict::Invalid);
        rows.extend(invalid.map(|reason| {
            let text = reason.text.trim_start_matches("INVALID: ").to_owned();
            row("proof", "none".to_owned(), text, State::Unsound)
        }));
    }
    rows
}

/// Instances of which it is told that they were back, but that were offered nothing until later.
fn late_returns(arm: &Arm) -> Vec<Health> {
    let late = |figure: &crate::record::Figure| {
        let at = figure.at.filter(|_| figure.kind == "readmitted")?;
        let instance = arm.instances.iter().position(|instance| instance.name == figure.subject)?;
        let offered = &arm.offers.iter().find(|offers| offers.instance == instance)?.offered;
        let from = (at / SLOT).max(0) as usize;
        let first = (from..offered.len()).find(|slot| offered[*slot] > 0)? as i64 * SLOT;
        (first - at > 2 * SLOT).then(|| Health {
            name: format!("{} back", figure.subject),
            value: number::instant(at),
            note: format!("but the first attempt it was offered then came at {}", number::instant(first)),
            state: State::Differs,
        })
    };
    arm.figures.healing.iter().filter_map(late).collect()
}

fn outcomes(arm: &Arm) -> Option<Health> {
    let planned: u64 = arm.outcomes.iter().flat_map(|one| &one.planned).map(|count| u64::from(*count)).sum();
    let ended: u64 =
        arm.outcomes.iter().flat_map(|one| one.by_outcome.values().flatten()).map(|count| u64::from(*count)).sum();
    let lost: u64 = story::lost(arm).iter().sum();
    (planned > 0).then(|| Health {
        name: "outcomes add up".to_owned(),
        value: format!("{} + {} = {}", number::count(ended - lost), number::count(lost), number::count(planned)),
        note: "answered + lost = planned".to_owned(),
        state: State::Exact.held(ended == planned),
    })
}

/// The proxy's own word beside what was measured.
fn said(arm: &Arm) -> Health {
    let said = arm.said.iter().filter(|word| word.what == SaidKind::Ejected).count();
    let row =
        |value: String, note: String, state| Health { name: "the proxy's own word".to_owned(), value, note, state };
    let measured: Vec<_> = arm.figures.healing.iter().filter(|one| one.kind == "ejected" && one.at.is_some()).collect();
    if said == 0 {
        let note =
            if measured.is_empty() { "nor was any seen" } else { "but an instance fell silent: for another reason" };
        return row("no ejection".to_owned(), note.to_owned(), State::Sound);
    }
    let near = |one: &&crate::record::Figure| {
        let instance = arm.instances.iter().position(|instance| instance.name == one.subject);
        arm.said.iter().any(|word| {
            Some(word.instance) == instance
                && word.what == SaidKind::Ejected
                && one.at.is_some_and(|at| (word.at - at).abs() <= 1_000_000)
        })
    };
    let ejections = if said == 1 { "1 ejection".to_owned() } else { format!("{said} ejections") };
    if !measured.is_empty() && measured.iter().all(near) {
        row(ejections, "agrees with what arrived, within a second".to_owned(), State::Sound)
    } else {
        row(ejections, "does not agree with what arrived".to_owned(), State::Differs)
    }
}
