//! One arm on a large terminal: axes, and events beside expectations.

use super::chart::{Scale, columns, decade, spark, spread};
use super::row::{Ink, Pen, Row, column};
use super::{Block, details, overview};
use crate::output::story::arm::ArmStory;
use crate::run::events::Tally;
use crate::slo::words::seconds;

/// Room beside the instances for what is told of them.
const TOLD: usize = 28;
/// Most rows of events and expectations.
const MOST_LISTED: usize = 40;
/// Most rows of instances.
const MOST_INSTANCES: usize = 12;

/// All of it.
pub(super) fn blocks(arm: &ArmStory, pen: Pen) -> Vec<Block<'_>> {
    let fill = move |rows| lists(arm, &pen, rows);
    let pen = &pen;
    vec![
        Block::gap(10),
        Block::new(0, vec![overview::rates(arm, pen)]),
        Block::new(1, vec![overview::in_phase(arm, pen)]),
        Block::gap(11),
        Block::new(5, times(arm, pen)),
        Block::gap(16),
        Block::new(4, vec![losses(arm, pen)]),
        Block::gap(17),
        Block::new(2, instances(arm, pen)),
        Block::gap(18),
        Block::new(3, vec![overview::says(arm, pen)]),
        Block::gap(14),
        Block::filling(6, 4, MOST_LISTED, fill),
        Block::gap(15),
        Block::new(3, vec![overview::generator(arm, pen), details::processes(arm, pen)]),
    ]
}

/// Room for the names of axis and instances.
fn names(arm: &ArmStory) -> usize {
    let longest = arm.watch.all().iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    (longest + 2).clamp(9, 20)
}

/// All pictures are as wide, so that the eye can go straight down.
fn picture(arm: &ArmStory, pen: &Pen) -> usize {
    pen.width.saturating_sub(names(arm) + TOLD)
}

/// 99th percentiles as columns over a log axis.
fn times(arm: &ArmStory, pen: &Pen) -> Vec<Row> {
    let scale = arm.outline.as_ref().map_or(Scale::Time(4), Scale::of_times);
    let Scale::Time(decades) = scale else { return Vec::new() };
    let (names, width) = (names(arm), picture(arm, pen));
    let values = spread(&arm.tallies, arm.length(), width, |tally| tally.p99.map(|micros| micros as f64));
    let now = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |micros| seconds(micros as f64 / 1e6));
    let (p99, p50) = (arm.last().and_then(|tally| tally.p99), arm.last().and_then(|tally| tally.p50));
    let mut rows = vec![
        Row::new(vec![pen.ink(Ink::Plain, "p99 of each second, from due time, log axis")])
            .right(vec![pen.ink(Ink::Plain, format!("now p99 {:>8}   p50 {:>8}", now(p99), now(p50)))]),
    ];
    let two_a_decade = decades as usize * 2;
    for (number, text) in columns(&values, scale, two_a_decade, pen.looks.ascii).into_iter().enumerate() {
        let name = if number % 2 == 0 { decade(decades - number as u32 / 2) } else { String::new() };
        rows.push(Row::new(vec![pen.ink(Ink::Faint, column(&name, names)), pen.ink(Ink::Plain, text)]));
    }
    let (line, seconds) = axis(arm, width, pen);
    rows.push(Row::new(vec![pen.ink(Ink::Faint, column(&decade(0), names)), pen.ink(Ink::Faint, line)]));
    rows.push(Row::new(vec![pen.ink(Ink::Faint, column("", names)), pen.ink(Ink::Faint, seconds)]));
    rows
}

/// Ticks each so many seconds, and their names.
fn axis(arm: &ArmStory, width: usize, pen: &Pen) -> (String, String) {
    let length = (arm.length() as f64 / 1e6).max(1.0);
    let room = (width as f64 / 12.0).max(1.0);
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
    let step = steps.into_iter().find(|step| length / step <= room).unwrap_or(3600.0);
    let (mut line, mut names): (Vec<&str>, String) = (vec![pen.sign("─", "-"); width], String::new());
    let mut at = 0.0;
    while at < length {
        let cell = (at / length * width as f64) as usize;
        if cell < width {
            line[cell] = pen.sign("┬", "+");
            names = column(&names, cell);
            names += &if at == 0.0 { "0 s".to_owned() } else { at.round().to_string() };
        }
        at += step;
    }
    (line.concat(), column(&names, width))
}

fn losses(arm: &ArmStory, pen: &Pen) -> Row {
    let scale = overview::lost_scale(arm);
    let values =
        spread(&arm.tallies, arm.length(), picture(arm, pen), |tally| Some(tally.lost() as f64 / tally.seconds()));
    Row::new(vec![
        pen.ink(Ink::Plain, column("lost/s", names(arm))),
        pen.ink(Ink::Lost, spark(&values, scale, pen.looks.ascii)),
        pen.ink(Ink::Faint, format!("  {}", scale.words())),
    ])
}

fn instances(arm: &ArmStory, pen: &Pen) -> Vec<Row> {
    let all = arm.watch.all();
    let scale = overview::arrival_scale(arm);
    let width = picture(arm, pen);
    let mut rows = vec![Row::new(vec![pen.ink(Ink::Faint, format!("instance, arrivals/s, {}", scale.words()))])];
    for (index, one) in all.iter().enumerate().take(MOST_INSTANCES) {
        let values = spread(&arm.tallies, arm.length(), width, |tally: &Tally| {
            tally.arrivals.get(index).map(|arrivals| arrivals.count as f64 / tally.seconds())
        });
        let (ink, state) = overview::state(arm.watch.state(index), pen);
        rows.push(Row::new(vec![
            pen.ink(Ink::Plain, column(&one.name, names(arm) - 1) + " "),
            pen.ink(Ink::Plain, column(&spark(&values, scale, pen.looks.ascii), width)),
            pen.ink(Ink::Plain, format!("{:>7.0}/s  ", one.rate)),
            pen.ink(ink, state),
        ]));
    }
    if all.len() > MOST_INSTANCES {
        rows.push(Row::new(vec![pen.ink(Ink::Faint, format!("and {} more", all.len() - MOST_INSTANCES))]));
    }
    rows
}

/// Events on the left, expectations on the right.
fn lists(arm: &ArmStory, pen: &Pen, rows: usize) -> Vec<Row> {
    let heads = |text: &str| Row::new(vec![pen.ink(Ink::Faint, text)]);
    let mut left = vec![heads("events")];
    left.extend(overview::latest_events(arm, pen, rows.saturating_sub(1)));
    let mut right = vec![heads("expectations so far")];
    right.extend(details::expectations(arm, pen));
    right.resize(left.len(), Row::default());
    left.iter().zip(&right).map(|(left, right)| Row::beside(left, right, pen.width / 2)).collect()
}
