//! Change points in a series of nightly figures: from which night on is the figure another one?
//!
//! E-divisive (D. Matteson, N. James, 2014) as `MongoDB` uses it for its performance tests (D. Daly and others, 2020), in the deterministic variant of Hunter
//! (M. Fleming and others, 2023): Student's t instead of permutations, windows, a least magnitude, and weak points merged away from below.

use super::tails;

/// Values on either side of a change, at least: fewer have no spread of their own.
const SHORTEST: usize = 2;

/// How change points are told from noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Nights that are looked at together; half of them overlap with the next window.
    pub window: usize,
    /// Largest probability of a change point, by a t-test of the nights before and after.
    pub level: f64,
    /// Least change of the mean as a share of the smaller one: 0.05 is 5 %.
    pub least: f64,
}

impl Default for Settings {
    /// Hunter's window and magnitude, but a tenth of its level: the place is chosen for its probability, so that at 0.001 one constant series of 60 nights in 40 has a
    /// change point where noise is 5 % and more; at 0.0001 one in 400 has, and steps of 10 % are found as often.
    fn default() -> Self {
        Self { window: 50, level: 0.0001, least: 0.05 }
    }
}

/// Where a figure becomes another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Place in the series of the first value after the change, from 0.
    pub at: usize,
    /// Mean from the change point before to this one, in the unit of the figure.
    pub before: f64,
    /// Mean from here to the next one.
    pub after: f64,
    /// Two-sided probability by Student's t-test with pooled variance. The place was chosen for it, so it is smaller than an honest one: compare it with the level only.
    pub p: f64,
}

impl ChangePoint {
    /// The change as a share of the smaller mean, never negative; infinite to or from 0 and where the sign changes.
    pub fn magnitude(&self) -> f64 {
        let ratio = self.after / self.before;
        // From 0 to 0 has no ratio.
        if self.after - self.before == 0.0 {
            0.0
        } else if ratio > 0.0 {
            ratio.max(ratio.recip()) - 1.0
        } else {
            f64::INFINITY
        }
    }
}

/// All change points, in order. Nights without a finite value are passed over. The same series always gives the same points.
pub fn change_points(series: &[f64], settings: Settings) -> Vec<ChangePoint> {
    let (places, values): (Vec<usize>, Vec<f64>) =
        series.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).unzip();
    let mut points = merged(&values, split(&values, settings), settings);
    points.iter_mut().for_each(|point| point.at = places[point.at]);
    points
}

/// Places of all weak change points: those that are ten times as probable as asked for, window by window.
fn split(values: &[f64], settings: Settings) -> Vec<usize> {
    let window = settings.window.max(2 * SHORTEST);
    let (mut start, mut places) = (0, Vec::new());
    while start < values.len() {
        let end = values.len().min(start.saturating_add(window));
        let before = places.len();
        divide(values, start, end, settings.level * 10.0, &mut places);
        // The next window begins at a change, so that it knows one side of it.
        let last = places[before..].last().copied().unwrap_or(0);
        start = last.max(start + window / 2);
    }
    places
}

/// Divides a stretch where its two parts are least alike, as long as they differ; places come in order.
fn divide(values: &[f64], start: usize, end: usize, level: f64, places: &mut Vec<usize>) {
    let Some(at) = least_alike(&values[start..end]).map(|(at, _)| start + at) else { return };
    if point(values, start, at, end).p <= level {
        divide(values, start, at, level, places);
        places.push(at);
        divide(values, at, end, level, places);
    }
}

/// Where the energy distance of the two parts, weighted by their sizes, is largest, and how large: the q-hat of E-divisive. None: too short, or all equal.
fn least_alike(values: &[f64]) -> Option<(usize, f64)> {
    let all = values.len();
    let to = |at: usize, range: std::ops::Range<usize>| -> f64 {
        values[range].iter().map(|other| (values[at] - other).abs()).sum()
    };
    // Sums of distances: across, within the first part, within the second.
    let (mut across, mut first) = (0.0, 0.0);
    let mut second: f64 = (0..all).map(|at| to(at, 0..at)).sum();
    let mut best: Option<(usize, f64)> = None;
    for at in 1..all {
        // The value before `at` has moved from the second part to the first.
        let (left, right) = (to(at - 1, 0..at - 1), to(at - 1, at..all));
        across += right - left;
        first += left;
        second -= right;
        if at < SHORTEST || all - at < SHORTEST {
            continue;
        }
        let (n, m) = (at as f64, (all - at) as f64);
        let energy = 2.0 * across / (n * m) - 2.0 * first / (n * (n - 1.0)) - 2.0 * second / (m * (m - 1.0));
        let q = n * m / (n + m) * energy;
        if q > best.map_or(0.0, |(_, most)| most) {
            best = Some((at, q));
        }
    }
    best
}

/// The change at a place, between the nearest others.
fn point(values: &[f64], start: usize, at: usize, end: usize) -> ChangePoint {
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (left, right) = (&values[start..at], &values[at..end]);
    let (before, after) = (mean(left), mean(right));
    let squares = |part: &[f64], mean: f64| part.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let degrees = (end - start).saturating_sub(2);
    let variance = (squares(left, before) + squares(right, after)) / degrees as f64;
    let error = (variance * ((left.len() as f64).recip() + (right.len() as f64).recip())).sqrt();
    ChangePoint { at, before, after, p: tails::student((after - before) / error, degrees) }
}

/// Takes away the weakest point, again and again, until all are strong and large; those beside it are weighed anew, as their parts have become longer.
fn merged(values: &[f64], mut places: Vec<usize>, settings: Settings) -> Vec<ChangePoint> {
    loop {
        let starts = [0].into_iter().chain(places.iter().copied());
        let ends = places.iter().copied().skip(1).chain([values.len()]);
        let points: Vec<ChangePoint> =
            starts.zip(ends).zip(&places).map(|((start, end), &at)| point(values, start, at, end)).collect();
        let place = |found: Option<(usize, &ChangePoint)>| found.map(|(place, _)| place);
        let all = || points.iter().enumerate();
        let weakest = all().max_by(|(_, one), (_, other)| one.p.total_cmp(&other.p));
        let smallest = all().min_by(|(_, one), (_, other)| one.magnitude().total_cmp(&other.magnitude()));
        let weak = place(weakest.filter(|(_, point)| point.p >= settings.level));
        let small = place(smallest.filter(|(_, point)| point.magnitude() <= settings.least));
        match weak.or(small) {
            Some(place) => places.remove(place),
            None => return points,
        };
    }
}

#[cfg(test)]
mod tests;
