//! How requests stand to each other, whatever their rate: marks on a line as long as there are requests, in ascending order.

use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

/// How requests stand to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// In the middle of equal shares.
    #[default]
    Even,
    /// Wherever they fall, each by itself: a Poisson process, of which the number is known.
    Poisson,
}

/// A length as a whole number of marks. One that would stand at the very end belongs to whatever follows.
pub(super) fn whole(length: f64) -> u64 {
    (length - 0.5 - 1e-9).ceil().max(0.0) as u64
}

/// The marks, in ascending order.
#[derive(Debug)]
pub(super) enum Marks {
    Even { next: u64, count: u64 },
    Poisson { at: f64, left: u64, length: f64, rng: Box<ChaCha12Rng> },
}

impl Marks {
    pub(super) fn new(gaps: Gaps, length: f64, rng: ChaCha12Rng) -> Self {
        let count = whole(length);
        match gaps {
            Gaps::Even => Self::Even { next: 0, count },
            Gaps::Poisson => Self::Poisson { at: 0.0, left: count, length, rng: Box::new(rng) },
        }
    }
}

impl Iterator for Marks {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        match self {
            Self::Even { next, count } => {
                let mark = *next as f64 + 0.5;
                *next += 1;
                (*next <= *count).then_some(mark)
            }
            Self::Poisson { at, left, length, rng } => {
                // The least of so many uniform draws over what is left.
                let power = 1.0 / left.checked_sub(1).map(|_| *left)? as f64;
                *left -= 1;
                *at += (*length - *at) * (1.0 - rng.random::<f64>().powf(power));
                Some(*at)
            }
        }
    }
}
