//! Processor time and memory of each process by second, in strips on the time axis of all other pictures.
//!
//! What is not known is a gap: seconds without a sample, and the time between the death of a process and its restart.

use super::frame::{self, TimeFrame, Width};
use super::svg::{Hatch, Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, number, scale};
use crate::record::{Arm, EventKind, Micros, Process, SECOND};

/// Most slices of a strip.
fn most_slices(width: Width) -> usize {
    if width.narrow() { 120 } else { 300 }
}

/// Most processes that are drawn; all are in the table.
const MOST: usize = 16;
/// A value that stands out further than this from nearly all others is cut, and written beside its bar.
const OUTLIER: f64 = 3.0;
/// Above each half: its name.
const HEAD: f64 = 24.0;
/// A process that was away shows a gap at least this wide, pixels.
const GAP: f64 = 3.0;

/// Seconds of a slice in this picture.
pub fn slice_seconds(arm: &Arm, width: Width) -> i64 {
    let seconds = frame::end(arm).div_euclid(SECOND) + 1;
    let most = most_slices(width) as i64;
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600]
        .into_iter()
        .find(|step| seconds / step <= most)
        .unwrap_or(seconds / most + 1)
}

/// When a process was away, as its supervisor saw it: from its end until it was started again.
fn away(arm: &Arm, name: &str) -> Vec<(Micros, Micros)> {
    let end = frame::end(arm);
    let instance = arm.instances.iter().position(|instance| instance.name == name);
    let killed = || arm.faults.iter().filter(|fault| fault.kind == "kill" && Some(fault.instance) == instance);
    let mut away = Vec::new();
    for gone in arm.events.iter().filter(|event| event.kind == EventKind::Gone && event.subject == name) {
        let back = |kind: EventKind| {
            arm.events.iter().filter(move |event| event.kind == kind && event.subject == name && event.at >= gone.at)
        };
        // Who killed it starts it again when the fault is cleared.
        let cleared = killed().filter_map(|fault| fault.cleared).filter(|at| *at >= gone.at);
        let until = back(EventKind::Restarted).map(|event| event.at).chain(cleared).min().unwrap_or(end);
        away.push((gone.at, until.min(end)));
    }
    away
}

/// A slice of one process: its time, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slice {
    from: Micros,
    to: Micros,
    /// Share of a core.
    cpu: Option<f64>,
    /// Bytes.
    memory: Option<u64>,
}

fn slices(process: &Process, away: &[(Micros, Micros)], step: i64, end: Micros) -> Vec<Slice> {
    let gone = |from: Micros, to: Micros| away.iter().any(|(gone, back)| *gone <= from && *back >= to);
    let second = |at: Micros| {
        let index = usize::try_from((at - process.from).div_euclid(SECOND)).ok();
        let known = index.filter(|_| !gone(at, at + SECOND));
        let memory = known.and_then(|index| process.memory.get(index).copied()).filter(|bytes| *bytes > 0);
        (known.and_then(|index| process.cpu.get(index).copied()), memory)
    };
    let length = step * SECOND;
    (0..(end + length - 1).div_euclid(length))
        .map(|number| number * length)
        .map(|from| {
            let to = (from + step * SECOND).min(end);
            let seconds: Vec<_> = (0..step).map(|n| second(from + n * SECOND)).collect();
            let cpu: Vec<u64> = seconds.iter().filter_map(|one| one.0).collect();
            let share = || cpu.iter().sum::<u64>() as f64 / (cpu.len() as f64 * SECOND as f64);
            Slice { from, to, cpu: (!cpu.is_empty()).then(share), memory: seconds.iter().filter_map(|one| one.1).max() }
        })
        .collect()
}

/// A process, or an instance that no process was measured of.
struct Row<'a> {
    name: &'a str,
    instance: Option<usize>,
    away: Vec<(Micros, Micros)>,
    slices: Vec<Slice>,
}

fn rows(arm: &Arm, width: Width) -> Vec<Row<'_>> {
    let (step, end) = (slice_seconds(arm, width), frame::end(arm));
    let instance = |name: &str| arm.instances.iter().position(|instance| instance.name == name);
    let mut rows: Vec<Row<'_>> = arm
        .processes
        .iter()
        .map(|process| {
            let away = away(arm, &process.name);
            let slices = slices(process, &away, step, end);
            Row { name: &process.name, instance: instance(&process.name), away, slices }
        })
        .collect();
    for (at, instance) in arm.instances.iter().enumerate() {
        if !rows.iter().any(|row| row.name == instance.name) {
            rows.push(Row { name: &instance.name, instance: Some(at), away: Vec::new(), slices: Vec::new() });
        }
    }
    rows.truncate(MOST);
    rows
}

/// The height of a scale: the largest value, or so that a lone outlier does not flatten all others.
fn ceiling(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(most) = values.last().copied() else { return 1.0 };
    let usual = values[(values.len() - 1) * 19 / 20];
    let most = if usual > 0.0 && most > usual * OUTLIER { usual * 1.25 } else { most };
    scale::round_up(most, 4).0
}

/// One of the two halves.
struct Half<'a> {
    title: &'a str,
    series: &'static str,
    value: fn(&Slice) -> Option<f64>,
    show: fn(f64) -> String,
    most: f64,
    filled: bool,
}

/// Draws the picture; None if no process was measured.
pub fn resources(arm: &Arm, width: Width) -> Option<String> {
    let rows = rows(arm, width);
    if arm.processes.is_empty() {
        return None;
    }
    let frame = TimeFrame::of(arm, width);
    let strip = match rows.len() {
        0..=6 => 34.0,
        7..=10 => 26.0,
        _ => 18.0,
    };
    let pitch = strip + if width.narrow() { 24.0 } else { 10.0 };
    let top = TimeFrame::header_height(arm);
    let height = rows.len() as f64 * pitch + HEAD;
    let bottom = top + 2.0 * height + 8.0;
    let most = |value: fn(&Slice) -> Option<f64>| -> f64 {
        ceiling(rows.iter().flat_map(|row| &row.slices).filter_map(value).collect())
    };
    let cpu: fn(&Slice) -> Option<f64> = |slice| slice.cpu;
    let memory: fn(&Slice) -> Option<f64> = |slice| slice.memory.map(|bytes| bytes as f64 / 1_048_576.0);
    let halves = [
        Half {
            title: if width.narrow() { "CPU, % of a core" } else { "CPU, share of a core" },
            series: "cpu",
            value: cpu,
            show: |share| format!("{}{}%", number::trimmed(number::three(share * 100.0)), number::NARROW),
            most: most(cpu),
            filled: true,
        },
        Half {
            title: if width.narrow() { "memory, MiB" } else { "memory, resident" },
            series: "memory",
            value: memory,
            show: |mib| format!("{}{}MiB", number::trimmed(number::three(mib)), number::NARROW),
            most: most(memory),
            filled: false,
        },
    ];
    let mut svg = Svg::new(
        &id("resources", arm, width),
        (width.pixels(), bottom + 24.0),
        "Processor time and memory of each process over time",
        &about(&rows, &halves),
    );
    frame.tell(&mut svg);
    frame.bands(&mut svg, arm, (top, bottom));
    frame.header(&mut svg, arm, 0.0);
    for (number, half) in halves.iter().enumerate() {
        let top = top + number as f64 * (height + 4.0);
        let x = if width.narrow() { 2.0 } else { 0.0 };
        let style = Type::SMALL.token(Token::Ink);
        svg.rect(x, top + 4.0, (style.width(half.title) + 2.0, 14.0), Paint::fill(Token::Bg).opacity(0.85));
        svg.text(x, top + 15.0, half.title, style);
        for (at, row) in rows.iter().enumerate() {
            let y = top + HEAD + at as f64 * pitch + if width.narrow() { 14.0 } else { 0.0 };
            draw(&mut svg, arm, &frame, width, half, row, (y, strip));
        }
    }
    frame.axis(&mut svg, bottom);
    Some(svg.finish())
}

fn largest(row: &Row<'_>, half: &Half<'_>) -> Option<f64> {
    row.slices.iter().filter_map(half.value).reduce(f64::max)
}

fn about(rows: &[Row<'_>], halves: &[Half<'_>; 2]) -> String {
    let one = |row: &Row<'_>| {
        let most = |half: &Half<'_>| largest(row, half).map_or_else(|| "not measured".to_owned(), half.show);
        format!("{}: most CPU {}, most memory {}", row.name, most(&halves[0]), most(&halves[1]))
    };
    format!("{}.", rows.iter().map(one).collect::<Vec<_>>().join("; "))
}

fn draw(
    svg: &mut Svg,
    arm: &Arm,
    frame: &TimeFrame,
    width: Width,
    half: &Half<'_>,
    row: &Row<'_>,
    (top, strip): (f64, f64),
) {
    let base = top + strip;
    name(svg, frame, width, half, row, (top, strip));
    if let Some(instance) = row.instance {
        frame.hatch(svg, arm, instance, (top, base));
    }
    svg.line((frame.left, top), (frame.right, top), Paint::stroke(Token::Grid, 1.0));
    let known: Vec<&Slice> = row.slices.iter().filter(|slice| (half.value)(slice).is_some()).collect();
    if known.is_empty() {
        nothing(svg, (frame.left, frame.right), (top, base), "not measured");
        return;
    }
    let y = |value: f64| base - (value / half.most).min(1.0) * strip;
    let gaps = gaps(frame, row);
    svg.series(half.series, |svg| {
        for run in runs(&row.slices, half) {
            for (from, to) in between(frame.x(run[0].from), frame.x(run[run.len() - 1].to), &gaps) {
                let (mut line, mut area) = (Path::default(), Path::default());
                area.go(from, base);
                let clipped =
                    run.iter().map(|slice| (frame.x(slice.from).max(from), frame.x(slice.to).min(to), *slice));
                for (left, right, slice) in clipped.filter(|(left, right, _)| right > left) {
                    let y = y((half.value)(slice).unwrap_or(0.0));
                    if line.is_empty() {
                        line.go(left, y);
                    } else {
                        line.up(y);
                    }
                    area.up(y);
                    line.across(right);
                    area.across(right);
                }
                area.up(base);
                area.close();
                if half.filled {
                    svg.path(&area, Paint::fill(Token::OkSoft));
                    svg.path(&line, Paint::stroke(Token::Ok, 1.2));
                } else {
                    svg.path(&line, Paint::stroke(Token::Q90, 1.6));
                }
            }
        }
    });
    svg.line((frame.left, base), (frame.right, base), Paint::stroke(Token::Ink3, 1.0));
    beyond(svg, frame, half, &known, (top, strip));
    for ((gone, back), (from, to)) in row.away.iter().zip(&gaps) {
        let text = if *back < frame.to { "restarted" } else { "gone" };
        missing(svg, frame, (*from, *to), (top, base), text, *back > *gone);
    }
    let measured = (known[0].from, known[known.len() - 1].to);
    let first = if row.away.iter().any(|(gone, _)| *gone <= 0) { frame.left } else { frame.x(measured.0) };
    nothing(svg, (frame.left, first), (top, base), "no data");
    if !row.away.iter().any(|(_, back)| *back >= frame.to) {
        nothing(svg, (frame.x(measured.1), frame.right), (top, base), "no data");
    }
}

/// Slices of known value that follow one another.
fn runs<'a>(slices: &'a [Slice], half: &Half<'_>) -> Vec<Vec<&'a Slice>> {
    slices
        .split(|slice| (half.value)(slice).is_none())
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().collect())
        .collect()
}

/// Where a process was away, pixels; wide enough to be seen.
fn gaps(frame: &TimeFrame, row: &Row<'_>) -> Vec<(f64, f64)> {
    row.away
        .iter()
        .map(|(gone, back)| {
            let (from, to) = (frame.x(*gone), frame.x(*back));
            let more = ((GAP - (to - from)) / 2.0).max(0.0);
            (from - more, to + more)
        })
        .collect()
}

/// What is left of a stretch without its gaps.
fn between(from: f64, to: f64, gaps: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut left = vec![(from, to)];
    for (gone, back) in gaps {
        left = left
            .into_iter()
            .flat_map(|(from, to)| [(from, to.min(*gone)), (from.max(*back), to)])
            .filter(|(from, to)| to - from > 0.05)
            .collect();
    }
    left
}

/// Values beyond the scale: a mark at the top, and the number where there is room.
fn beyond(svg: &mut Svg, frame: &TimeFrame, half: &Half<'_>, known: &[&Slice], (top, strip): (f64, f64)) {
    let above =
        known.iter().filter_map(|slice| Some((slice, (half.value)(slice).filter(|value| *value > half.most * 1.001)?)));
    let Some((slice, value)) = above.max_by(|one, other| one.1.total_cmp(&other.1)) else { return };
    let x = f64::midpoint(frame.x(slice.from), frame.x(slice.to));
    let mut path = Path::default();
    path.go(x - 4.0, top + 7.0);
    path.to(x, top + 1.0);
    path.to(x + 4.0, top + 7.0);
    path.close();
    svg.path(&path, Paint::fill(Token::Ink2));
    let text = (half.show)(value);
    let room = Type::SMALL.width(&text);
    let at = if x - 8.0 - room > frame.left { x - 8.0 - room } else { x + 8.0 };
    svg.rect(at - 2.0, top + 1.0, (room + 4.0, 13.0_f64.min(strip)), Paint::fill(Token::Bg).opacity(0.8));
    svg.text(at, top + 11.5, &text, Type::SMALL.token(Token::Ink));
}

/// A process that was away: an empty stretch between two edges, and what became of it.
fn missing(svg: &mut Svg, frame: &TimeFrame, (from, to): (f64, f64), (top, base): (f64, f64), text: &str, edges: bool) {
    svg.rect(from, top, (to - from, base - top), Paint::fill(Token::Bg));
    if edges {
        let edge = Paint::stroke(Token::Ink3, 1.0).dash("2 2");
        svg.line((from, top), (from, base), edge);
        svg.line((to, top), (to, base), edge);
    }
    let room = Type::SMALL.width(text);
    if to - from > room + 6.0 {
        let text = if text == "restarted" { "gone" } else { text };
        svg.text(f64::midpoint(from, to), f64::midpoint(top, base) + 4.0, text, Type::SMALL.middle());
    } else if text == "restarted" {
        let x = if to + 4.0 + room < frame.right { to + 4.0 } else { from - 4.0 - room };
        svg.rect(x - 2.0, top + 1.0, (room + 4.0, 13.0), Paint::fill(Token::Bg).opacity(0.8));
        svg.text(x, top + 11.5, text, Type::SMALL);
    }
}

/// A stretch without samples: hatched, never a line at zero.
fn nothing(svg: &mut Svg, (from, to): (f64, f64), (top, base): (f64, f64), text: &str) {
    if to - from < 1.0 {
        return;
    }
    svg.rect(from, top, (to - from, base - top), Paint::hatch(Hatch::Ink).opacity(0.35));
    let half = Type::SMALL.width(text) / 2.0 + 5.0;
    if to - from > half * 2.0 + 4.0 {
        let (x, y) = (f64::midpoint(from, to), f64::midpoint(top, base));
        svg.rect(x - half, y - 8.0, (half * 2.0, 16.0), Paint::fill(Token::Bg));
        svg.text(x, y + 4.0, text, Type::SMALL.middle());
    }
}

/// The name of a row, the top of its scale, and its largest value.
fn name(svg: &mut Svg, frame: &TimeFrame, width: Width, half: &Half<'_>, row: &Row<'_>, (top, strip): (f64, f64)) {
    let most = largest(row, half).map(half.show);
    let scale = (half.show)(half.most);
    if width.narrow() {
        let text = most.map_or_else(|| "not measured".to_owned(), |most| format!("most {most}"));
        let room = frame.right - Type::SMALL.width(&text) - 16.0;
        svg.text(
            2.0,
            top - 5.0,
            &Type { size: 11.5, ..Type::BOLD }.fitted(row.name, room),
            Type { size: 11.5, ..Type::BOLD },
        );
        svg.text(frame.right, top - 5.0, &text, Type::SMALL.end());
        let short = Type::SMALL.fitted(scale.split(number::NARROW).next().unwrap_or(""), frame.left - 8.0);
        svg.text(frame.left - 6.0, top + 9.0, &short, Type::SMALL.end());
        return;
    }
    let room = frame.left - Type::SMALL.width(&scale) - 14.0;
    svg.text(0.0, top + strip.min(26.0) / 2.0 + 4.0, &Type::BOLD.fitted(row.name, room), Type::BOLD);
    svg.text(frame.left - 6.0, top + 8.0, &scale, Type::SMALL.end());
    if strip > 24.0 {
        svg.text(frame.left - 6.0, top + strip + 3.0, "0", Type::SMALL.end());
    }
    if let Some(most) = most {
        svg.text(frame.right + 10.0, top + strip / 2.0 + 4.0, &format!("most {most}"), Type::SMALL);
    }
}

#[cfg(test)]
mod tests;
