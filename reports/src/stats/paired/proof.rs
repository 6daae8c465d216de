//! The proof, on simulated nights: what size of change so many pairs find, and how often they cry wolf.
//!
//! The machine has two speeds, 1.8 apart, each kept for a spell of random length, 30 s in the mean; a figure is proportional to the mean slowness over its block,
//! times log-normal noise. Blocks of 2 s stand in pairs of random order. So one pair in sixteen is torn by a change of speed.

use super::*;
use crate::stats::discoveries::{NIGHTLY, discoveries};
use crate::stats::draws::Draws;

/// A night and the machine that it runs on.
#[derive(Debug, Clone, Copy)]
struct Night {
    pairs: usize,
    /// Figures that are measured in the same blocks.
    figures: usize,
    /// Of those, how many B has slower.
    slowed: usize,
    /// B's share of A's figure, where it is slowed.
    slowdown: f64,
    /// Log-normal noise of a block's figure.
    sigma: f64,
    /// Length of a block, seconds.
    block: f64,
    /// Mean length of a spell, seconds; infinite: a machine of one speed.
    spell: f64,
    /// Pairs that a probe finds torn are run again.
    again: bool,
}

const NIGHT: Night =
    Night { pairs: 8, figures: 1, slowed: 1, slowdown: 1.1, sigma: 0.03, block: 2.0, spell: 30.0, again: false };

struct Machine {
    draws: Draws,
    slow: bool,
    left: f64,
}

impl Machine {
    fn new(seed: u64, spell: f64) -> Self {
        let mut draws = Draws::new(seed);
        let slow = draws.uniform() < 0.5;
        let left = draws.exponential(spell);
        Self { draws, slow, left }
    }

    /// Mean slowness over so many seconds: 1 to 1.8.
    fn run(&mut self, seconds: f64, spell: f64) -> f64 {
        let (mut rest, mut work) = (seconds, 0.0);
        while rest > 0.0 {
            let span = rest.min(self.left);
            work += span * if self.slow { 1.8 } else { 1.0 };
            rest -= span;
            self.left -= span;
            if self.left <= 0.0 {
                self.slow = !self.slow;
                self.left = self.draws.exponential(spell);
            }
        }
        work / seconds
    }
}

impl Night {
    /// The pairs of every figure.
    fn measure(self, machine: &mut Machine) -> Vec<Vec<Pair>> {
        let mut all = vec![Vec::new(); self.figures];
        for _ in 0..self.pairs {
            let (a, b) = loop {
                let (one, other) = (machine.run(self.block, self.spell), machine.run(self.block, self.spell));
                if !self.again || (one / other).ln().abs() < 0.1 {
                    break if machine.draws.uniform() < 0.5 { (one, other) } else { (other, one) };
                }
            };
            for (at, pairs) in all.iter_mut().enumerate() {
                let mut noise = || (self.sigma * machine.draws.normal()).exp();
                let slowdown = if at < self.slowed { self.slowdown } else { 1.0 };
                pairs.push(Pair { a: 20.0 * a * noise(), b: 20.0 * b * slowdown * noise() });
            }
        }
        all
    }

    /// Figures that count as changed: each for itself, and those that remain as discoveries of the night.
    fn judge(self, seed: u64) -> (usize, usize) {
        let mut machine = Machine::new(seed, self.spell);
        let equal = Self { slowed: 0, pairs: 8, ..self }.measure(&mut machine);
        let measured = self.measure(&mut machine);
        let comparisons: Vec<Comparison> = measured
            .iter()
            .zip(&equal)
            .map(|(pairs, equal)| {
                let floor = NoiseFloor::from_equal(equal, self.pairs, 0.05).unwrap();
                compare(pairs, Terms { direction: Direction::LowerIsBetter, level: 0.05, floor })
            })
            .collect();
        let p: Vec<Option<f64>> = comparisons.iter().map(|one| one.p).collect();
        let changed = |one: &Comparison| matches!(one.verdict, Verdict::Better | Verdict::Worse);
        let discovered = discoveries(&p, NIGHTLY);
        let found = comparisons.iter().zip(discovered).filter(|(one, found)| *found && changed(one)).count();
        (comparisons.iter().filter(|one| changed(one)).count(), found)
    }

    /// Mean number of changed figures a night: each for itself, and as discoveries.
    fn mean(self, nights: u64) -> (f64, f64) {
        let (one, other) =
            (0..nights).map(|seed| self.judge(seed)).fold((0, 0), |sum, night| (sum.0 + night.0, sum.1 + night.1));
        (one as f64 / nights as f64, other as f64 / nights as f64)
    }
}

#[test]
#[ignore = "a table of measured powers, for people"]
fn tables() {
    println!("single: share found, level 5 %");
    for sigma in [0.01, 0.03, 0.05, 0.08] {
        for (name, spell, block, again) in [
            ("one speed  ", f64::INFINITY, 2.0, false),
            ("30 s, 1 s  ", 30.0, 1.0, false),
            ("30 s, 2 s  ", 30.0, 2.0, false),
            ("30 s, 5 s  ", 30.0, 5.0, false),
            ("30 s, 10 s ", 30.0, 10.0, false),
            ("2 s, again ", 30.0, 2.0, true),
            ("5 s, again ", 30.0, 5.0, true),
        ] {
            print!("sigma {sigma} {name}");
            for pairs in [8, 10, 12, 14, 16, 20, 24, 30] {
                let night = Night { pairs, sigma, spell, block, again, ..NIGHT };
                print!("  {pairs}: {:.3}/{:.3}", night.mean(400).0, Night { slowed: 0, ..night }.mean(400).0);
            }
            println!();
        }
    }
    println!("nights of 50: one slowed found (discovery), all slowed share, A/A alarms a night");
    for (name, sigma, block, again) in [
        ("2 s       ", 0.03, 2.0, false),
        ("2 s, again", 0.03, 2.0, true),
        ("5 s       ", 0.03, 5.0, false),
        ("5 s, again", 0.03, 5.0, true),
    ] {
        print!("sigma {sigma} {name}");
        for pairs in [8, 14, 16, 20, 24, 30] {
            let night = Night { pairs, figures: 50, sigma, block, again, ..NIGHT };
            let (nights, more) = (60, 60);
            print!(
                "  {pairs}: {:.2} {:.2} {:.3}",
                night.mean(nights).1,
                Night { slowed: 50, ..night }.mean(nights).1 / 50.0,
                Night { slowed: 0, ..night }.mean(more).1
            );
        }
        println!();
    }
}
