//! One arm at a glance, on a terminal of the usual size.

use super::chart::{Scale, spark, spread};
use super::row::{Ink, Pen, Row, column};
use super::top::{label, label_width};
use super::{Block, Scene, details};
use crate::output::story::arm::ArmStory;
use crate::output::story::budget;
use crate::output::story::instances::{One, State};
use crate::run::events::{Outline, Tally};
use crate::slo::words::{count, percent, seconds};

/// Room for the names of rows with a picture: all of them begin at the same column, as their times do.
const NAMES: usize = 15;
/// Most rows of instances.
const MOST_INSTANCES: usize = 8;
/// Most rows of events; those that there is no room for are given up.
const MOST_EVENTS: usize = 24;
/// What a lag of the generator must not exceed, microseconds, before it is pointed out.
const LATE: u64 = 15_000;

/// Rates, sparklines, instances, events, expectations, generator.
pub(super) fn blocks<'a>(scene: &Scene<'_>, arm: &'a ArmStory, pen: Pen, pictures: bool) -> Vec<Block<'a>> {
    let fill = move |rows| latest_events(arm, &pen, rows);
    let pen = &pen;
    let mut blocks =
        vec![Block::gap(11), Block::new(0, vec![rates(arm, pen)]), Block::new(1, vec![in_phase(arm, pen)])];
    if pictures {
        blocks.push(Block::gap(16));
        blocks.push(Block::new(6, sparklines(arm, pen)));
    }
    blocks.push(Block::gap(13));
    let instances = instances(arm, pen, pictures);
    let least = instances.len().min(4);
    blocks.push(Block::shrinking(2, least, instances));
    blocks.push(Block::new(4, vec![says(arm, pen)]));
    blocks.push(Block::gap(17));
    blocks.push(Block::filling(7, 1, MOST_EVENTS, fill));
    blocks.push(Block::gap(15));
    blocks.push(Block::new(3, vec![outlook(arm, pen)]));
    blocks.push(Block::new(4, vec![generator(arm, pen)]));
    blocks.push(Block::new(4, vec![if scene.replay { details::processes(arm, pen) } else { undo(scene, arm, pen) }]));
    blocks
}

fn per_second(value: u64, tally: &Tally) -> f64 {
    value as f64 / tally.seconds()
}

/// What was asked and what became of it, over the last second.
pub(super) fn rates(arm: &ArmStory, pen: &Pen) -> Row {
    let Some(tally) = arm.last() else {
        return Row::new(vec![pen.ink(Ink::Plain, label("rate", pen)), pen.ink(Ink::Faint, "no request yet")]);
    };
    let gap = if pen.width < 70 { "  " } else { "   " };
    let lost = per_second(tally.lost(), tally);
    let number = |value: f64| format!("{value:>5.0}/s");
    let mut spans = vec![pen.ink(Ink::Plain, label("rate", pen))];
    spans.push(pen.ink(Ink::Plain, format!("asked{}{gap}", number(per_second(tally.planned, tally)))));
    if pen.width >= 70 {
        spans.push(pen.ink(Ink::Plain, format!("sent{}{gap}", number(per_second(tally.sent, tally)))));
    }
    spans.push(pen.ink(Ink::Plain, format!("answered{}{gap}", number(per_second(tally.answered(), tally)))));
    spans.push(pen.ink(if lost > 0.0 { Ink::Lost } else { Ink::Plain }, format!("lost{}", number(lost))));
    Row::new(spans)
}

/// What became of the requests of the phase that is on, and what it allows.
pub(super) fn in_phase(arm: &ArmStory, pen: &Pen) -> Row {
    let Some((index, outline, tally)) = now(arm) else { return Row::default() };
    let counts = tally.phases.get(index).copied().unwrap_or_default();
    let name = column(&format!("in {}", outline.phases[index].name), label_width(pen) - 1) + " ";
    let share = counts.lost as f64 / counts.ended.max(1) as f64;
    let allowed = budget::allowed_in(index, outline).map(|allowed| format!("; {allowed}")).unwrap_or_default();
    let answered = count(counts.ended.saturating_sub(counts.lost));
    let ink = if counts.lost > 0 { Ink::Lost } else { Ink::Plain };
    let head = if pen.width < 70 { String::new() } else { format!("{} ended: ", count(counts.ended)) };
    Row::new(vec![
        pen.ink(Ink::Plain, name),
        pen.ink(Ink::Plain, format!("{head}{answered} answered, ")),
        pen.ink(ink, format!("{} lost", count(counts.lost))),
        pen.ink(Ink::Plain, format!(" ({}{allowed})", percent(share))),
    ])
}

/// The phase that is on, or the last one.
fn now(arm: &ArmStory) -> Option<(usize, &Outline, &Tally)> {
    Some((arm.phase?, arm.outline.as_ref()?, arm.last()?))
}

/// Requests a second at the busiest, and the instances that share them.
fn expected(arm: &ArmStory) -> (f64, usize) {
    let Some(outline) = &arm.outline else { return (1.0, 1) };
    (outline.flows.iter().filter(|flow| !flow.journey).map(|flow| flow.rate).sum(), outline.instances.len().max(1))
}

/// Room beside what is named on the left and told on the right.
fn spark_width(pen: &Pen) -> usize {
    pen.width.saturating_sub(NAMES + 29)
}

pub(super) fn lost_scale(arm: &ArmStory) -> Scale {
    Scale::of_counts(expected(arm).0 / 2.0)
}

pub(super) fn arrival_scale(arm: &ArmStory) -> Scale {
    let (rate, instances) = expected(arm);
    Scale::of_counts(rate / (instances - 1).max(1) as f64)
}

/// Response times and losses over the whole load.
fn sparklines(arm: &ArmStory, pen: &Pen) -> Vec<Row> {
    let width = spark_width(pen);
    let times = arm.outline.as_ref().map_or(Scale::Time(4), Scale::of_times);
    let losses = lost_scale(arm);
    let row = |name: &str, scale: Scale, ink, now: String, note: String, value: &dyn Fn(&Tally) -> Option<f64>| {
        let values = spread(&arm.tallies, arm.length(), width, value);
        Row::new(vec![
            pen.ink(Ink::Plain, column(name, NAMES)),
            pen.ink(ink, column(&spark(&values, scale, pen.looks.ascii), width)),
            pen.ink(Ink::Plain, format!("{now:>8}")),
            pen.ink(Ink::Faint, format!("  {note}")),
        ])
    };
    let time = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |micros| seconds(micros as f64 / 1e6));
    let last = arm.last();
    let lost = last.map_or(0.0, |tally| per_second(tally.lost(), tally));
    let (p99, p50) = (last.and_then(|tally| tally.p99), last.and_then(|tally| tally.p50));
    vec![
        row("p99", times, Ink::Plain, time(p99), times.words(), &|tally| tally.p99.map(|micros| micros as f64)),
        row("p50", times, Ink::Plain, time(p50), String::new(), &|tally| tally.p50.map(|micros| micros as f64)),
        row("lost/s", losses, Ink::Lost, format!("{lost:.0}"), losses.words(), &|tally| {
            Some(per_second(tally.lost(), tally))
        }),
    ]
}

/// Who is offered how much, the instances with a fault first if there is no room for all.
fn instances(arm: &ArmStory, pen: &Pen, pictures: bool) -> Vec<Row> {
    let all = arm.watch.all();
    let scale = arrival_scale(arm);
    let width = if pictures { spark_width(pen) } else { 0 };
    let longest = all.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let names = if pictures { NAMES } else { (longest + 2).clamp(12, 30) };
    let head = if pictures { format!("arrivals/s, {}", scale.words()) } else { String::new() };
    let mut rows = vec![Row::new(vec![
        pen.ink(Ink::Faint, column("instance", names)),
        pen.ink(Ink::Faint, column(&head, width)),
        pen.ink(Ink::Faint, format!("{:>8}  state", if pictures { "now" } else { "now/s" })),
    ])];
    let mut order: Vec<usize> = (0..all.len()).collect();
    let faulty = |index: &usize| arm.outline.as_ref().is_some_and(|outline| outline.instances[*index].faulty);
    if all.len() > MOST_INSTANCES {
        order.sort_by_key(|index| (!faulty(index), *index));
    }
    for index in order.iter().take(MOST_INSTANCES) {
        let one = &all[*index];
        let values = spread(&arm.tallies, arm.length(), width, |tally| {
            tally.arrivals.get(*index).map(|arrivals| per_second(arrivals.count, tally))
        });
        let (ink, state) = state(arm.watch.state(*index), pen);
        rows.push(Row::new(vec![
            pen.ink(Ink::Plain, column(&one.name, names)),
            pen.ink(Ink::Plain, column(&spark(&values, scale, pen.looks.ascii), width)),
            pen.ink(Ink::Plain, format!("{:>8.0}  ", one.rate)),
            pen.ink(ink, state),
        ]));
    }
    if all.len() > MOST_INSTANCES {
        rows.push(Row::new(vec![pen.ink(Ink::Faint, format!("and {} more", all.len() - MOST_INSTANCES))]));
    }
    rows
}

pub(super) fn state(state: State, pen: &Pen) -> (Ink, String) {
    let (ink, sign, ascii, word) = match state {
        State::NotStarted => (Ink::Faint, "·", ".", "no request yet"),
        State::NotCounted => (Ink::Faint, "·", ".", "counted at the end"),
        State::In => (Ink::Good, "●", "+", "in"),
        State::Silent { faulty: false } => (Ink::Plain, "○", "-", "silent"),
        State::Silent { faulty: true } => (Ink::Fault, "○", "-", "silent, faulty"),
        State::Out { faulty: false } => (Ink::Fault, "○", "-", "out"),
        State::Out { faulty: true } => (Ink::Fault, "○", "-", "out, faulty"),
        State::FaultyReceiving => (Ink::Lost, "✕", "x", "faulty, receiving"),
    };
    (ink, format!("{} {word}", pen.sign(sign, ascii)))
}

/// The proxy's own word, apart from what is measured.
pub(super) fn says(arm: &ArmStory, pen: &Pen) -> Row {
    let mut out: Vec<&One> = arm.watch.all().iter().filter(|one| one.said_out.is_some()).collect();
    out.sort_by_key(|one| !one.is_disputed());
    let name = pen.ink(Ink::Plain, label("proxy says", pen));
    let Some((first, more)) = out.split_first() else {
        return Row::new(vec![name, pen.ink(Ink::Faint, "nobody is ejected")]);
    };
    let since = first.said_out.unwrap_or(0) as f64 / 1e6;
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    if first.is_disputed() {
        let text = format!("{} ejected since {since:.1} s: it still receives requests  !{more}", first.name);
        return Row::new(vec![name, pen.ink(Ink::Said, text)]);
    }
    Row::new(vec![name, pen.ink(Ink::Plain, format!("{} ejected since {since:.1} s{more}", first.name))])
}

fn event(arm: &ArmStory, index: usize, pen: &Pen) -> Row {
    let Some((at, text, tone)) = arm.events.get(index) else { return Row::default() };
    Row::new(vec![pen.ink(Ink::Faint, format!("{:>7.2}  ", *at as f64 / 1e6)), pen.ink(Ink::from(*tone), text.clone())])
}

/// The last events, as many as there are rows; the newest is the lowest.
pub(super) fn latest_events(arm: &ArmStory, pen: &Pen, rows: usize) -> Vec<Row> {
    let first = arm.events.len().saturating_sub(rows);
    (first..first + rows).map(|index| event(arm, index, pen)).collect()
}

/// Everything that has happened, as far as there is room.
pub(super) fn all_events(arm: &ArmStory, pen: Pen, height: usize) -> Block<'_> {
    Block::filling(1, 1, height, move |rows| {
        let mut all = vec![Row::default()];
        if arm.events.is_empty() {
            all.push(Row::new(vec![pen.ink(Ink::Faint, "nothing has happened yet")]));
        }
        all.extend(latest_events(arm, &pen, rows.saturating_sub(1)));
        all
    })
}

/// What can already be said of the verdict: only where counts make it certain.
fn outlook(arm: &ArmStory, pen: &Pen) -> Row {
    let name = |text: &str| label(text, pen);
    let Some((outline, tally)) = arm.outline.as_ref().zip(arm.last()) else { return Row::default() };
    let states = || outline.expected.iter().filter_map(|one| Some((one, budget::state(one, outline, tally)?)));
    if let Some((expected, state)) = states().find(|(_, state)| state.is_lost()) {
        let ink = if arm.is_control() { Ink::Plain } else { Ink::Lost };
        let must = if arm.is_control() { ", as it must" } else { "" };
        let text = format!("{}: {}{must}", expected.id, state.words());
        return Row::new(vec![
            pen.ink(ink, name(if arm.is_over() { "missed" } else { "will fail" })),
            pen.ink(Ink::Strong, text),
        ]);
    }
    let on = arm.phase.map(|phase| outline.phases[phase].name.clone()).unwrap_or_default();
    let mut begun: Vec<_> = states().filter(|(_, state)| state.begun).collect();
    begun.sort_by_key(|(expected, _)| !expected.id.starts_with(&format!("{on}.")));
    match begun.first() {
        Some((expected, state)) => Row::new(vec![
            pen.ink(
                Ink::Good,
                name(if state.complete {
                    "held"
                } else if pen.width < 70 {
                    "holds"
                } else {
                    "holds so far"
                }),
            ),
            pen.ink(Ink::Plain, format!("{}: {}", expected.written_in_full(), state.words())),
        ]),
        None => Row::new(vec![pen.ink(Ink::Faint, name("verdict")), pen.ink(Ink::Faint, "nothing can be said yet")]),
    }
}

/// Whether the generator was on time in the last second; if it can be believed over all is judged at the end.
pub(super) fn generator(arm: &ArmStory, pen: &Pen) -> Row {
    let name = pen.ink(Ink::Plain, label("generator", pen));
    let Some(tally) = arm.last() else { return Row::new(vec![name, pen.ink(Ink::Faint, "not started")]) };
    let late = tally.lag_p99.is_some_and(|lag| lag > LATE);
    let (ink, word) = if late { (Ink::Lost, "late   ") } else { (Ink::Good, "on time") };
    let lag = tally.lag_p99.map_or_else(|| "-".to_owned(), |micros| seconds(micros as f64 / 1e6));
    let cpu = tally.generator_cpu.map_or_else(|| "-".to_owned(), |share| format!("{:>3.0} %", share * 100.0));
    let mut text = format!("   lag p99 {lag:>7}   cpu {cpu}");
    if pen.width >= 70 {
        text.extend(tally.steal.map(|steal| format!("   steal {:>4.1} %", steal * 100.0)));
    }
    Row::new(vec![name, pen.ink(ink, word), pen.ink(Ink::Plain, text)])
}

/// What would have to be undone now.
fn undo(scene: &Scene<'_>, arm: &ArmStory, pen: &Pen) -> Row {
    let name = pen.ink(Ink::Plain, label("undo", pen));
    let here = match arm.open.len() {
        0 => "no fault is on".to_owned(),
        open => format!("{open} open, journalled"),
    };
    let all = scene.story.open_faults();
    let elsewhere =
        if all > arm.open.len() { format!(", {} in other arms", all - arm.open.len()) } else { String::new() };
    let proxy = arm
        .last()
        .and_then(|tally| tally.proxy)
        .map(|(cpu, memory)| format!("   proxy {:.0} % cpu, {:.0} MiB", cpu * 100.0, memory as f64 / 1_048_576.0));
    Row::new(vec![name, pen.ink(Ink::Plain, format!("{here}{elsewhere}{}", proxy.unwrap_or_default()))])
}
