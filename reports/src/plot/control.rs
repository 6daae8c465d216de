//! The control beside the run: the same series at the same scales.

use super::chart::{Chart, Upright};
use super::frame::{TimeFrame, Width};
use super::healing::{Arrivals, lost};
use super::svg::{Hatch, Paint, Svg, Type};
use super::theme::Token;
use super::{latency, number, scale, slices};
use crate::record::Arm;

/// Height of a strip of counts.
const STRIP: f64 = 78.0;
/// Height of the latencies.
const LATENCY: f64 = 92.0;

/// What both panels share.
struct Shared<'a> {
    subject: Option<(usize, &'a str)>,
    step: usize,
    /// Attempts and losses a second at the top of a strip.
    most: (f64, f64),
    range: Option<std::ops::Range<f64>>,
    to: i64,
}

/// The instance that tells most: the first that a fault is on, or the first of a version that is released.
fn subject(arm: &Arm) -> Option<(usize, &str)> {
    let faulty = arm.faults.first().map(|fault| fault.instance);
    let released = || {
        let first = arm.instances.first()?.version.as_ref()?;
        arm.instances.iter().position(|instance| instance.version.as_ref() != Some(first))
    };
    let at = faulty.or_else(|| arm.instances.iter().position(|instance| instance.faulty)).or_else(released)?;
    Some((at, arm.instances.get(at)?.name.as_str()))
}

/// Draws both arms: beside each other, or below each other on a narrow page.
pub fn control(main: &Arm, control: &Arm, width: Width) -> String {
    let slots = |arm: &Arm| arm.outcomes.iter().map(|one| one.planned.len()).max().unwrap_or(0);
    let step = slices::step(slots(main).max(slots(control)), if width.narrow() { 150 } else { 300 });
    let seconds = slices::length(step) as f64 / 1e6;
    let subject = subject(main);
    let arrivals = |arm: &Arm| {
        let offers = subject.and_then(|(at, _)| arm.offers.iter().find(|offers| offers.instance == at));
        offers.map(|offers| Arrivals::of(offers, step)).as_ref().map_or(0, Arrivals::most)
    };
    let losses = |arm: &Arm| lost(arm, step).into_iter().max().unwrap_or(0);
    let most = |one: u64, other: u64| one.max(other).max(1) as f64 / seconds;
    let shared = Shared {
        subject,
        step,
        most: (most(arrivals(main), arrivals(control)), most(losses(main), losses(control))),
        range: latency::range(&[main, control], &[]),
        to: super::frame::end(main).max(super::frame::end(control)),
    };
    let panel = 30.0 + 26.0 + STRIP * 2.0 + LATENCY + 50.0 + 30.0;
    let height = if width.narrow() { panel * 2.0 } else { panel };
    let mut svg = Svg::new(
        &format!("control-{}", width.letter()),
        (width.pixels(), height),
        "The same run with healing and without, at the same scales",
        &format!(
            "As written {} requests were lost, without healing {}.",
            number::count(lost(main, step).iter().sum()),
            number::count(lost(control, step).iter().sum())
        ),
    );
    let without = if control.without.is_empty() {
        "healing removed".to_owned()
    } else {
        format!("without {}", control.without.join(", "))
    };
    if width.narrow() {
        draw(&mut svg, &shared, main, (46.0, 350.0, 0.0), ("as written", ""));
        draw(&mut svg, &shared, control, (46.0, 350.0, panel), ("control", &without));
    } else {
        draw(&mut svg, &shared, main, (86.0, 575.0, 0.0), ("as written", ""));
        draw(&mut svg, &shared, control, (627.0, 1116.0, 0.0), ("control", &without));
    }
    svg.finish()
}

fn draw(
    svg: &mut Svg,
    shared: &Shared<'_>,
    arm: &Arm,
    (left, right, top): (f64, f64, f64),
    (name, note): (&str, &str),
) {
    let frame = TimeFrame { from: 0, to: shared.to, left, right };
    svg.text(left, top + 14.0, name, Type::BOLD);
    let beside = left + Type::BOLD.width(name) + 8.0;
    svg.text(beside, top + 14.0, &Type::SMALL.fitted(note, right - beside), Type::SMALL);
    // Numbers of the left panel serve both.
    let labelled = left < 600.0;
    let mut y = top + 38.0;
    let title = shared
        .subject
        .map_or_else(|| "no instance was singled out".to_owned(), |(_, name)| format!("attempts at {name}"));
    svg.text(left, y - 4.0, &Type::SMALL.fitted(&title, right - left), Type::SMALL.token(Token::Ink));
    frame.bands(svg, arm, (y + 2.0, y + 2.0 + STRIP));
    let base = y + 2.0 + STRIP;
    strip(svg, &frame, base, shared.most.0, labelled);
    let offers = shared.subject.and_then(|(at, _)| arm.offers.iter().find(|offers| offers.instance == at));
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
            svg.text(frame.left - 6.0, y + 4.0, &format!("{}/s", number::short(value)), Type::SMALL.end());
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
