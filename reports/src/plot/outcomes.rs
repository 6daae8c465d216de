//! What became of the requests due in each slice: losses on the axis, so that their heights compare.

use super::frame::{TimeFrame, Width};
use super::svg::{Hatch, Paint, Path, Svg, Type};
use super::theme::Token;
use super::{id, labels, number, scale, slices};
use crate::record::{Arm, Outcome, SECOND};
use std::collections::BTreeMap;

/// Height of the plot.
const HEIGHT: f64 = 140.0;
/// Slots of a second.
const PER_SECOND: usize = 10;

/// Sums over all flows, by slice.
struct Series {
    step: usize,
    planned: Vec<u64>,
    sent: Vec<u64>,
    lost: Vec<u64>,
    degraded: Vec<u64>,
    kinds: BTreeMap<Outcome, u64>,
}

impl Series {
    fn of(arm: &Arm, width: Width) -> Self {
        let slots = arm.outcomes.iter().map(|one| one.planned.len()).max().unwrap_or(0);
        let most = if width.narrow() { 90 } else { 220 };
        let step = slices::step(slots.div_ceil(PER_SECOND), most) * PER_SECOND;
        let add = |pick: &dyn Fn(&crate::record::Outcomes) -> Vec<u32>| {
            let mut sum = vec![0u32; slots];
            for outcomes in &arm.outcomes {
                sum.iter_mut().zip(pick(outcomes)).for_each(|(sum, count)| *sum += count);
            }
            slices::sums(&sum, step)
        };
        let mut kinds = BTreeMap::new();
        for (outcome, counts) in arm.outcomes.iter().flat_map(|outcomes| &outcomes.by_outcome) {
            let count: u64 = counts.iter().map(|count| u64::from(*count)).sum();
            if count > 0 && *outcome != Outcome::Acceptable {
                *kinds.entry(outcome.clone()).or_default() += count;
            }
        }
        Self {
            step,
            planned: add(&|one| one.planned.clone()),
            sent: add(&|one| one.sent.clone()),
            lost: add(&crate::record::Outcomes::lost),
            degraded: add(&|one| one.by_outcome.get(&Outcome::Degraded).cloned().unwrap_or_default()),
            kinds,
        }
    }
}

/// Seconds of a slice in this picture.
pub fn slice_seconds(arm: &Arm, width: Width) -> u64 {
    (Series::of(arm, width).step / PER_SECOND) as u64
}

/// Draws the picture.
pub fn outcomes(arm: &Arm, width: Width) -> String {
    let series = Series::of(arm, width);
    let frame = TimeFrame::of(arm, width);
    let top = TimeFrame::header_height(arm) + if width.narrow() { 30.0 } else { 14.0 };
    let base = top + HEIGHT;
    let lost: u64 = series.lost.iter().sum();
    let mut svg = Svg::new(
        &id("outcomes", arm, width),
        (width.pixels(), base + 24.0),
        "Requests by outcome over time, with the asked and the sent rate",
        &format!("{} planned, {} lost.", number::count(series.planned.iter().sum()), number::count(lost)),
    );
    frame.tell(&mut svg);
    frame.bands(&mut svg, arm, (TimeFrame::header_height(arm), base));
    frame.header(&mut svg, arm, 0.0);
    // The last slice may be shorter than the others.
    let slots = arm.outcomes.iter().map(|one| one.planned.len()).max().unwrap_or(0);
    let seconds = |at: usize| (series.step.min(slots - at * series.step) * 100_000) as f64 / SECOND as f64;
    let rate = |counts: &[u64], at: usize| counts.get(at).copied().unwrap_or(0) as f64 / seconds(at);
    let count = series.planned.len();
    let most = (0..count).map(|at| rate(&series.planned, at).max(rate(&series.sent, at))).fold(0.0, f64::max);
    let (most, tick) = scale::round_up(most, 2);
    let y = |value: f64| base - value / most * HEIGHT;
    let x = |at: usize| frame.slice(at, series.step);
    for n in 0..=((most / tick).round() as usize) {
        let value = n as f64 * tick;
        svg.line((frame.left, y(value)), (frame.right, y(value)), Paint::stroke(Token::Grid, 1.0));
        let unit = if width.narrow() || n == 0 { "" } else { "/s" };
        svg.text(frame.left - 6.0, y(value) + 4.0, &format!("{}{unit}", number::short(value)), Type::SMALL.end());
    }
    let height = |counts: &[u64]| -> Vec<f64> { (0..count).map(|at| rate(counts, at) / most * HEIGHT).collect() };
    let (lost_tops, degraded_tops) = (height(&series.lost), height(&series.degraded));
    let good: Vec<u64> =
        (0..count).map(|at| series.planned[at].saturating_sub(series.lost[at] + series.degraded[at])).collect();
    let good_tops = height(&good);
    let bases = |below: &[&Vec<f64>]| -> Vec<f64> {
        (0..count).map(|at| base - below.iter().map(|tops| tops[at]).sum::<f64>()).collect()
    };
    svg.series("answered", |svg| {
        svg.path(&slices::bars(&good_tops, &bases(&[&lost_tops, &degraded_tops]), x), Paint::fill(Token::OkSoft));
    });
    svg.series("degraded", |svg| {
        svg.path(&slices::bars(&degraded_tops, &bases(&[&lost_tops]), x), Paint::fill(Token::Warn));
    });
    svg.series("lost", |svg| svg.path(&slices::bars(&lost_tops, &bases(&[]), x), Paint::hatch(Hatch::Lost)));
    let steps = |counts: &[u64]| {
        let mut path = Path::default();
        for at in 0..count {
            if at == 0 {
                path.go(x(0), y(rate(counts, 0)));
            } else {
                path.up(y(rate(counts, at)));
            }
            path.across(x(at + 1));
        }
        path
    };
    svg.series("sent", |svg| svg.path(&steps(&series.sent), Paint::stroke(Token::Ink, 1.3)));
    svg.series("asked", |svg| svg.path(&steps(&series.planned), Paint::stroke(Token::Ink3, 1.6).dash("2 3")));
    lost_labels(&mut svg, &frame, &series, &lost_tops, base);
    frame.missing(&mut svg, slots, (TimeFrame::header_height(arm) + 1.0, base));
    if count > 0 {
        names(&mut svg, width, &frame, &series, (most, base), &rate);
    }
    frame.axis(&mut svg, base);
    svg.finish()
}

fn lost_labels(svg: &mut Svg, frame: &TimeFrame, series: &Series, tops: &[f64], base: f64) {
    let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
    let bars: Vec<usize> = (0..tops.len()).filter(|at| series.lost[*at] > 0).collect();
    let middle = |at: usize| f64::midpoint(frame.slice(at, series.step), frame.slice(at + 1, series.step));
    let boxes: Vec<(f64, f64)> = bars
        .iter()
        .map(|at| {
            let half = style.width(&number::count(series.lost[*at])) / 2.0;
            (middle(*at) - half, middle(*at) + half)
        })
        .collect();
    // Numbers above some bars only would look like the others were empty.
    if bars.len() > 24 || labels::in_line(&boxes, 2.0).contains(&false) {
        return;
    }
    for (at, (from, to)) in bars.into_iter().zip(boxes) {
        if from >= frame.left && to <= frame.right && tops[at] < HEIGHT - 14.0 {
            svg.backed(middle(at), base - tops[at] - 4.0, &number::count(series.lost[at]), style.middle());
        }
    }
}

fn names(
    svg: &mut Svg,
    width: Width,
    frame: &TimeFrame,
    series: &Series,
    (most, base): (f64, f64),
    rate: &impl Fn(&[u64], usize) -> f64,
) {
    if width.narrow() {
        svg.text(2.0, base - HEIGHT - 14.0, "requests a second, by due time", Type::SMALL);
        return;
    }
    svg.text(0.0, base - HEIGHT + 4.0, "requests", Type::BOLD);
    svg.text(0.0, base - HEIGHT + 20.0, "by due time", Type::SMALL);
    let last = series.planned.len() - 1;
    let (asked, sent) = (rate(&series.planned, last), rate(&series.sent, last));
    let lost: u64 = series.lost.iter().sum();
    let y = |value: f64| base - value / most * HEIGHT;
    let good = y(f64::midpoint(rate(&series.lost, last), asked));
    let mut wanted = vec![
        (y(asked), format!("asked {}", number::rate(asked)), Type::SMALL),
        (y(sent), format!("sent {}", number::rate(sent)), Type::SMALL.token(Token::Ink)),
        (good, "answered".to_owned(), Type::SMALL),
    ];
    if lost > 0 {
        let style = Type { size: 11.5, ..Type::BOLD }.token(Token::LostText);
        wanted.push((base - 6.0, style.fitted(&format!("lost {}", number::count(lost)), 96.0), style));
    }
    let places = labels::spread(&wanted.iter().map(|one| one.0).collect::<Vec<_>>(), 16.0, (base - HEIGHT - 6.0, base));
    for ((_, text, style), y) in wanted.iter().zip(places) {
        svg.text(frame.right + 10.0, y + 4.0, text, *style);
    }
}

/// Losses by what clients saw, most frequent first: `503: 12, time-out: 3`.
pub fn kinds(arm: &Arm) -> Vec<(String, u64)> {
    let mut kinds: Vec<(String, u64)> = Series::of(arm, Width::Wide)
        .kinds
        .into_iter()
        .map(|(outcome, count)| match outcome {
            Outcome::Status(status) => (status.to_string(), count),
            other => (other.to_string(), count),
        })
        .collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds
}
