//! Two arms beside each other, the control beside the run or one run beside another: the same series at the same scales.

use super::arrivals::{Arrivals, lost};
use super::chart::{Chart, Upright};
use super::frame::{TimeFrame, Width};
use super::svg::{Hatch, Paint, Svg, Type};
use super::theme::Token;
use super::{labels, latency, number, scale, slices};
use crate::record::Arm;

/// Height of a strip of counts.
const STRIP: f64 = 78.0;
/// Height of the latencies.
const LATENCY: f64 = 92.0;

/// One of the two that are shown beside each other.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What is drawn.
    pub arm: &'a Arm,
    /// Above its panel.
    pub name: &'a str,
    /// Behind the name.
    pub note: &'a str,
}

/// What both panels share.
struct Shared {
    step: usize,
    /// Attempts and losses a second at the top of a strip.
    most: (f64, f64),
    range: Option<std::ops::Range<f64>>,
    to: i64,
}

/// The instance that tells most: the first that a fault is on, or the first of a version that is released.
fn subject(arm: &Arm) -> Option<usize> {
    let faulty = arm.faults.first().map(|fault| fault.instance);
    let released = || {
        let first = arm.instances.first()?.version.as_ref()?;
        arm.instances.iter().position(|instance| instance.version.as_ref() != Some(first))
    };
    faulty.or_else(|| arm.instances.iter().position(|instance| instance.faulty)).or_else(released)
}

/// Draws two arms as a picture of this name: beside each other, or below each other on a narrow page.
pub fn beside(picture: &str, title: &str, sides: [Side<'_>; 2], width: Width) -> String {
    let arms = sides.map(|side| side.arm);
    let slots = |arm: &Arm| arm.outcomes.iter().map(|one| one.planned.len()).max().unwrap_or(0);
    let largest = |of: &dyn Fn(&Arm) -> u64| arms.map(of).into_iter().fold(0, u64::max);
    let step = slices::step(slots(arms[0]).max(slots(arms[1])), if width.narrow() { 150 } else { 300 });
    let seconds = slices::length(step) as f64 / 1e6;
    let arrivals = |arm: &Arm| {
        let offers = subject(arm).and_then(|at| arm.offers.iter().find(|offers| offers.instance == at));
        offers.map(|offers| Arrivals::of(offers, step)).as_ref().map_or(0, Arrivals::most)
    };
    let losses = |arm: &Arm| lost(arm, step).into_iter().max().unwrap_or(0);
    let a_second = |count: u64| count.max(1) as f64 / seconds;
    let shared = Shared {
        step,
        most: (a_second(largest(&arrivals)), a_second(largest(&losses))),
        range: latency::range(&arms, &[]),
        to: super::frame::end(arms[0]).max(super::frame::end(arms[1])),
    };
    let panel = 30.0 + 26.0 + STRIP * 2.0 + LATENCY + 50.0 + 30.0;
    let height = if width.narrow() { panel * 2.0 } else { panel };
    let all = |side: &Side<'_>| {
        format!("{}: {} requests were lost", side.name, number::count(lost(side.arm, step).iter().sum()))
    };
    let about = format!("{}; {}.", all(&sides[0]), all(&sides[1]));
    let mut svg = Svg::new(&format!("{picture}-{}", width.letter()), (width.pixels(), height), title, &about);
    let places = if width.narrow() {
        [(48.0, 350.0, 0.0), (48.0, 350.0, panel)]
    } else {
        [(86.0, 575.0, 0.0), (627.0, 1116.0, 0.0)]
    };
    for (side, place) in sides.into_iter().zip(places) {
        draw(&mut svg, &shared, side, place);
    }
    svg.finish()
}

fn draw(svg: &mut Svg, shared: &Shared, Side { arm, name, note }: Side<'_>, (left, right, top): (f64, f64, f64)) {
    let subject = subject(arm);
    let frame = TimeFrame { from: 0, to: shared.to, left, right };
    svg.text(left, top + 14.0, name, Type::BOLD);
    let beside = left + Type::BOLD.width(name) + 8.0;
    svg.text(beside, top + 14.0, &Type::SMALL.fitted(note, right - beside), Type::SMALL);
    // Numbers of the left panel serve both.
    let labelled = left < 600.0;
    let mut y = top + 38.0;
    let title = subject
        .and_then(|at| arm.instances.get(at))
        .map_or_else(|| "no instance was singled out".to_owned(), |instance| format!("attempts at {}", instance.name));
    svg.text(left, y - 4.0, &Type::SMALL.fitted(&title, right - left), Type::SMALL.token(Token::Ink));
    frame.bands(svg, arm, (y + 2.0, y + 2.0 + STRIP));
    let base = y + 2.0 + STRIP;
    strip(svg, &frame, base, shared.most.0, labelled);
    let offers = subject.and_then(|at| arm.offers.iter().find(|offers| offers.instance == at));
    let seconds = slices::length(shared.step) as f64 / 1e6;
    match offers {
        Some(offers) => Arrivals::of(offers, shared.step)
            .draw(svg, &frame, shared.step, base, |count| count as f64 / seconds / shared.most.0 * STRIP),
        None => svg.text(f64::midpoint(left, right), base - STRIP / 2.0, "no counts", Type::SMALL.middle()),
    }
    svg.line((left, base), (right, base), Paint::stroke(Token::Ink3, 1.0));
    y = base + 26.0;
    let losses = lost(arm, shared.step);
    svg.text(left, y - 4.0, "requests lost", Type::SMALL.token(Token::Ink));
    let style = Type::BOLD.token(Token::LostText).end();
    svg.text(right, y - 4.0, &number::count(losses.iter().sum()), style);
    let base = y + 2.0 + STRIP;
    frame.bands(svg, arm, (y + 2.0, base));
    strip(svg, &frame, base, shared.most.1, labelled);
    let tops: Vec<f64> = losses.iter().map(|count| *count as f64 / seconds / shared.most.1 * STRIP).collect();
    let bars = slices::bars(&tops, &vec![base; tops.len()], |number| frame.slice(number, shared.step));
    svg.path(&bars, Paint::hatch(Hatch::Lost));
    svg.line((left, base), (right, base), Paint::stroke(Token::Ink3, 1.0));
    y = base + 26.0;
    svg.text(left, y - 4.0, "response time: p50 and p99", Type::SMALL.token(Token::Ink));
    let base = y + 2.0 + LATENCY;
    frame.bands(svg, arm, (y + 2.0, base));
    if let Some(range) = &shared.range {
        let chart = Chart {
            x: 0.0..shared.to as f64,
            y: Upright::Log(range.clone()),
            across: (left, right),
            upright: (y + 2.0, base),
        };
        grid(svg, &chart, range, labelled);
        let slices = latency::slices(arm, 300);
        latency::steps(svg, &chart, &slices, |slice| Some(slice.p50), Paint::stroke(Token::Q50, 2.0));
        latency::steps(svg, &chart, &slices, |slice| slice.p99, Paint::stroke(Token::Q99, 2.2));
    }
    let end = super::frame::counted(arm);
    if end < shared.to {
        // The control stops when it has shown what it must.
        let text = if end < super::frame::end(arm) { "no data" } else { "ended here" };
        let x = frame.x(end);
        svg.line((x, top + 40.0), (x, base), Paint::stroke(Token::Ink3, 1.0).dash("2 3"));
        if x + Type::SMALL.width(text) + 8.0 < right {
            svg.text(x + 6.0, base - 10.0, text, Type::SMALL);
        }
    }
    frame.axis(svg, base);
}

fn strip(svg: &mut Svg, frame: &TimeFrame, base: f64, most: f64, labelled: bool) {
    let (_, tick) = scale::round_up(most, 2);
    let mut value = tick;
    while value <= most * 1.001 {
        let y = base - value / most * STRIP;
        svg.line((frame.left, y), (frame.right, y), Paint::stroke(Token::Grid, 1.0));
        if labelled {
            svg.text(frame.left - 6.0, y + 4.0, &labels::rate(value, frame.left - 7.0), Type::SMALL.end());
        }
        value += tick;
    }
    if labelled {
        svg.text(frame.left - 6.0, base + 4.0, "0", Type::SMALL.end());
    }
}

fn grid(svg: &mut Svg, chart: &Chart, range: &std::ops::Range<f64>, labelled: bool) {
    let ticks = scale::decade_ticks(range);
    let every = ticks.len().div_ceil(4);
    for (number, decade) in ticks.iter().enumerate() {
        let y = chart.y(*decade);
        svg.line((chart.across.0, y), (chart.across.1, y), Paint::stroke(Token::Grid, 1.0));
        if labelled && number % every == 0 {
            svg.text(chart.across.0 - 6.0, y + 4.0, &scale::decade_label(*decade), Type::SMALL.end());
        }
    }
}
