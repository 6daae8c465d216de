//! Response times by phase on an axis that spreads the tail: every step to the right is ten times rarer.

use super::chart::{Chart, Upright};
use super::frame::Width;
use super::svg::{Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, labels, latency, number, scale};
use crate::record::{Arm, LatencyKind, Population};
use crate::stats::Histogram;

/// Height of the plot.
const HEIGHT: f64 = 256.0;
/// A phase with fewer samples is named, not drawn.
const ENOUGH: u64 = 100;
/// A line is thin where fewer samples than these lie above it.
const FIRM: f64 = 10.0;
/// Points of a line, which are as far apart as can be seen.
const POINTS: usize = 260;

/// A phase's line.
#[derive(Debug, Clone)]
pub struct Curve {
    /// `failing`, `control's failing`.
    pub name: String,
    /// Samples.
    pub count: u64,
    /// Its stroke in the picture and in the key; None: too few samples to draw.
    pub stroke: Option<Stroke>,
    histogram: Histogram,
}

/// Colour and dash of a line: phases differ by dash.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    token: Token,
    text: Token,
    width: f64,
    dash: Option<&'static str>,
}

impl Stroke {
    fn paint(self) -> Paint {
        let paint = Paint::stroke(self.token, self.width);
        self.dash.map_or(paint, |dash| paint.dash(dash))
    }

    /// For keys.
    pub fn sample(self, svg: &mut Svg, from: (f64, f64), to: (f64, f64)) {
        svg.line(from, to, self.paint());
    }
}

const CALM: Stroke = Stroke { token: Token::Ink3, text: Token::Ink2, width: 2.0, dash: Some("2 3") };
const FAULT: Stroke = Stroke { token: Token::Lost, text: Token::LostText, width: 2.6, dash: None };
const AFTER: Stroke = Stroke { token: Token::Heal, text: Token::HealText, width: 2.0, dash: Some("9 3") };
const CONTROL: Stroke = Stroke { token: Token::Said, text: Token::Said, width: 1.8, dash: Some("7 3 1.5 3") };
const OTHER: Stroke = Stroke { token: Token::Q90, text: Token::Ink, width: 2.0, dash: None };

/// Another arm whose broken phase is drawn beside, and how it is called: `control's`.
pub type Other<'a> = (&'a str, &'a Arm);

/// The judged phases of an arm, then the other's phase with the fault in it (or its last).
pub fn curves(arm: &Arm, other: Option<Other<'_>>) -> Vec<Curve> {
    let mut curves = Vec::new();
    let broken: Vec<usize> = broken(arm);
    let first = arm.phases.iter().position(|phase| phase.judged);
    for (number, phase) in arm.phases.iter().enumerate().filter(|(_, phase)| phase.judged) {
        let stroke = match number {
            at if broken.contains(&at) => {
                nth(FAULT, &[None, Some("12 3"), Some("5 2")], broken.iter().position(|broken| *broken == at))
            }
            at if Some(at) == first => CALM,
            at if broken.iter().any(|broken| *broken < at) => AFTER,
            _ => OTHER,
        };
        curves.extend(curve(arm, number, phase.name.clone(), stroke));
    }
    if let Some((whose, other)) = other {
        for (which, number) in self::broken(other).into_iter().enumerate() {
            let stroke = nth(CONTROL, &[CONTROL.dash, Some("3 2"), Some("12 3 1.5 3 1.5 3")], Some(which));
            let name = format!("{whose} {}", other.phases[number].name);
            curves.extend(curve(other, number, name, stroke));
        }
    }
    curves
}

/// Phases of a kind differ by dash.
fn nth(stroke: Stroke, dashes: &[Option<&'static str>], which: Option<usize>) -> Stroke {
    Stroke { dash: dashes[which.unwrap_or(0) % dashes.len()], ..stroke }
}

/// Phases with a fault; without any, those that are neither the first nor the last.
fn broken(arm: &Arm) -> Vec<usize> {
    let mut broken: Vec<usize> = arm.faults.iter().map(|fault| fault.phase).collect();
    if broken.is_empty() {
        let judged: Vec<usize> = (0..arm.phases.len()).filter(|at| arm.phases[*at].judged).collect();
        broken = judged.get(1..2).map(<[usize]>::to_vec).unwrap_or_default();
    }
    broken.sort_unstable();
    broken.dedup();
    broken
}

fn curve(arm: &Arm, phase: usize, name: String, stroke: Stroke) -> Option<Curve> {
    let all = |flow: Option<usize>| {
        arm.latencies.iter().find(|one| {
            one.phase == Some(phase)
                && one.flow == flow
                && one.kind == LatencyKind::Response
                && one.population == Population::All
        })
    };
    let latency = all(None).or_else(|| all((arm.flows.len() == 1).then_some(0)))?;
    let histogram = Histogram::decode(&latency.histogram).ok()?;
    let stroke = (histogram.count() >= ENOUGH).then_some(stroke);
    Some(Curve { name, count: histogram.count(), stroke, histogram })
}

/// Draws the picture; None if no phase has enough samples.
pub fn phases(arm: &Arm, other: Option<Other<'_>>, width: Width) -> Option<String> {
    let curves: Vec<Curve> = curves(arm, other).into_iter().filter(|curve| curve.stroke.is_some()).collect();
    let limits = latency::limits(arm, &arm.expectations);
    let values = curves.iter().flat_map(|curve| [curve.histogram.quantile(0.0), curve.histogram.max()]);
    let range = scale::decades(values.chain(limits.iter().map(|limit| limit.micros)))?;
    let most = curves.iter().map(|curve| curve.count).max()?;
    let reach = (most as f64).log10().ceil().max(3.0);
    let (left, right) = if width.narrow() { (52.0, 334.0) } else { (132.0, 970.0) };
    let (top, base) = (14.0, 14.0 + HEIGHT);
    let chart = Chart { x: 0.0..reach, y: Upright::Log(range.clone()), across: (left, right), upright: (top, base) };
    let mut svg = Svg::new(
        &id("phases", arm, width),
        (width.pixels(), base + 44.0),
        "Response time by phase on a percentile axis that spreads the tail",
        &about(&curves),
    );
    if !width.narrow() {
        svg.text(0.0, top + 14.0, "latency", Type::BOLD);
        svg.text(0.0, top + 30.0, "from due time", Type::SMALL);
    }
    latency::axis(&mut svg, &chart, &range);
    let ticks = scale::tail_ticks(reach);
    let mut spans = Vec::new();
    for (at, label) in &ticks {
        let text = format!("{label}{}%", number::NARROW);
        let half = Type::SMALL.width(&text) / 2.0;
        let x = chart.x(*at);
        svg.line((x, top), (x, base), Paint::stroke(Token::Grid, 1.0));
        let over = (x + half - width.pixels()).max(0.0) - (left - (x - half)).clamp(0.0, half);
        spans.push((x - half - over, x + half - over, text));
    }
    let free = labels::in_line(&spans.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), 6.0);
    for ((from, to, text), _) in spans.iter().zip(free).filter(|(_, free)| *free) {
        svg.text(f64::midpoint(*from, *to), base + 17.0, text, Type::SMALL.middle());
    }
    svg.line((left, base), (right, base), Paint::stroke(Token::Ink3, 1.0));
    let share = "share of requests that were at least this fast";
    svg.text(f64::midpoint(left, right), base + 36.0, share, Type::SMALL.middle());
    for curve in &curves {
        svg.series(&curve.name, |svg| line(svg, &chart, curve));
    }
    limit_marks(&mut svg, &chart, &limits, width);
    if !width.narrow() {
        names(&mut svg, &chart, &curves, right + 12.0, (top, base));
    }
    Some(svg.finish())
}

fn about(curves: &[Curve]) -> String {
    let one = |curve: &Curve| {
        let p99 = number::micros(curve.histogram.quantile(0.99));
        format!("{}: {} requests, p99 {p99}", curve.name, number::count(curve.count))
    };
    curves.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Solid while enough samples lie above, thin after, and a circle at the largest.
fn line(svg: &mut Svg, chart: &Chart, curve: &Curve) {
    let Some(stroke) = curve.stroke else { return };
    let count = curve.count as f64;
    let last = count.log10();
    let firm = (count / FIRM).log10();
    let at = |tail: f64| (tail, curve.histogram.quantile(1.0 - 10f64.powf(-tail)).max(1) as f64);
    let stretch = |from: f64, to: f64| -> Vec<(f64, f64)> {
        let points = ((to - from) / last * POINTS as f64).ceil().max(2.0) as usize;
        (0..=points).map(|n| at(from + (to - from) * n as f64 / points as f64)).collect()
    };
    chart.line(svg, stretch(0.0, firm), stroke.paint());
    let thin = Paint::stroke(stroke.token, 1.0).opacity(0.8);
    chart.line(svg, stretch(firm, last), thin);
    chart.circle(
        svg,
        (last, curve.histogram.max().max(1) as f64),
        2.8,
        Paint::fill(Token::Bg).outline(Token::Ink, 1.1),
    );
}

/// A short dashed line about the quantile that a limit is on.
fn limit_marks(svg: &mut Svg, chart: &Chart, limits: &[latency::Limit], width: Width) {
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
    let mut taken: Vec<f64> = Vec::new();
    for limit in limits {
        let quantile: Option<f64> = limit.metric.strip_prefix('p').and_then(|digits| digits.parse().ok());
        let Some(tail) = quantile.map(|percent: f64| scale::tail(percent / 100.0)) else { continue };
        let (from, to) = ((tail - 0.3).max(0.0), (tail + 0.3).min(chart.x.end));
        let mut path = Path::default();
        let y = chart.y(limit.micros as f64);
        path.go(chart.x(from), y);
        path.across(chart.x(to));
        svg.path(&path, Paint::stroke(Token::Lost, 1.3).dash("6 3"));
        let text = format!("limit on {}: {}", limit.metric, number::limit(limit.micros));
        let half = style.width(&text) / 2.0;
        let x = chart.x(tail).clamp(chart.across.0 + half, chart.across.1.max(width.pixels() - 8.0) - half);
        let mut label = y - 6.0;
        while taken.iter().any(|other| (other - label).abs() < 14.0) {
            label -= 14.0;
        }
        taken.push(label);
        svg.rect(x - half - 2.0, label - 10.0, (half * 2.0 + 4.0, 13.0), Paint::fill(Token::Bg).opacity(0.75));
        svg.text(x, label, &text, style.middle());
    }
}

fn names(svg: &mut Svg, chart: &Chart, curves: &[Curve], x: f64, bounds: (f64, f64)) {
    let wanted: Vec<f64> = curves.iter().map(|curve| chart.y(curve.histogram.max().max(1) as f64)).collect();
    let places = labels::spread(&wanted, 17.0, bounds);
    for (curve, y) in curves.iter().zip(places) {
        let style = Type { token: curve.stroke.map_or(Token::Ink, |stroke| stroke.text), ..Type::BOLD };
        svg.text(x, y + 4.0, &style.fitted(&curve.name, 1120.0 - x), style);
    }
}
