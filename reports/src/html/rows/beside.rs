//! The figures of two arms beside each other.

use crate::plot::number;
use crate::record::{Arm, Figure};

/// A figure of two arms.
pub(in crate::html) struct Beside {
    pub(in crate::html) name: String,
    pub(in crate::html) one: String,
    pub(in crate::html) other: String,
}

/// The figures of both arms.
pub(in crate::html) fn beside(one: &Arm, other: &Arm) -> Vec<Beside> {
    let phase = one.faults.first().and_then(|fault| one.phases.get(fault.phase));
    let judged = || one.phases.iter().filter(|phase| phase.judged).nth(1);
    let phase = phase.or_else(judged).map_or("whole", |phase| phase.name.as_str());
    let of = |arm: &Arm, show: &dyn Fn(&crate::record::PhaseTotals) -> Option<String>| {
        arm.totals_of(phase, None).and_then(show).unwrap_or_else(|| "no data".to_owned())
    };
    let row = |name: String, show: &dyn Fn(&crate::record::PhaseTotals) -> Option<String>| Beside {
        name,
        one: of(one, show),
        other: of(other, show),
    };
    let mut rows = vec![
        row(format!("requests lost in {phase}"), &|totals| {
            Some(format!("{} of {}", number::count(totals.lost), number::count(totals.planned)))
        }),
        row("95\u{202f}% interval of the loss".to_owned(), &|totals| {
            let interval = crate::stats::clopper_pearson(totals.lost, totals.planned, 0.95);
            Some(number::percent_interval(interval.low, interval.high))
        }),
        row(format!("p99 in {phase}"), &|totals| {
            totals.response.get("p99").map(|millis| number::duration(millis / 1e3))
        }),
        row(format!("attempts in {phase}"), &|totals| Some(number::count(totals.attempts))),
    ];
    for figure in &one.figures.healing {
        rows.push(Beside {
            name: format!("{} {}, {}", figure.subject, figure.kind, since(figure)),
            one: time(figure),
            other: same(figure, other).unwrap_or_else(|| "no data".to_owned()),
        });
    }
    rows
}

/// From when its time counts.
fn since(figure: &Figure) -> &'static str {
    match figure.kind.as_str() {
        "readmitted" => "after the fault ended",
        "rolled-back" => "after the first bad answer",
        _ => "after the fault began",
    }
}

fn time(figure: &Figure) -> String {
    match (figure.seconds, &figure.note) {
        (Some(_), Some(note)) if note == "never missed" => note.clone(),
        (Some(seconds), _) => number::duration(seconds),
        (None, Some(note)) if note.starts_with("was not") => note.clone(),
        (None, _) => "never".to_owned(),
    }
}

/// The same figure of another arm; where the fault hit another instance, that one's, with its name.
fn same(figure: &Figure, other: &Arm) -> Option<String> {
    let alike = || other.figures.healing.iter().filter(|one| one.kind == figure.kind);
    if let Some(same) = alike().find(|one| one.subject == figure.subject) {
        return Some(time(same));
    }
    let mut alike = alike();
    let elsewhere = alike.next().filter(|_| alike.next().is_none())?;
    Some(format!("{}, of {}", time(elsewhere), elsewhere.subject))
}
