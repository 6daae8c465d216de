//! How the highest rate grows with connections: what was measured, the law fitted to it, and where it would lead without loss.

use super::chart::{Chart, Upright};
use super::frame::Width;
use super::svg::{Paint, Svg, Type};
use super::sweep::called;
use super::theme::Token;
use super::{labels, number, scale};
use crate::record::search::Search;
use crate::stats::scalability::{Knee, LEAST_LOADS, Point, Scalability, scalability};

/// Heights: of a plot, of its title, and of what stands below it.
const PLOT: f64 = 180.0;
const TITLE: f64 = 26.0;
const BELOW: f64 = 44.0;
const APART: f64 = 14.0;
/// Beside a plot.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 12.0;
/// Pieces that the curve is drawn of.
const PIECES: u32 = 60;

/// One mode, and what is spoken in it, over all numbers of connections.
#[derive(Debug)]
pub struct Growth {
    /// As people call it.
    pub name: String,
    /// Connections and the highest rate that held, rising.
    pub points: Vec<Point>,
    /// As fitted.
    pub law: Scalability,
}

impl Growth {
    /// All of which enough was found to fit a law.
    pub fn all(searches: &[Search]) -> Vec<Self> {
        let mut lines: Vec<(&str, &str)> = Vec::new();
        for search in searches {
            if !lines.contains(&(&search.mode, &search.spoken)) {
                lines.push((&search.mode, &search.spoken));
            }
        }
        lines.into_iter().filter_map(|line| Self::of(searches, line)).collect()
    }

    fn of(searches: &[Search], (mode, spoken): (&str, &str)) -> Option<Self> {
        let mine = searches.iter().filter(|search| (search.mode.as_str(), search.spoken.as_str()) == (mode, spoken));
        let mut points: Vec<Point> = mine
            .filter(|search| !search.limited)
            .filter_map(|search| Some(Point { load: f64::from(search.connections), throughput: search.highest? }))
            .collect();
        if points.len() < LEAST_LOADS {
            return None;
        }
        points.sort_by(|one, other| one.load.total_cmp(&other.load));
        let law = scalability(&points).ok()?;
        let spoken = if spoken.is_empty() { String::new() } else { format!(", {spoken}") };
        Some(Self { name: format!("{}{spoken}", called(mode)), points, law })
    }

    /// Where it bears most.
    pub fn knee(&self) -> String {
        match self.law.knee {
            Knee::Measured(peak) => {
                format!("most is borne over about {:.0} connections, {}", peak.load, number::rate(peak.throughput))
            }
            Knee::Beyond(peak) => {
                format!(
                    "the most would be borne over about {:.0} connections, which is beyond what was tried",
                    peak.load
                )
            }
            Knee::Below => "every further connection costs".to_owned(),
            Knee::Nowhere => "there is no knee".to_owned(),
        }
    }

    fn loads(&self) -> (f64, f64) {
        (self.points[0].load, self.points[self.points.len() - 1].load)
    }
}

/// Draws the picture; None without a law.
pub fn growth(searches: &[Search], width: Width) -> Option<String> {
    let all = Growth::all(searches);
    if all.is_empty() {
        return None;
    }
    let (columns, gap) = if width.narrow() { (1, 0.0) } else { (all.len().clamp(2, 3), 28.0) };
    let panel = (width.pixels() - gap * (columns as f64 - 1.0)) / columns as f64;
    let height = TITLE + PLOT + BELOW;
    let mut svg = Svg::new(
        &format!("growth-{}", width.letter()),
        (width.pixels(), (height + APART) * all.len().div_ceil(columns) as f64 - APART),
        "The highest rate that held by connections, with the Universal Scalability Law fitted to it",
        &all.iter().map(|growth| format!("{}: {}", growth.name, growth.knee())).collect::<Vec<_>>().join("; "),
    );
    let most = all.iter().flat_map(|growth| &growth.points).map(|point| point.throughput).fold(0.0, f64::max);
    let rates = scale::round_up(most, 4);
    for (at, growth) in all.iter().enumerate() {
        let (left, top) = ((at % columns) as f64 * (panel + gap), (at / columns) as f64 * (height + APART));
        svg.text(left, top + 14.0, &Type::BOLD.fitted(&growth.name, panel), Type::BOLD);
        one(&mut svg, growth, rates, (left + LEFT, left + panel - RIGHT), top + TITLE);
    }
    Some(svg.finish())
}

fn one(svg: &mut Svg, growth: &Growth, (end, step): (f64, f64), across: (f64, f64), top: f64) {
    let (least, most) = growth.loads();
    // Numbers that double crowd at the left of an even axis.
    let log = most / least > 8.0;
    let x = |load: f64| if log { load.log2() } else { load };
    let chart = Chart { x: x(least)..x(most), y: Upright::Linear(0.0..end), across, upright: (top, top + PLOT) };
    for tick in 0..=(end / step).round() as u32 {
        let rate = f64::from(tick) * step;
        svg.line((across.0, chart.y(rate)), (across.1, chart.y(rate)), Paint::stroke(Token::Grid, 1.0));
        svg.text(across.0 - 6.0, chart.y(rate) + 4.0, &number::short(rate), Type::SMALL.end());
    }
    let along = (0..=PIECES).map(|piece| {
        let share = f64::from(piece) / f64::from(PIECES);
        if log { least * (most / least).powf(share) } else { least + (most - least) * share }
    });
    let loads: Vec<f64> = along.collect();
    let ideal = loads.iter().map(|load| (x(*load), growth.law.gamma * load)).take_while(|(_, rate)| *rate <= end);
    chart.line(svg, ideal.collect(), Paint::stroke(Token::Ink3, 1.2).dash("2 3"));
    let fitted = loads.iter().map(|load| (x(*load), growth.law.throughput(*load).clamp(0.0, end)));
    chart.line(svg, fitted.collect(), Paint::stroke(Token::Q90, 2.0));
    for point in &growth.points {
        svg.circle((chart.x(x(point.load)), chart.y(point.throughput)), 3.6, Paint::fill(Token::Ink));
    }
    if let Knee::Measured(peak) = growth.law.knee {
        let at = (chart.x(x(peak.load)), chart.y(peak.throughput));
        svg.circle(at, 5.5, Paint::stroke(Token::Ink, 1.6));
    }
    axis(svg, growth, &chart, x);
    svg.text(across.0, top + PLOT + 34.0, "highest rate, by connections", Type::SMALL);
}

/// The connections; labels that would meet are left out.
fn axis(svg: &mut Svg, growth: &Growth, chart: &Chart, x: impl Fn(f64) -> f64) {
    let (y, paint) = (chart.upright.1, Paint::stroke(Token::Ink3, 1.0));
    svg.line((chart.across.0, y), (chart.across.1, y), paint);
    let ticks: Vec<(f64, String)> =
        growth.points.iter().map(|point| (chart.x(x(point.load)), format!("{:.0}", point.load))).collect();
    let half = |text: &str| Type::SMALL.width(text) / 2.0;
    let boxes: Vec<(f64, f64)> = ticks.iter().map(|(x, text)| (x - half(text), x + half(text))).collect();
    for ((x, text), free) in ticks.iter().zip(labels::in_line(&boxes, 6.0)) {
        svg.line((*x, y), (*x, y + 4.0), paint);
        if free {
            svg.text(*x, y + 17.0, text, Type::SMALL.middle());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::overlap;

    /// A mode whose highest rates obey a law with these coefficients.
    fn searches(mode: &str, (alpha, beta): (f64, f64), loads: &[u32]) -> Vec<Search> {
        let highest = |load: u32| {
            let n = f64::from(load);
            500.0 * n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))
        };
        let one = |load: &u32| Search {
            mode: mode.to_owned(),
            connections: *load,
            spoken: String::new(),
            from: 100.0,
            to: 100_000.0,
            holds: vec!["p99 <= 20ms".to_owned()],
            highest: Some(highest(*load)),
            broken: None,
            confirmed: None,
            limited: false,
            steps: Vec::new(),
        };
        loads.iter().map(one).collect()
    }

    #[test]
    fn a_law_needs_enough_numbers_of_connections() {
        assert_eq!(growth(&searches("client", (0.05, 0.001), &[1, 2, 4]), Width::Wide), None);
        let all = Growth::all(&searches("client", (0.05, 0.001), &[16, 1, 4, 2, 8]));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].loads(), (1.0, 16.0));
        assert!((all[0].law.alpha - 0.05).abs() < 1e-3 && (all[0].law.beta - 0.001).abs() < 1e-4, "{:?}", all[0].law);
    }

    #[test]
    fn texts_keep_clear_of_each_other_wherever_the_knee_is() {
        for law in [(0.0, 0.0), (0.05, 0.001), (0.3, 0.02), (0.0, 0.5)] {
            for loads in [&[1, 2, 4, 8, 16, 32, 64, 128, 256, 512][..], &[10, 20, 30, 40]] {
                let all = [searches("none", (0.0, 0.0), loads), searches("client", law, loads)].concat();
                for width in [Width::Wide, Width::Narrow] {
                    let svg = growth(&all, width).unwrap();
                    overlap::none(&format!("{law:?}, {}", width.letter()), &svg);
                }
            }
        }
    }
}
