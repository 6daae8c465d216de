//! All that is known of one arm in numbers: phases, expectations, generator, processes.

use super::row::{Ink, Pen, Row, column};
use super::top::label;
use super::{Block, overview};
use crate::output::story::arm::{ArmStory, plain};
use crate::output::story::budget;
use crate::slo::words::count;

pub(super) fn blocks(arm: &ArmStory, pen: Pen) -> Vec<Block<'_>> {
    let pen = &pen;
    vec![
        Block::gap(11),
        Block::new(0, vec![overview::rates(arm, pen)]),
        Block::gap(12),
        Block::shrinking(5, 2, phases(arm, pen)),
        Block::gap(13),
        Block::shrinking(3, 2, {
            let mut rows = vec![Row::new(vec![pen.ink(Ink::Faint, "expectations so far")])];
            rows.extend(expectations(arm, pen));
            rows
        }),
        Block::gap(14),
        Block::new(2, vec![overview::generator(arm, pen)]),
        Block::new(2, vec![processes(arm, pen)]),
        Block::new(2, vec![overview::says(arm, pen)]),
    ]
}

fn phases(arm: &ArmStory, pen: &Pen) -> Vec<Row> {
    let Some(outline) = &arm.outline else { return Vec::new() };
    let name = outline.phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0).clamp(8, 20) + 2;
    let mut rows = vec![Row::new(vec![
        pen.ink(Ink::Faint, column("phase", name)),
        pen.ink(Ink::Faint, format!("{:>8} {:>10} {:>10} {:>10}", "seconds", "planned", "ended", "lost")),
    ])];
    for (index, phase) in outline.phases.iter().enumerate() {
        let counts = arm.last().and_then(|tally| tally.phases.get(index)).copied().unwrap_or_default();
        let on = arm.phase == Some(index) && !arm.is_over();
        let long = plain((phase.to - phase.from) as f64 / 1e6);
        rows.push(Row::new(vec![
            pen.ink(if on { Ink::Strong } else { Ink::Plain }, column(&phase.name, name)),
            pen.ink(
                Ink::Plain,
                format!("{long:>8} {:>10} {:>10} ", count(outline.planned[index]), count(counts.ended)),
            ),
            pen.ink(if counts.lost > 0 { Ink::Lost } else { Ink::Plain }, format!("{:>10}", count(counts.lost))),
        ]));
    }
    rows
}

/// Each expectation with what can be said of it now.
pub(super) fn expectations(arm: &ArmStory, pen: &Pen) -> Vec<Row> {
    let Some(outline) = &arm.outline else { return Vec::new() };
    let width = outline.expected.iter().map(|one| one.written_in_full().chars().count()).max().unwrap_or(0).min(44);
    let one = |expected: &crate::run::events::Expected| {
        let state = arm.last().and_then(|tally| budget::state(expected, outline, tally));
        let (ink, sign, text) = match state {
            Some(state) if state.is_lost() => {
                let ink = if arm.is_control() { Ink::Plain } else { Ink::Lost };
                let when = if arm.is_over() { "missed" } else { "will fail" };
                let must = if arm.is_control() { ", as it must" } else { "" };
                (ink, pen.sign("✕", "x"), format!("{when}{must}: {}", state.words()))
            }
            Some(state) if state.complete => (Ink::Good, pen.sign("●", "+"), format!("held: {}", state.words())),
            Some(state) if state.begun => (Ink::Good, pen.sign("●", "+"), format!("holds so far: {}", state.words())),
            Some(_) => (Ink::Faint, pen.sign("○", "-"), "waiting".to_owned()),
            None => (Ink::Faint, pen.sign("·", "."), "judged at the end".to_owned()),
        };
        Row::new(vec![
            pen.ink(ink, format!("{sign} ")),
            pen.ink(Ink::Plain, column(&expected.written_in_full(), width + 2)),
            pen.ink(ink, text),
        ])
    };
    outline.expected.iter().map(one).collect()
}

/// What the programs of the arm use.
pub(super) fn processes(arm: &ArmStory, pen: &Pen) -> Row {
    let name = pen.ink(Ink::Plain, label("processes", pen));
    let proxy = match arm.last().and_then(|tally| tally.proxy) {
        Some((cpu, memory)) => format!("proxy {:>3.0} % cpu, {:.0} MiB", cpu * 100.0, memory as f64 / 1_048_576.0),
        None => "proxy not measured".to_owned(),
    };
    let mut spans = vec![name, pen.ink(Ink::Plain, format!("{proxy}   waiting {:<6}", count(arm.waiting())))];
    if pen.width >= 100 {
        let open = match arm.open.len() {
            0 => "no fault is on".to_owned(),
            1 => "1 fault is on, journalled".to_owned(),
            open => format!("{open} faults are on, journalled"),
        };
        spans.push(pen.ink(Ink::Plain, format!("   instances {}   undo: {open}", arm.watch.all().len())));
    }
    Row::new(spans)
}
