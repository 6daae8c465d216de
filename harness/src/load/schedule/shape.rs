//! How a rate goes over a stretch of time: the requests due by a moment of it, and the moment by which so many are due.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Halvings of a stretch that find a moment to the nanosecond in any stretch below a century.
const HALVINGS: u32 = 64;

/// A rate, in requests a second, over a stretch that begins at 0 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The same all the time; 0 for a pause.
    Constant(f64),
    /// From one rate evenly to another.
    Ramp {
        /// At the beginning of the stretch.
        from: f64,
        /// At its end.
        to: f64,
    },
    /// Up and down around a mean, upwards first.
    Sine {
        /// In the middle.
        mean: f64,
        /// Above and below it, at most the mean.
        amplitude: f64,
        /// Seconds from one height to the next.
        period: f64,
        /// Seconds of a period that are over when the stretch begins.
        begun: f64,
    },
}

impl Shape {
    /// Requests due in the first `seconds` of a stretch of `length` seconds.
    pub fn due_by(&self, seconds: f64, length: f64) -> f64 {
        match *self {
            Self::Constant(rate) => rate * seconds,
            Self::Ramp { from, to } => seconds * (from + (to - from) * seconds / length / 2.0),
            Self::Sine { mean, amplitude, period, begun } => {
                let height = |at: f64| (TAU * at / period).cos();
                mean * seconds + amplitude * period / TAU * (height(begun) - height(begun + seconds))
            }
        }
    }

    /// The second of a stretch of `length` seconds by which `requests` are due.
    pub fn moment_of(&self, requests: f64, length: f64) -> f64 {
        let moment = match *self {
            Self::Constant(rate) => requests / rate,
            Self::Ramp { from, to } => {
                let slope = (to - from) / length;
                // The root as it keeps its digits for a slope near 0.
                2.0 * requests / (from + (from * from + 2.0 * slope * requests).max(0.0).sqrt())
            }
            Self::Sine { .. } => self.search(requests, length),
        };
        moment.clamp(0.0, length)
    }

    /// The rate at a second of a stretch of `length` seconds.
    pub fn rate_at(&self, seconds: f64, length: f64) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Ramp { from, to } => from + (to - from) * seconds / length,
            Self::Sine { mean, amplitude, period, begun } => {
                mean + amplitude * (TAU * (begun + seconds) / period).sin()
            }
        }
    }

    /// The first `seconds` of it as a stretch of its own, where it was meant for `length` seconds.
    #[must_use]
    pub fn until(&self, seconds: f64, length: f64) -> Self {
        match *self {
            Self::Ramp { from, .. } => Self::Ramp { from, to: self.rate_at(seconds, length) },
            whole => whole,
        }
    }

    /// The highest rate.
    pub fn highest(&self) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Ramp { from, to } => from.max(to),
            Self::Sine { mean, amplitude, .. } => mean + amplitude,
        }
    }

    /// What is due never falls, so halving finds it.
    fn search(&self, requests: f64, length: f64) -> f64 {
        let (mut low, mut high) = (0.0, length);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.due_by(middle, length) < requests { low = middle } else { high = middle }
        }
        high
    }
}
