//! Response times over time: percentiles of each slice as steps, on a logarithmic axis.

use super::chart::{Chart, Upright};
use super::frame::{TimeFrame, Width};
use super::svg::{Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, labels, number, scale};
use crate::record::{Arm, Expectation, Micros, SECOND, SecondLatency};
use crate::stats::Histogram;
use std::ops::Range;

/// Height of the plot.
const HEIGHT: f64 = 228.0;
/// Under so many samples there is no 99th percentile.
const ENOUGH: u64 = 100;
/// Most slices; a step takes two points of a path.
const MOST: usize = 600;

/// Percentiles of the requests due in one slice, microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slice {
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: Option<u64>,
    pub(super) max: u64,
}

/// Percentiles over all flows, in slices of whole seconds; a slice without samples is absent. Percentiles of several flows or
/// seconds are those of their histograms added up.
pub(super) fn slices(arm: &Arm, most: usize) -> Vec<Slice> {
    let length = step(arm, most) * SECOND;
    let mut groups: std::collections::BTreeMap<Micros, Vec<&SecondLatency>> = std::collections::BTreeMap::new();
    for second in arm.seconds.iter().filter(|second| second.count > 0) {
        groups.entry(second.at.div_euclid(length) * length).or_default().push(second);
    }
    let end = super::frame::end(arm);
    groups.into_iter().filter_map(|(from, group)| slice(from, (from + length).min(end), &group)).collect()
}

/// Seconds of a slice, if there may be so many.
fn step(arm: &Arm, most: usize) -> i64 {
    let seconds = (super::frame::end(arm) + SECOND - 1) / SECOND;
    let step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].into_iter().find(|step| seconds / step <= most as i64);
    step.unwrap_or(3_600)
}

/// Seconds of a slice on this page.
pub fn slice_seconds(arm: &Arm, width: Width) -> i64 {
    step(arm, most(width))
}

/// p50, p99 and the largest of each of so many slices, as they read; none where nothing was timed.
pub fn read(arm: &Arm, count: usize, seconds: i64) -> [Vec<Option<String>>; 3] {
    let mut told = [vec![None; count], vec![None; count], vec![None; count]];
    for slice in slices(arm, MOST) {
        let at = (slice.from / (seconds.max(1) * SECOND)) as usize;
        let values = [Some(slice.p50), slice.p99, Some(slice.max)];
        for (told, value) in told.iter_mut().zip(values) {
            if let Some(place) = told.get_mut(at) {
                *place = value.map(number::micros);
            }
        }
    }
    told
}

fn most(width: Width) -> usize {
    if width.narrow() { 150 } else { MOST }
}

fn slice(from: Micros, to: Micros, group: &[&SecondLatency]) -> Option<Slice> {
    if let [one] = group {
        return Some(Slice { from, to, p50: one.p50, p90: one.p90, p99: one.p99, max: one.max });
    }
    let mut sum = Histogram::default();
    for second in group {
        sum.add_encoded(&second.histogram).ok()?;
    }
    let p99 = (sum.count() >= ENOUGH).then(|| sum.quantile(0.99));
    Some(Slice { from, to, p50: sum.quantile(0.5), p90: sum.quantile(0.9), p99, max: sum.max() })
}

/// A limit on a latency, over the phase that it applies to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) phase: Option<usize>,
    pub(super) metric: String,
    pub(super) micros: u64,
}

/// The limits on latencies among expectations: `failing.p99`, `surge.max[steady]`.
pub(super) fn limits(arm: &Arm, expectations: &[Expectation]) -> Vec<Limit> {
    let one = |expectation: &Expectation| {
        let metric = expectation
            .id
            .rsplit_once('.')
            .filter(|_| !expectation.id.contains("p99.9"))
            .map_or_else(|| "p99.9".to_owned(), |(_, metric)| metric.split('[').next().unwrap_or(metric).to_owned());
        let known = ["p50", "p90", "p95", "p99", "p99.9", "max"].contains(&metric.as_str());
        let phase = expectation.phase.as_ref().and_then(|name| arm.phases.iter().position(|phase| phase.name == *name));
        let micros = (expectation.limit? * 1e6).round() as u64;
        (known && micros > 0 && !expectation.id.starts_with("sweep")).then_some(Limit { phase, metric, micros })
    };
    expectations.iter().filter_map(one).collect()
}

/// The decades that hold all that is drawn of some arms.
pub(super) fn range(arms: &[&Arm], limits: &[Limit]) -> Option<Range<f64>> {
    let seconds = arms.iter().flat_map(|arm| &arm.seconds).filter(|second| second.count > 0);
    let values = seconds.flat_map(|second| [second.p50, second.max]);
    scale::decades(values.chain(limits.iter().map(|limit| limit.micros)))
}

/// Steps of one percentile; the line is cut where a slice is missing.
pub(super) fn steps(
    svg: &mut Svg,
    chart: &Chart,
    slices: &[Slice],
    pick: impl Fn(&Slice) -> Option<u64>,
    paint: Paint,
) {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut end = None;
    for slice in slices {
        let value = pick(slice).map(|value| value.max(1) as f64);
        if end != Some(slice.from) || value.is_none() {
            chart.line(svg, std::mem::take(&mut points), paint);
        }
        if let Some(value) = value {
            points.extend([(slice.from as f64, value), (slice.to as f64, value)]);
        }
        end = Some(slice.to);
    }
    chart.line(svg, points, paint);
}

/// The gridlines and labels of a latency axis.
pub(super) fn axis(svg: &mut Svg, chart: &Chart, range: &Range<f64>) {
    for decade in scale::decade_ticks(range) {
        let y = chart.y(decade);
        svg.line((chart.across.0, y), (chart.across.1, y), Paint::stroke(Token::Grid, 1.0));
        svg.text(chart.across.0 - 6.0, y + 4.0, &scale::decade_label(decade), Type::SMALL.end());
    }
}

/// Draws the picture; lost requests count as their flow's time-out.
pub fn latency(arm: &Arm, width: Width) -> String {
    let frame = TimeFrame::of(arm, width);
    let limits = limits(arm, &arm.expectations);
    let slices = slices(arm, most(width));
    let head = TimeFrame::header_height(arm);
    let top = head + if width.narrow() { 32.0 } else { 10.0 };
    let base = top + HEIGHT;
    let mut svg = Svg::new(
        &id("latency", arm, width),
        (width.pixels(), base + 24.0),
        "Response time percentiles over time, logarithmic",
        &about(&slices),
    );
    frame.tell(&mut svg);
    frame.bands(&mut svg, arm, (head, base));
    frame.header(&mut svg, arm, 0.0);
    if width.narrow() {
        svg.text(2.0, head + 15.0, "response time, from when it was due", Type::SMALL);
    } else {
        svg.text(0.0, top + 14.0, "latency", Type::BOLD);
        svg.text(0.0, top + 30.0, "from due time", Type::SMALL);
    }
    let Some(range) = range(&[arm], &limits) else {
        svg.text(f64::midpoint(frame.left, frame.right), f64::midpoint(top, base), "no data", Type::PLAIN.middle());
        frame.axis(&mut svg, base);
        return svg.finish();
    };
    let chart = Chart {
        x: frame.from as f64..frame.to as f64,
        y: Upright::Log(range.clone()),
        across: (frame.left, frame.right),
        upright: (top, base),
    };
    axis(&mut svg, &chart, &range);
    for (name, token, stroke, pick) in LINES {
        svg.series(name, |svg| steps(svg, &chart, &slices, pick, Paint::stroke(token, stroke)));
    }
    svg.series("max", |svg| maxima(svg, &chart, &slices));
    draw_limits(&mut svg, &frame, arm, &chart, &limits);
    missing(&mut svg, &chart, arm, &slices, base);
    if !width.narrow() {
        line_names(&mut svg, &chart, &slices, frame.right + 10.0, (top, base));
    }
    frame.axis(&mut svg, base);
    svg.finish()
}

/// A percentile's name, colour, width, and how to take it.
type Line = (&'static str, Token, f64, fn(&Slice) -> Option<u64>);

/// The rarer the further from the page.
pub(super) const LINES: [Line; 3] = [
    ("p50", Token::Q50, 2.0, |slice| Some(slice.p50)),
    ("p90", Token::Q90, 2.0, |slice| Some(slice.p90)),
    ("p99", Token::Q99, 2.4, |slice| slice.p99),
];

fn about(slices: &[Slice]) -> String {
    let worst = slices.iter().max_by_key(|slice| slice.max);
    worst.map_or_else(
        || "No request was timed.".to_owned(),
        |slice| format!("The longest, {}, was due at {}.", number::micros(slice.max), number::instant(slice.from)),
    )
}

/// Circles while they can be told apart, dots when there are many.
fn maxima(svg: &mut Svg, chart: &Chart, slices: &[Slice]) {
    let at = |slice: &Slice| (slice.from as f64 / 2.0 + slice.to as f64 / 2.0, slice.max.max(1) as f64);
    if slices.len() <= 90 {
        for slice in slices {
            chart.circle(svg, at(slice), 2.6, Paint::stroke(Token::Ink, 1.1));
        }
        return;
    }
    let mut dots = Path::default();
    for slice in slices {
        let (x, y) = at(slice);
        dots.go(chart.x(x) - 0.9, chart.y(y));
        dots.across(chart.x(x) + 0.9);
    }
    svg.path(&dots, Paint::stroke(Token::Ink, 1.8));
}

/// Dashed, over the phase that they apply to, labelled with the value.
pub(super) fn draw_limits(svg: &mut Svg, frame: &TimeFrame, arm: &Arm, chart: &Chart, limits: &[Limit]) {
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
    let mut boxes: Vec<(f64, f64, f64)> = Vec::new();
    for limit in limits {
        let phase = limit.phase.and_then(|phase| arm.phases.get(phase));
        let (from, to) = phase.map_or((frame.from, frame.to), |phase| (phase.from, phase.to));
        let (from, to) = (frame.x(from), frame.x(to));
        let y = chart.y(limit.micros as f64);
        svg.line((from, y), (to, y), Paint::stroke(Token::Lost, 1.3).dash("6 3"));
        let text = format!("limit on {}: {}", limit.metric, number::limit(limit.micros));
        let room = style.width(&text);
        let right = to.max((frame.left + room).min(frame.right)) - 3.0;
        let mut label = y - 5.0;
        while boxes.iter().any(|(a, b, c)| *a < right && right - room < *b && (c - label).abs() < 13.0) {
            label += if label < y { 18.0 } else { 13.0 };
        }
        boxes.push((right - room, right, label));
        svg.backed(right, label, &text, style.end());
    }
}

/// Where nothing was timed.
fn missing(svg: &mut Svg, chart: &Chart, arm: &Arm, slices: &[Slice], base: f64) {
    let mut from = 0;
    let mut gaps: Vec<(Micros, Micros)> = Vec::new();
    for slice in slices {
        if slice.from > from {
            gaps.push((from, slice.from));
        }
        from = slice.to;
    }
    gaps.push((from, super::frame::end(arm)));
    for (from, to) in gaps {
        let (from, to) = (chart.x(from as f64), chart.x(to as f64));
        if to - from > Type::SMALL.width("no data") + 6.0 {
            svg.text(f64::midpoint(from, to), base - 8.0, "no data", Type::SMALL.middle());
        }
    }
}

fn line_names(svg: &mut Svg, chart: &Chart, slices: &[Slice], x: f64, bounds: (f64, f64)) {
    let Some(last) = slices.last() else { return };
    let values = [("max", Some(last.max)), ("p99", last.p99), ("p90", Some(last.p90)), ("p50", Some(last.p50))];
    let shown: Vec<(&str, f64)> =
        values.iter().filter_map(|(name, value)| Some((*name, chart.y((*value)?.max(1) as f64)))).collect();
    // From the top of the plot to its foot, in the order of the percentiles.
    let places = labels::spread(&shown.iter().map(|one| one.1).collect::<Vec<_>>(), 17.0, bounds);
    for ((name, _), y) in shown.iter().zip(places) {
        svg.text(x, y + 4.0, name, if *name == "p99" { Type::BOLD } else { Type::PLAIN });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ArmKind;

    fn second(at: i64, values: Range<u64>) -> SecondLatency {
        let mut histogram = Histogram::default();
        values.for_each(|value| histogram.record(value));
        SecondLatency {
            flow: 0,
            at: at * SECOND,
            count: histogram.count(),
            p50: histogram.quantile(0.5),
            p90: histogram.quantile(0.9),
            p99: (histogram.count() >= ENOUGH).then(|| histogram.quantile(0.99)),
            max: histogram.max(),
            histogram: histogram.encode(),
        }
    }

    #[test]
    fn long_runs_have_percentiles_of_all_samples_of_a_slice() {
        let seconds: Vec<_> = (0..1_000).map(|at| second(at, 1..if at == 0 { 2_000 } else { 60 })).collect();
        let arm = Arm {
            seconds,
            outcomes: vec![crate::record::Outcomes { planned: vec![1; 10_000], ..Default::default() }],
            ..Arm::empty(ArmKind::Main)
        };
        let slices = slices(&arm, 600);
        assert_eq!(slices.len(), 500);
        assert_eq!(slices[0].max, 1_999);
        assert_eq!(slices[1].p99, Some(59), "118 samples of two seconds are enough");
        assert!(super::slices(&arm, 1_000).iter().skip(1).all(|slice| slice.p99.is_none()), "59 are not");
    }

    #[test]
    fn a_second_without_samples_cuts_the_line() {
        let arm = Arm {
            seconds: vec![second(0, 1..200), second(1, 1..200), second(3, 1..200)],
            outcomes: vec![crate::record::Outcomes { planned: vec![1; 40], ..Default::default() }],
            ..Arm::empty(ArmKind::Main)
        };
        let svg = latency(&arm, Width::Wide);
        assert_eq!(svg.matches("class=\"s-q50\"").count(), 2);
        assert!(svg.contains("no data"));
    }
}
