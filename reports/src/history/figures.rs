//! What of a record is kept from night to night: figures with a name that stays the same.

use crate::compare::Unit;
use crate::record::{Arm, ArmKind, Cell, PhaseTotals, Record};
use crate::stats::ranks::median;

/// A figure of one night.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `failing.p99`, `healing.ejected(cart/1)`, `both 500/s 64: p99`.
    pub name: String,
    /// What it is counted in.
    pub unit: Unit,
    /// Its value; never infinite.
    pub value: f64,
}

/// Percentiles that are kept.
const KEPT: [&str; 3] = ["p50", "p90", "p99"];

/// All of them, in the order of the timeline.
pub fn figures(record: &Record) -> Vec<Figure> {
    let mut figures = Vec::new();
    for arm in record.arms.iter().filter(|arm| !arm.superseded && arm.kind != ArmKind::Control) {
        let prefix = arm.cell.as_ref().map_or_else(String::new, prefix);
        let mut add = |name: String, unit, value: f64| {
            if value.is_finite() {
                figures.push(Figure { name: format!("{prefix}{name}"), unit, value });
            }
        };
        let phases = arm.totals.iter().filter(|totals| totals.flow.is_none() && totals.planned > 0);
        for totals in phases.filter(|totals| is_kept(arm, &totals.phase)) {
            phase(totals, &arm.cell.as_ref().map_or(format!("{}.", totals.phase), |_| String::new()), &mut add);
        }
        for healing in &arm.figures.healing {
            if let Some(seconds) = healing.seconds {
                add(format!("healing.{}({})", healing.kind, healing.subject), Unit::Milliseconds, seconds * 1e3);
            }
        }
        proxies(arm, &mut add);
    }
    of_blocks(&figures)
}

/// What stands ahead of the figures of a cell: the same in every block.
fn prefix(cell: &Cell) -> String {
    let spoken = cell.spoken();
    let spoken = if spoken.is_empty() { spoken } else { format!(", {spoken}") };
    format!("{} {}/s {}{spoken}: ", cell.mode, cell.rate, cell.connections)
}

/// A figure that was measured in several blocks is kept once, as their median.
fn of_blocks(all: &[Figure]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for figure in all {
        if figures.iter().all(|known| known.name != figure.name) {
            let same = all.iter().filter(|other| other.name == figure.name).map(|other| other.value);
            figures.push(Figure { value: median(same).unwrap_or(figure.value), ..figure.clone() });
        }
    }
    figures
}

/// Judged phases; the whole only where that is another thing than its one phase.
fn is_kept(arm: &Arm, name: &str) -> bool {
    let mut judged = arm.phases.iter().filter(|phase| phase.judged);
    if name == "whole" { judged.count() > 1 } else { judged.any(|phase| phase.name == name) }
}

fn phase(totals: &PhaseTotals, prefix: &str, add: &mut impl FnMut(String, Unit, f64)) {
    add(format!("{prefix}success"), Unit::Share, 1.0 - totals.lost as f64 / totals.planned as f64);
    for name in KEPT {
        if let Some(millis) = totals.response.get(name) {
            add(format!("{prefix}{name}"), Unit::Milliseconds, *millis);
        }
    }
}

fn proxies(arm: &Arm, add: &mut impl FnMut(String, Unit, f64)) {
    if let Some((_, bytes)) = arm.largest_proxy() {
        add("memory of proxy".to_owned(), Unit::Bytes, bytes as f64);
    }
    let planned = arm.totals_of("whole", None).map_or(0, |totals| totals.planned);
    if let Some(micros) = arm.cpu_of_proxies(arm.judged()).filter(|_| planned > 0) {
        add("cpu of proxy".to_owned(), Unit::MicrosecondsARequest, micros as f64 / planned as f64);
    }
}
