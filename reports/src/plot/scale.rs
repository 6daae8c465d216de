//! Where the ticks of an axis stand, and what they say.

use super::number;
use crate::record::Micros;
use std::ops::Range;

/// Steps of seconds that people count in.
const SECONDS: [f64; 18] = [
    0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0,
];

/// Instants for ticks between two, at most `most` of them.
pub fn time_ticks(from: Micros, to: Micros, most: usize) -> Vec<Micros> {
    let span = (to - from).max(1) as f64 / 1e6;
    let step = SECONDS.into_iter().find(|step| span / step <= most.max(1) as f64).unwrap_or(span.max(14_400.0));
    let step = ((step * 1e6) as Micros).max(1);
    let first = from.div_euclid(step) * step;
    (0..).map(|n| first + n * step).skip_while(|at| *at < from).take_while(|at| *at <= to).collect()
}

/// What stands at a tick: `0 s`, then bare numbers; with as many decimals as the ticks need.
pub fn time_label(at: Micros, first: bool) -> String {
    let seconds = at as f64 / 1e6;
    let text = if at % 1_000_000 == 0 {
        format!("{}", at / 1_000_000)
    } else if at % 100_000 == 0 {
        format!("{seconds:.1}")
    } else {
        format!("{seconds:.2}")
    };
    if first { format!("{text}{}s", number::NARROW) } else { text }
}

/// A round number at or above `value`, and the step that divides it into at most `parts`.
pub fn round_up(value: f64, parts: usize) -> (f64, f64) {
    if value <= 0.0 {
        return (1.0, 1.0);
    }
    let rough = value / parts.max(1) as f64;
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|f| f * magnitude).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    ((value / step).ceil() * step, step)
}

/// Whole decades about all values, microseconds; at least two, so that a flat line does not look wild.
pub fn decades(values: impl Iterator<Item = u64>) -> Option<Range<f64>> {
    let (mut least, mut most) = (f64::INFINITY, 0f64);
    for value in values {
        least = least.min(value.max(1) as f64);
        most = most.max(value.max(1) as f64);
    }
    if most == 0.0 {
        return None;
    }
    let (low, high) = (least.log10().floor(), most.log10().ceil().max(least.log10().floor() + 2.0));
    Some(10f64.powf(low)..10f64.powf(high))
}

/// The decades of an axis, both ends among them; every second one if there are many.
pub fn decade_ticks(range: &Range<f64>) -> Vec<f64> {
    let (low, high) = (range.start.log10().round() as i32, range.end.log10().round() as i32);
    let step = if high - low > 6 { 2 } else { 1 };
    (low..=high).step_by(step).map(|power| 10f64.powi(power)).collect()
}

/// What stands at a decade of microseconds: `100 us`, `1 ms`, `10 s`.
pub fn decade_label(micros: f64) -> String {
    let (number, unit) = match micros {
        m if m < 999.0 => (m, "us"),
        m if m < 999_000.0 => (m / 1e3, "ms"),
        m => (m / 1e6, "s"),
    };
    format!("{}{}{unit}", number::count(number.round() as u64), number::NARROW)
}

/// Where a quantile stands on an axis that spreads the tail: every step to the right is ten times rarer.
pub fn tail(quantile: f64) -> f64 {
    -(1.0 - quantile).max(1e-12).log10()
}

/// Ticks of that axis up to `most` decades: position and label.
pub fn tail_ticks(most: f64) -> Vec<(f64, &'static str)> {
    let all = [
        (0.0, "0"),
        (0.5, "50"),
        (0.9, "90"),
        (0.99, "99"),
        (0.999, "99.9"),
        (0.9999, "99.99"),
        (0.99999, "99.999"),
        (0.999_999, "99.9999"),
    ];
    all.into_iter().map(|(quantile, label)| (tail(quantile), label)).filter(|(at, _)| *at <= most + 1e-6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_time_are_round_and_not_too_many() {
        let seconds = |to: f64, most| time_ticks(0, (to * 1e6) as Micros, most);
        assert_eq!(seconds(32.0, 8), [0, 5, 10, 15, 20, 25, 30].map(|s| s * 1_000_000));
        assert!(seconds(3_600.0, 10).len() <= 11);
        assert_eq!(time_ticks(4_700_000, 5_300_000, 4), [4_800_000, 5_000_000, 5_200_000]);
        assert_eq!(time_label(4_800_000, true).replace(number::NARROW, " "), "4.8 s");
        assert_eq!(time_label(5_000_000, false), "5");
        assert_eq!(time_ticks(0, 0, 5), [0]);
    }

    #[test]
    fn counts_reach_a_round_number() {
        assert_eq!(round_up(480.0, 2), (500.0, 250.0));
        assert_eq!(round_up(17.0, 2), (20.0, 10.0));
        assert_eq!(round_up(0.0, 2), (1.0, 1.0));
    }

    #[test]
    fn latencies_have_whole_decades() {
        assert_eq!(decades([320, 5_000_000].into_iter()), Some(100.0..10_000_000.0));
        assert_eq!(decades([500].into_iter()), Some(100.0..10_000.0));
        assert_eq!(decades(std::iter::empty()), None);
        let labels: Vec<_> = decade_ticks(&(100.0..1e7)).into_iter().map(decade_label).collect();
        let plain: Vec<_> = labels.iter().map(|label| label.replace(number::NARROW, " ")).collect();
        assert_eq!(plain, ["100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    }

    #[test]
    fn each_step_of_the_tail_is_ten_times_rarer() {
        assert!((tail(0.99) - 2.0 * tail(0.9)).abs() < 1e-9);
        assert_eq!(tail_ticks(3.0).len(), 5);
    }
}
