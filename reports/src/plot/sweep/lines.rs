//! Achieved rates with the ideal and the knee, and the 99th percentile below: a panel for each mode, all at one scale.

use super::{FOR_A_LINE, Sweep};
use crate::plot::chart::{Chart, Upright};
use crate::plot::frame::Width;
use crate::plot::svg::{Paint, Svg, Type};
use crate::plot::theme::Token;
use crate::plot::{labels, latency, number, scale};
use std::ops::Range;

/// Heights: of the rates, of the latencies, and of all of a panel.
const RATES: f64 = 190.0;
const LATENCIES: f64 = 130.0;
const TITLE: f64 = 26.0;
const BETWEEN: f64 = 66.0;
const PANEL: f64 = TITLE + RATES + BETWEEN + LATENCIES + 42.0;
/// Between two rows of panels.
const APART: f64 = 18.0;
/// Beside a plot: ticks on the left, connections on the right.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 44.0;

/// More lines than this cannot be told apart.
const MOST_LINES: usize = 8;

/// The numbers of connections that have a line: all, or where those are too many the largest, and the map shows the others.
pub fn drawn(sweep: &Sweep) -> Range<usize> {
    let count = sweep.connections.len();
    if count > MOST_LINES { count - 1..count } else { 0..count }
}

/// How the cells of one number of connections are drawn: colour, width, dash.
pub fn stroke(sweep: &Sweep, connections: usize) -> (Token, f64, Option<&'static str>) {
    const TOKENS: [Token; 3] = [Token::Q50, Token::Q90, Token::Q99];
    const DASHES: [Option<&str>; 4] = [None, Some("7 3"), Some("2 3"), Some("9 3 2 3")];
    let token = match drawn(sweep).len() {
        1 => Token::Q90,
        2 => TOKENS[connections * 2],
        _ => TOKENS[connections % 3],
    };
    (token, 2.0, DASHES[(connections - drawn(sweep).start) / 3 % 4])
}

fn paint(sweep: &Sweep, connections: usize) -> Paint {
    let (token, width, dash) = stroke(sweep, connections);
    let paint = Paint::stroke(token, width);
    dash.map_or(paint, |dash| paint.dash(dash))
}

/// What all panels share.
struct Scales {
    /// Rates in steps of doubling rather than from zero.
    log: bool,
    rates: Range<f64>,
    /// Microseconds.
    latencies: Option<Range<f64>>,
}

impl Scales {
    fn of(sweep: &Sweep) -> Self {
        let (least, most) = (sweep.rates[0], sweep.rates[sweep.rates.len() - 1]);
        let points = || sweep.points.iter().flatten();
        // Rates that double crowd at the left of an axis from zero; rates in even steps do not.
        let log = least > 0.0 && most / least > 8.0 && sweep.rates[sweep.rates.len() / 2] < most * 0.4;
        let rates = if log {
            let low = points().map(|point| point.achieved).filter(|rate| *rate > 0.0).fold(least, f64::min);
            low..most
        } else {
            0.0..scale::round_up(points().map(|point| point.achieved).fold(most, f64::max), 4).0
        };
        let limits = sweep
            .limits
            .iter()
            .flat_map(|limit| sweep.panels.iter().filter_map(|panel| limit.line(&panel.mode, &panel.spoken)));
        let latencies =
            points().filter_map(super::Point::p99).chain(limits).map(|millis| (millis * 1e3).max(1.0) as u64);
        Self { log, rates, latencies: scale::decades(latencies) }
    }

    fn x(&self, rate: f64) -> f64 {
        if self.log { rate.max(1e-9).log10() } else { rate }
    }

    fn across(&self, sweep: &Sweep) -> Range<f64> {
        if self.log { self.x(sweep.rates[0])..self.x(self.rates.end) } else { 0.0..self.rates.end }
    }
}

/// Draws the picture.
pub fn lines(sweep: &Sweep, width: Width) -> String {
    let (columns, gap) = match (width, sweep.modes()) {
        (Width::Narrow, _) => (1, 0.0),
        (Width::Wide, 4) => (2, 28.0),
        (Width::Wide, modes) => (modes.clamp(2, 3), 28.0),
    };
    let rows = sweep.modes().div_ceil(columns);
    let panel = (width.pixels() - gap * (columns as f64 - 1.0)) / columns as f64;
    let mut svg = Svg::new(
        &format!("sweep-{}", width.letter()),
        (width.pixels(), (PANEL + APART) * rows as f64 - APART),
        "Achieved rate and 99th percentile by asked rate, for each mode and number of connections",
        &about(sweep),
    );
    let scales = Scales::of(sweep);
    for mode in 0..sweep.modes() {
        let left = (mode % columns) as f64 * (panel + gap);
        let top = (mode / columns) as f64 * (PANEL + APART);
        let across = (left + LEFT, left + panel - RIGHT);
        svg.text(left, top + 14.0, &Type::BOLD.fitted(sweep.mode_name(mode), panel), Type::BOLD);
        rates(&mut svg, sweep, &scales, mode, across, top + TITLE);
        latencies(&mut svg, sweep, &scales, mode, across, top + TITLE + RATES + BETWEEN);
    }
    svg.finish()
}

fn about(sweep: &Sweep) -> String {
    let one = |mode: usize| {
        let knee = (0..sweep.connections.len()).filter_map(|at| Some((sweep.knee(mode, at)?, at))).min();
        let name = sweep.mode_name(mode);
        match knee {
            Some((rate, at)) => {
                format!(
                    "{name}: knee at {} over {} connections",
                    number::rate(sweep.rates[rate]),
                    sweep.connections[at]
                )
            }
            None => format!("{name}: no knee"),
        }
    };
    format!("{}.", (0..sweep.modes()).map(one).collect::<Vec<_>>().join("; "))
}

/// Achieved against asked.
fn rates(svg: &mut Svg, sweep: &Sweep, scales: &Scales, mode: usize, across: (f64, f64), top: f64) {
    let upright = (top, top + RATES);
    let y = if scales.log { Upright::Log(scales.rates.clone()) } else { Upright::Linear(scales.rates.clone()) };
    let chart = Chart { x: scales.across(sweep), y, across, upright };
    let ticks: Vec<f64> = if scales.log {
        sweep.rates.clone()
    } else {
        let (end, step) = scale::round_up(scales.rates.end, 4);
        (0..=(end / step).round() as usize).map(|n| n as f64 * step).collect()
    };
    let mut last = f64::INFINITY;
    for tick in ticks {
        let y = chart.y(tick);
        if last - y >= 14.0 {
            svg.line((across.0, y), (across.1, y), Paint::stroke(Token::Grid, 1.0));
            svg.text(across.0 - 6.0, y + 4.0, &number::short(tick), Type::SMALL.end());
            last = y;
        }
    }
    let least = if scales.log { sweep.rates[0] } else { 0.0 };
    let most = sweep.rates[sweep.rates.len() - 1];
    let ideal = vec![(scales.x(least), least), (scales.x(most), most)];
    chart.line(svg, ideal, Paint::stroke(Token::Ink3, 1.2).dash("2 3"));
    let at = least + (most - least) * 0.8;
    let at = if scales.log { least * (most / least).powf(0.8) } else { at };
    svg.text(chart.x(scales.x(at)) - 8.0, chart.y(at) - 4.0, "ideal", Type::SMALL.end());
    series(svg, sweep, scales, mode, &chart, |point| Some(point.achieved));
    axis(svg, sweep, scales, &chart);
    svg.text(across.0, upright.1 + 34.0, "answered/s, by asked requests/s", Type::SMALL);
}

/// The 99th percentile by rate.
fn latencies(svg: &mut Svg, sweep: &Sweep, scales: &Scales, mode: usize, across: (f64, f64), top: f64) {
    let upright = (top, top + LATENCIES);
    let Some(range) = &scales.latencies else {
        svg.text(across.0, top + LATENCIES / 2.0, "no data", Type::SMALL);
        return;
    };
    let chart = Chart { x: scales.across(sweep), y: Upright::Log(range.clone()), across, upright };
    latency::axis(svg, &chart, range);
    let panel = &sweep.panels[mode];
    let limit = sweep.limits.iter().filter_map(|limit| limit.line(&panel.mode, &panel.spoken)).reduce(f64::min);
    series(svg, sweep, scales, mode, &chart, |point| Some((point.p99()? * 1e3).max(1.0)));
    if let Some(millis) = limit {
        let y = chart.y(millis * 1e3);
        svg.line((across.0, y), (across.1, y), Paint::stroke(Token::Lost, 1.3).dash("6 3"));
        let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
        let text = format!("limit {}", number::limit((millis * 1e3) as u64));
        let room = style.width(&text);
        let below = y - 16.0 < top;
        let at = if below { y + 13.0 } else { y - 5.0 };
        svg.rect(across.0 + 2.0, at - 10.5, (room + 4.0, 13.0), Paint::fill(Token::Bg).opacity(0.8));
        svg.text(across.0 + 4.0, at, &text, style);
    }
    let cells = (0..sweep.rates.len()).flat_map(|rate| (0..sweep.connections.len()).map(move |at| (rate, at)));
    if !cells.into_iter().any(|(rate, at)| sweep.at(mode, rate, at).and_then(super::Point::p99).is_some()) {
        let middle = f64::midpoint(across.0, across.1);
        svg.text(middle, top + LATENCIES / 2.0, "no data", Type::SMALL.middle());
    }
    axis(svg, sweep, scales, &chart);
    svg.text(across.0, upright.1 + 34.0, "p99, by asked requests/s", Type::SMALL);
}

/// A line for each number of connections, cut where a cell was not run, and its knee.
fn series(
    svg: &mut Svg,
    sweep: &Sweep,
    scales: &Scales,
    mode: usize,
    chart: &Chart,
    value: impl Fn(&super::Point) -> Option<f64>,
) {
    let count = sweep.connections.len();
    let mut ends = Vec::new();
    for connections in drawn(sweep) {
        let at = |rate: usize| {
            let value = sweep.at(mode, rate, connections).and_then(&value)?;
            Some((scales.x(sweep.rates[rate]), value))
        };
        let points: Vec<Option<(f64, f64)>> = (0..sweep.rates.len()).map(at).collect();
        if points.len() >= FOR_A_LINE {
            for run in points.split(Option::is_none) {
                chart.line(svg, run.iter().flatten().copied().collect(), paint(sweep, connections));
            }
        }
        // Dots that fall together are rings about each other.
        let radius = if points.len() >= FOR_A_LINE { 2.2 } else { 2.4 + 1.8 * (count - 1 - connections).min(3) as f64 };
        if points.len() <= 16 {
            let (token, ..) = stroke(sweep, connections);
            for point in points.iter().flatten() {
                let inner = points.len() >= FOR_A_LINE || connections + 1 == count;
                let paint = if inner { Paint::fill(token) } else { Paint::stroke(token, 1.4) };
                svg.circle((chart.x(point.0), chart.y(point.1)), radius, paint);
            }
        }
        if let Some(end) = points.iter().flatten().next_back() {
            ends.push((chart.y(end.1), sweep.connections[connections].to_string()));
        }
    }
    for connections in drawn(sweep) {
        let knee = sweep.knee(mode, connections);
        let point = knee.and_then(|rate| Some((rate, sweep.at(mode, rate, connections).and_then(&value)?)));
        if let Some((rate, value)) = point {
            let at = (chart.x(scales.x(sweep.rates[rate])), chart.y(value));
            svg.circle(at, 4.5, Paint::fill(Token::Bg).outline(Token::Ink, 1.6));
        }
    }
    name_ends(svg, chart, &ends);
}

/// Connections at the ends of their lines; where there are too many for the height, the key has them all.
fn name_ends(svg: &mut Svg, chart: &Chart, ends: &[(f64, String)]) {
    let (top, base) = chart.upright;
    if ends.len() < 2 || ends.len() as f64 * 13.0 > base - top {
        return;
    }
    let wanted: Vec<f64> = ends.iter().map(|end| end.0).collect();
    for ((_, text), y) in ends.iter().zip(labels::spread(&wanted, 13.0, (top, base))) {
        svg.text(chart.across.1 + 9.0, y + 4.0, &Type::SMALL.fitted(text, RIGHT - 9.0), Type::SMALL.token(Token::Ink));
    }
}

/// The asked rates; labels that would meet are left out.
fn axis(svg: &mut Svg, sweep: &Sweep, scales: &Scales, chart: &Chart) {
    let (y, paint) = (chart.upright.1, Paint::stroke(Token::Ink3, 1.0));
    svg.line((chart.across.0, y), (chart.across.1, y), paint);
    let ticks: Vec<(f64, String)> =
        sweep.rates.iter().map(|rate| (chart.x(scales.x(*rate)), number::short(*rate))).collect();
    let boxes: Vec<(f64, f64)> = ticks
        .iter()
        .map(|(x, text)| {
            let half = Type::SMALL.width(text) / 2.0;
            (x - half, x + half)
        })
        .collect();
    for ((x, text), free) in ticks.iter().zip(labels::in_line(&boxes, 6.0)) {
        svg.line((*x, y), (*x, y + 4.0), paint);
        if free {
            svg.text(*x, y + 17.0, text, Type::SMALL.middle());
        }
    }
}
