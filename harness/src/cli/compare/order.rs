//! In which order a block is measured.

use rand::RngExt;
use std::fmt;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A, next to B in time: the pair that is compared.
    A,
    /// A once more: how far equal things lie apart.
    Again,
    /// B.
    B,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A | Self::Again => "A",
            Self::B => "B",
        })
    }
}

/// A stands beside B in each, and each of the three is as often first as last.
const ORDERS: [[Part; 3]; 4] = [
    [Part::Again, Part::A, Part::B],
    [Part::B, Part::A, Part::Again],
    [Part::A, Part::B, Part::Again],
    [Part::Again, Part::B, Part::A],
];

/// One of them, drawn.
pub(super) fn draw(draws: &mut impl RngExt) -> [Part; 3] {
    ORDERS[draws.random_range(0..ORDERS.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_measured_next_to_each_other() {
        for order in ORDERS {
            let at = |part| order.iter().position(|one| *one == part).unwrap();
            assert_eq!(at(Part::A).abs_diff(at(Part::B)), 1, "{order:?}");
        }
        let first = |part| ORDERS.iter().filter(|order| order[0] == part).count();
        let last = |part| ORDERS.iter().filter(|order| order[2] == part).count();
        for part in [Part::A, Part::Again, Part::B] {
            assert_eq!(first(part), last(part), "{part:?}");
        }
    }
}
