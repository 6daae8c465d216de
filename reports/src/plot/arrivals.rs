//! What arrived at an instance and what was lost, by slice: shared by the pictures that show it over time.

use super::frame::TimeFrame;
use super::slices;
use super::svg::{Hatch, Paint, Svg};
use super::theme::Token;
use crate::record::{Arm, Offers};

/// What an instance was offered, by slice: kept from it by a fault or by its death, and what reached it.
pub(super) struct Arrivals {
    pub(super) harmed: Vec<u64>,
    pub(super) served: Vec<u64>,
}

impl Arrivals {
    pub(super) fn of(offers: &Offers, step: usize) -> Self {
        let slots = offers.offered.len();
        let mut harmed = vec![0u32; slots];
        let series = offers.withheld.values().chain([&offers.cut, &offers.inferred]);
        series.for_each(|more| harmed.iter_mut().zip(more).for_each(|(sum, count)| *sum += count));
        let mut total = offers.offered.clone();
        // Refused by the kernel: no relay was offered those.
        total.iter_mut().zip(&offers.inferred).for_each(|(sum, count)| *sum += count);
        let served: Vec<u32> = total.iter().zip(&harmed).map(|(all, harmed)| all.saturating_sub(*harmed)).collect();
        Self { harmed: slices::sums(&harmed, step), served: slices::sums(&served, step) }
    }

    pub(super) fn most(&self) -> u64 {
        self.harmed.iter().zip(&self.served).map(|(one, other)| one + other).max().unwrap_or(0)
    }

    /// Both stacks, the harmed below.
    pub(super) fn draw(&self, svg: &mut Svg, frame: &TimeFrame, step: usize, base: f64, height: impl Fn(u64) -> f64) {
        let harmed: Vec<f64> = self.harmed.iter().map(|count| height(*count)).collect();
        let served: Vec<f64> = self.served.iter().map(|count| height(*count)).collect();
        let bases: Vec<f64> = harmed.iter().map(|harmed| base - harmed).collect();
        let x = |number: usize| frame.slice(number, step);
        svg.series("served", |svg| svg.path(&slices::bars(&served, &bases, x), Paint::fill(Token::Ok)));
        let flat = vec![base; harmed.len()];
        svg.series("harmed", |svg| svg.path(&slices::bars(&harmed, &flat, x), Paint::hatch(Hatch::Lost)));
    }
}

/// Requests lost, by slice of due time.
pub(super) fn lost(arm: &Arm, step: usize) -> Vec<u64> {
    let mut lost = vec![0u32; arm.outcomes.iter().map(|one| one.planned.len()).max().unwrap_or(0)];
    for outcomes in &arm.outcomes {
        lost.iter_mut().zip(outcomes.lost()).for_each(|(sum, count)| *sum += count);
    }
    slices::sums(&lost, step)
}

/// Stretches of slices with losses, those at most two slices apart together: from, to, sum.
pub(crate) fn spells(lost: &[u64]) -> Vec<(usize, usize, u64)> {
    let mut spells: Vec<(usize, usize, u64)> = Vec::new();
    for (number, count) in lost.iter().enumerate().filter(|(_, count)| **count > 0) {
        match spells.last_mut() {
            Some((_, to, sum)) if number <= *to + 2 => {
                *to = number + 1;
                *sum += count;
            }
            _ => spells.push((number, number + 1, *count)),
        }
    }
    spells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_close_together_are_one_spell() {
        assert_eq!(spells(&[0, 3, 4, 0, 0, 1, 0, 0, 0, 2]), [(1, 6, 8), (9, 10, 2)]);
        assert!(spells(&[0; 5]).is_empty());
    }
}
