//! The healing picture: what each instance was offered, when the fault was on, when it was out and back, and what was lost.

use super::arrivals::{Arrivals, lost, spells};
use super::frame::{TimeFrame, Width};
use super::svg::{Hatch, Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, labels, marks, number, scale, slices};
use crate::record::{Arm, Instance, Micros, Offers, SECOND, SaidKind};

/// The name of the row of losses.
const LOST: &str = "requests lost";

/// Pixels between the end of a row's name and the frame, on a wide page: the labels of the gridlines stand there.
const NAME_END: f64 = 46.0;

/// Most slices that are drawn.
fn most_slices(width: Width) -> usize {
    if width.narrow() { 150 } else { 600 }
}

/// Slots of a slice in the pictures of arrivals.
pub fn slice(arm: &Arm, width: Width) -> usize {
    slices::step(slots(arm), most_slices(width))
}

fn slots(arm: &Arm) -> usize {
    let counted = arm.outcomes.iter().map(|one| one.planned.len());
    counted.chain(arm.offers.iter().map(|one| one.offered.len())).max().unwrap_or(0)
}

/// Where the parts of the picture stand.
struct Layout {
    frame: TimeFrame,
    width: Width,
    top: f64,
    rows: Vec<f64>,
    lost: f64,
    strip: f64,
    lost_strip: f64,
    bottom: f64,
}

impl Layout {
    fn of(arm: &Arm, width: Width, any_lost: bool) -> Self {
        let frame = TimeFrame::of(arm, width);
        let strip = match arm.instances.len() {
            0..=4 => 58.0,
            5..=8 => 42.0,
            _ => 26.0,
        };
        // On a narrow page the name of a row stands above it.
        let name = if width.narrow() { 26.0 } else { 0.0 };
        let top = TimeFrame::header_height(arm);
        let mut y = top + 6.0;
        let mut rows = Vec::new();
        for (number, _) in arm.instances.iter().enumerate() {
            // The marks stand between the name of the first row and its strip.
            y += name + if number == 0 { marks::height(arm, &frame, !width.narrow()) } else { 0.0 };
            rows.push(y);
            y += strip + if says(arm, number) { 27.0 } else { 8.0 } + if width.narrow() { 4.0 } else { 16.0 };
        }
        let lost_strip = if any_lost { strip } else { 14.0 };
        let lost = y + name;
        Self { frame, width, top, rows, lost, strip, lost_strip, bottom: lost + lost_strip }
    }
}

fn says(arm: &Arm, instance: usize) -> bool {
    arm.said.iter().any(|said| said.instance == instance)
}

/// Draws the picture. Instances without counts are hatched as such, never drawn as zero.
pub fn healing(arm: &Arm, width: Width) -> String {
    let step = slice(arm, width);
    let seconds = slices::length(step) as f64 / SECOND as f64;
    let lost = lost(arm, step);
    let layout = Layout::of(arm, width, lost.iter().any(|count| *count > 0));
    let frame = layout.frame;
    let mut svg = Svg::new(
        &id("healing", arm, width),
        (width.pixels(), layout.bottom + 24.0),
        "Attempts offered to each instance over time, and requests lost",
        &about(arm),
    );
    frame.tell(&mut svg);
    frame.bands(&mut svg, arm, (layout.top, layout.bottom));
    frame.header(&mut svg, arm, 0.0);
    let arrivals: Vec<Option<Arrivals>> = (0..arm.instances.len())
        .map(|number| arm.offers.iter().find(|offers| offers.instance == number))
        .map(|offers| offers.filter(|offers| !offers.offered.is_empty()).map(|offers| Arrivals::of(offers, step)))
        .collect();
    let most = arrivals.iter().flatten().map(Arrivals::most).chain(lost.iter().copied()).max().unwrap_or(0);
    let most = most as f64 / seconds;
    let height = |count: u64| count as f64 / seconds / most.max(1e-9) * layout.strip;
    let (_, tick) = scale::round_up(most, 2);
    for (number, instance) in arm.instances.iter().enumerate() {
        let (top, base) = (layout.rows[number], layout.rows[number] + layout.strip);
        frame.hatch(&mut svg, arm, number, (top, base));
        let arrivals = arrivals[number].as_ref();
        let offers = arm.offers.iter().find(|offers| offers.instance == number);
        name(
            &mut svg,
            &layout,
            top,
            &instance.name,
            &state(arm, number, instance),
            offers.filter(|_| arrivals.is_some()),
        );
        match arrivals {
            Some(arrivals) => {
                grid(&mut svg, &layout, (base, most), tick);
                even(&mut svg, arm, &layout, instance, (base, most));
                arrivals.draw(&mut svg, &frame, step, base, height);
                svg.line((frame.left, base), (frame.right, base), Paint::stroke(Token::Ink3, 1.0));
                frame.missing(&mut svg, offers.map_or(0, |one| one.offered.len()), (top, base + 1.0));
            }
            None => no_counts(&mut svg, &frame, (top, layout.strip)),
        }
        said(&mut svg, arm, &layout, number, base + 11.0);
    }
    losses(&mut svg, arm, &layout, &lost, step, height);
    if layout.lost_strip > 20.0 {
        grid(&mut svg, &layout, (layout.bottom, most), tick);
    }
    if layout.lost_strip > 12.0 {
        let counted = arm.outcomes.iter().map(|one| one.planned.len()).max();
        frame.missing(&mut svg, counted.unwrap_or(0), (layout.lost, layout.bottom));
    }
    let first = layout.rows.first().copied().unwrap_or(layout.top);
    let above = first - marks::height(arm, &frame, !width.narrow());
    marks::draw(&mut svg, arm, &frame, above, !width.narrow(), |subject| {
        let row = arm.instances.iter().position(|instance| instance.name == subject);
        row.map_or(layout.bottom, |row| layout.rows[row] + layout.strip)
    });
    frame.axis(&mut svg, layout.bottom);
    svg.finish()
}

fn about(arm: &Arm) -> String {
    let row = |(number, instance): (usize, &Instance)| {
        let offers = arm.offers.iter().find(|offers| offers.instance == number);
        match offers {
            Some(offers) => format!("{} was offered {} attempts", instance.name, number::count(total(&offers.offered))),
            None => format!("{} has no counts", instance.name),
        }
    };
    let rows: Vec<_> = arm.instances.iter().enumerate().map(row).collect();
    let marks: Vec<_> = arm
        .marks
        .iter()
        .enumerate()
        .map(|(at, mark)| format!("{} at {}: {}", at + 1, number::instant(mark.at), marks::label(arm, mark)))
        .collect();
    format!("{}. Marks: {}.", rows.join("; "), if marks.is_empty() { "none".to_owned() } else { marks.join("; ") })
}

fn total(series: &[u32]) -> u64 {
    series.iter().map(|count| u64::from(*count)).sum()
}

fn state(arm: &Arm, number: usize, instance: &Instance) -> String {
    let faults = super::frame::faults(arm);
    match faults.iter().find(|fault| fault.instance == number) {
        Some(fault) => {
            let (from, to) = super::frame::span(arm, fault);
            let seconds = |at: Micros| number::trimmed(format!("{:.1}", at as f64 / 1e6));
            let long = format!("{}, {} to {} s", fault.kind, seconds(from), seconds(to));
            if Type::SMALL.width(&long) <= 88.0 {
                long
            } else {
                format!("{} {}–{} s", fault.kind, seconds(from), seconds(to))
            }
        }
        None if instance.faulty => "faulty".to_owned(),
        None => match &instance.version {
            Some(version) => format!("version {version}"),
            None if faults.is_empty() => String::new(),
            None => "never faulty".to_owned(),
        },
    }
}

/// The name of a row, its state, and its total.
fn name(svg: &mut Svg, layout: &Layout, top: f64, name: &str, note: &str, offers: Option<&Offers>) {
    let all = offers.map(|offers| total(&offers.offered) + total(&offers.inferred));
    let kept = offers.map_or(0, |offers| {
        offers.withheld.values().map(|series| total(series)).sum::<u64>() + total(&offers.cut) + total(&offers.inferred)
    });
    if layout.width.narrow() {
        let above = if (top - layout.rows[0]).abs() < 0.1 { layout.top + 20.0 } else { top - 12.0 };
        let all = all.map_or_else(|| "no counts".to_owned(), |all| format!("{} attempts", number::count(all)));
        let text = if kept > 0 { format!("{all}, {} blocked", number::count(kept)) } else { all };
        let room = layout.width.pixels() - Type::SMALL.width(&text) - 20.0;
        svg.text(2.0, above, &Type::BOLD.fitted(name, room), Type::BOLD);
        svg.text(layout.frame.right, above, &text, Type::SMALL.end());
        return;
    }
    let room = layout.frame.left - NAME_END;
    svg.text(0.0, top + 13.0, &Type::BOLD.fitted(name, room), Type::BOLD);
    if layout.strip > 30.0 {
        svg.text(0.0, top + 29.0, &Type::SMALL.fitted(note, room + 4.0), Type::SMALL);
    }
    let x = layout.frame.right + 10.0;
    let Some(all) = all else { return };
    svg.text(x, top + 13.0, &number::count(all), Type::BOLD);
    let second = Type::SMALL;
    if layout.strip > 30.0 {
        if kept > 0 {
            let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
            svg.text(x, top + 29.0, &style.fitted(&format!("{} blocked", number::count(kept)), 96.0), style);
        } else {
            svg.text(x, top + 29.0, "attempts", second);
        }
    }
}

/// Gridlines and their labels, above the base line.
fn grid(svg: &mut Svg, layout: &Layout, (base, most): (f64, f64), tick: f64) {
    let frame = layout.frame;
    svg.text(frame.left - 6.0, base + 4.0, "0", Type::SMALL.end());
    let mut value = tick;
    let mut last = base;
    while value <= most * 1.001 {
        let y = base - value / most * layout.strip;
        svg.line((frame.left, y), (frame.right, y), Paint::stroke(Token::Grid, 1.0));
        if last - y >= 14.0 {
            svg.text(frame.left - 6.0, y + 4.0, &rate(value, layout), Type::SMALL.end());
            last = y;
        }
        value += tick;
    }
}

/// A rate beside its line, in the longest form that stands clear of the names of the rows.
fn rate(value: f64, layout: &Layout) -> String {
    if layout.width.narrow() {
        return number::short(value);
    }
    let names = Type::BOLD.width(LOST).max(layout.frame.left - NAME_END);
    labels::rate(value, layout.frame.left - 10.0 - names)
}

/// An even share of a steady load, dotted; nothing where the load is not steady or versions share it otherwise.
fn even(svg: &mut Svg, arm: &Arm, layout: &Layout, instance: &Instance, (base, most): (f64, f64)) {
    if let Some(share) = even_share(arm, instance).filter(|share| *share <= most) {
        let y = base - share / most * layout.strip;
        let frame = layout.frame;
        svg.line((frame.left, y), (frame.right, y), Paint::stroke(Token::Ink3, 1.0).dash("2 3"));
    }
}

/// Requests a second that each instance of a service would get, if the load is steady and evenly spread.
pub fn even_share(arm: &Arm, instance: &Instance) -> Option<f64> {
    let peers: Vec<_> = arm.instances.iter().filter(|other| other.service == instance.service).collect();
    if peers.iter().any(|peer| peer.version.is_some()) {
        return None;
    }
    let mut share = 0.0;
    for flow in arm.flows.iter().enumerate().filter(|(_, flow)| flow.to == instance.service) {
        let planned = &arm.outcomes.iter().find(|outcomes| outcomes.flow == flow.0)?.planned;
        let seconds = slices::sums(planned.get(..planned.len() / 10 * 10)?, 10);
        let (least, most) = (seconds.iter().min()?, seconds.iter().max()?);
        if *most as f64 > *least as f64 * 1.1 + 1.0 {
            return None;
        }
        share += flow.1.rate / peers.len() as f64;
    }
    (share > 0.0).then_some(share)
}

fn no_counts(svg: &mut Svg, frame: &TimeFrame, (top, height): (f64, f64)) {
    svg.rect(frame.left, top, (frame.right - frame.left, height), Paint::hatch(Hatch::Ink).opacity(0.35));
    let text = "no counts";
    let x = f64::midpoint(frame.left, frame.right);
    let half = Type::PLAIN.width(text) / 2.0 + 6.0;
    svg.rect(x - half, top + height / 2.0 - 10.0, (half * 2.0, 20.0), Paint::fill(Token::Bg));
    svg.text(x, top + height / 2.0 + 4.5, text, Type::PLAIN.middle());
}

/// Stretches in which the proxy says that an instance is out.
pub fn said_spans(arm: &Arm, instance: usize) -> Vec<(Micros, Micros)> {
    let mut spans = Vec::new();
    let mut since = None;
    for word in arm.said.iter().filter(|said| said.instance == instance) {
        match (word.what, since) {
            (SaidKind::Ejected, None) => since = Some(word.at),
            (SaidKind::Readmitted, Some(from)) => {
                spans.push((from, word.at));
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|from| (from, super::frame::end(arm))));
    spans
}

/// The proxy's own word as a row below the strip.
fn said(svg: &mut Svg, arm: &Arm, layout: &Layout, instance: usize, y: f64) {
    if !says(arm, instance) {
        return;
    }
    let frame = layout.frame;
    svg.line((frame.left, y + 4.0), (frame.right, y + 4.0), Paint::stroke(Token::Grid, 1.0));
    let spans = said_spans(arm, instance);
    svg.series("said", |svg| {
        for (from, to) in &spans {
            let (from, to) = (frame.x(*from), frame.x(*to));
            svg.rect(from, y, ((to - from).max(1.0), 8.0), Paint::fill(Token::Said));
        }
    });
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::Said);
    if layout.width.narrow() {
        let x = spans.first().map_or(frame.left, |(from, _)| frame.x(*from));
        let text = "proxy says out";
        svg.backed(x.min(frame.right - style.width(text)), y + 19.0, text, style);
    } else {
        svg.text(frame.left - 6.0, y + 8.0, "proxy says out", style.end());
    }
}

/// The strip of lost requests, with the sum of each spell above it.
fn losses(svg: &mut Svg, arm: &Arm, layout: &Layout, lost: &[u64], step: usize, height: impl Fn(u64) -> f64) {
    let (frame, base) = (layout.frame, layout.bottom);
    let all: u64 = lost.iter().sum();
    let judged: u64 = arm.outcomes.iter().map(|outcomes| total(&outcomes.planned)).sum();
    let known = !arm.outcomes.is_empty();
    if layout.width.narrow() {
        // The sum of a spell that fills the strip stands between it and this line.
        let line = layout.lost - 16.0;
        svg.text(2.0, line, LOST, Type::BOLD);
        let text =
            if known { format!("{} of {}", number::count(all), number::count(judged)) } else { "no data".to_owned() };
        svg.text(frame.right, line, &text, Type::SMALL.end());
    } else {
        svg.text(0.0, layout.lost + 11.0, LOST, Type::BOLD);
        let x = frame.right + 10.0;
        if known {
            let style = if all > 0 { Type::BOLD.token(Token::LostText) } else { Type::BOLD };
            svg.text(x, layout.lost + 11.0, &number::count(all), style);
            if layout.lost_strip > 20.0 {
                svg.text(x, layout.lost + 27.0, &format!("of {}", number::count(judged)), Type::SMALL);
            } else {
                svg.text(
                    x + Type::BOLD.width(&number::count(all)) + 5.0,
                    layout.lost + 11.0,
                    &format!("of {}", number::count(judged)),
                    Type::SMALL,
                );
            }
        } else {
            svg.text(x, layout.lost + 11.0, "no data", Type::SMALL);
        }
    }
    let tops: Vec<f64> = lost.iter().map(|count| height(*count)).collect();
    let bars: Path = slices::bars(&tops, &vec![base; tops.len()], |number| frame.slice(number, step));
    svg.series("lost", |svg| svg.path(&bars, Paint::hatch(Hatch::Lost)));
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
    let spells = spells(lost);
    let boxes: Vec<(f64, f64)> = spells
        .iter()
        .map(|(from, to, sum)| {
            let half = style.width(&number::count(*sum)) / 2.0;
            let middle = f64::midpoint(frame.slice(*from, step), frame.slice(*to, step))
                .clamp(frame.left + half, frame.right - half);
            (middle - half, middle + half)
        })
        .collect();
    let free = labels::in_line(&boxes, 4.0);
    for (((from, to, sum), (left, right)), _) in spells.iter().zip(&boxes).zip(free).filter(|(_, free)| *free) {
        let highest = tops[*from..*to].iter().copied().fold(0.0, f64::max);
        svg.backed(f64::midpoint(*left, *right), base - highest - 4.0, &number::count(*sum), style.middle());
    }
}
