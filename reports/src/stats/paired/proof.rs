//! The proof, on simulated nights: what size of change so many pairs find, and how often they cry wolf.
//!
//! The machine has two speeds, 1.8 apart, each kept for a spell of random length, 30 s in the mean; a figure is proportional to the mean slowness over its block,
//! times log-normal noise. Blocks of 2 s stand in pairs of random order. So one pair in eight is torn by a change of speed, half of these against the truth.

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
    /// B's figure as a share of A's, where it is slowed.
    slowdown: f64,
    /// Log-normal noise of a block's figure.
    sigma: f64,
    /// Length of a block, seconds.
    block: f64,
    /// Mean length of a spell, seconds; infinite: a machine of one speed.
    spell: f64,
    /// Pairs that a probe beside each block finds torn are run again.
    again: bool,
}

/// Log-normal noise of a probe of the machine's speed, and from which difference on a pair is torn.
const PROBE: f64 = 0.03;
const TEAR: f64 = 0.1;

/// As in RULES: a change is judged at 5 %.
const LEVEL: f64 = 0.05;

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
                let seen = (one / other).ln() + PROBE * (machine.draws.normal() - machine.draws.normal());
                if !self.again || seen.abs() < TEAR {
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

    /// What is said of every figure, and whether it remains as a discovery of the night.
    fn judge(self, seed: u64) -> Vec<(Verdict, bool)> {
        let mut machine = Machine::new(seed, self.spell);
        let equal = Self { slowed: 0, pairs: 8, ..self }.measure(&mut machine);
        let measured = self.measure(&mut machine);
        let compared = measured.iter().zip(&equal).map(|(pairs, equal)| {
            let floor = NoiseFloor::from_equal(equal, self.pairs, LEVEL).unwrap();
            compare(pairs, Terms { direction: Direction::LowerIsBetter, level: LEVEL, floor })
        });
        let (p, verdicts): (Vec<Option<f64>>, Vec<Verdict>) = compared.map(|one| (one.p, one.verdict)).unzip();
        verdicts.into_iter().zip(discoveries(&p, NIGHTLY)).collect()
    }

    /// Over so many nights.
    fn rates(self, nights: u64) -> Rates {
        let mut rates = Rates::default();
        for seed in 0..nights {
            for (at, (verdict, discovered)) in self.judge(seed).into_iter().enumerate() {
                let changed = matches!(verdict, Verdict::Better | Verdict::Worse);
                if at < self.slowed {
                    let share = ((nights as usize * self.slowed) as f64).recip();
                    rates.found += if verdict == Verdict::Worse { share } else { 0.0 };
                    rates.found_of_many += if verdict == Verdict::Worse && discovered { share } else { 0.0 };
                } else {
                    rates.false_a_night += f64::from(u8::from(changed)) / nights as f64;
                    rates.alarms_a_night += f64::from(u8::from(changed && discovered)) / nights as f64;
                }
            }
        }
        rates
    }
}

/// How often what is said is right.
#[derive(Debug, Clone, Copy, Default)]
struct Rates {
    /// Share of the slowed figures that are called worse, each for itself.
    found: f64,
    /// Share of them that are discoveries of their night as well.
    found_of_many: f64,
    /// Unchanged figures a night that are called changed, each for itself.
    false_a_night: f64,
    /// Unchanged figures a night that are discoveries as well.
    alarms_a_night: f64,
}

/// Torn pairs count, 2 s a block.
const TORN: Night = NIGHT;
/// A probe beside each block tells torn pairs, which are run again.
const MENDED: Night = Night { again: true, ..NIGHT };

#[test]
fn eight_pairs_find_ten_per_cent_in_nine_of_ten_tries_where_torn_pairs_are_run_again() {
    // Measured over 1,000 tries: 0.997; 0.96 with noise of 4 %, 0.81 with 5 %, where 10 pairs have 0.92.
    let rates = MENDED.rates(400);
    assert!(rates.found >= 0.95, "{rates:?}");
    let rates = Night { sigma: 0.05, pairs: 12, ..MENDED }.rates(400);
    assert!(rates.found >= 0.9, "{rates:?}");
}

#[test]
fn eight_pairs_do_not_where_torn_pairs_count_but_eighteen_do() {
    // One pair torn against the truth is the eighth rank of eight: V is 8, and only up to 3 is significant. Measured over 1,000 tries: 0.68, and 0.94.
    let eight = TORN.rates(400);
    assert!(eight.found < 0.8, "{eight:?}");
    let eighteen = Night { pairs: 18, ..TORN }.rates(400);
    assert!(eighteen.found >= 0.9, "{eighteen:?}");
}

#[test]
fn ten_equal_nights_of_fifty_figures_give_at_most_one_alarm() {
    for night in [TORN, MENDED, Night { pairs: 16, ..MENDED }, Night { pairs: 18, ..TORN }] {
        let rates = Night { slowed: 0, figures: 50, ..night }.rates(50);
        assert!(rates.alarms_a_night <= 0.1, "{night:?}: {rates:?}");
        // Which is what the procedure is for: each for itself, one figure of fifty cries wolf every night.
        assert!((0.4..2.5).contains(&rates.false_a_night), "{night:?}: {rates:?}");
    }
}

#[test]
fn one_slow_figure_of_fifty_is_beyond_eight_pairs_and_within_sixteen() {
    let of_fifty = |night: Night, slowed: usize| Night { figures: 50, slowed, ..night }.rates(50).found_of_many;
    // Eight pairs have no p below 0.0078, and fifty figures ask for 0.0002.
    assert!(of_fifty(MENDED, 1) <= 0.0);
    // Measured over 100 nights: 0.97; 14 pairs have 0.80, and 36 are needed where torn pairs count.
    let sixteen = of_fifty(Night { pairs: 16, ..MENDED }, 1);
    assert!(sixteen >= 0.9, "{sixteen}");
    // Where all are slow, ten are enough.
    let all = of_fifty(Night { pairs: 10, ..MENDED }, 50);
    assert!(all >= 0.9, "{all}");
}

#[test]
fn what_could_have_been_seen_is_found_in_half_of_all_tries_and_twice_as_much_in_nine_of_ten() {
    // Measured over 1,000 tries: 0.56, and 0.94.
    let (once, twice) = (could_have_seen(MENDED, 300, 1.0), could_have_seen(MENDED, 300, 2.0));
    assert!((0.45..0.7).contains(&once) && twice >= 0.88, "{once} {twice}");
}

/// Share of tries in which a run with a change of `times` what an equal run could have shown finds it.
fn could_have_seen(night: Night, tries: u64, times: f64) -> f64 {
    let found = (0..tries).filter(|seed| {
        let Verdict::NoDifference { could_have_seen } = Night { slowed: 0, ..night }.judge(*seed)[0].0 else {
            return false;
        };
        let slower = Night { slowdown: 1.0 + times * could_have_seen, ..night };
        slower.judge(seed + tries)[0].0 == Verdict::Worse
    });
    found.count() as f64 / tries as f64
}

#[test]
#[ignore = "a table of measured rates, for people"]
fn tables() {
    for (night, pairs) in [(TORN, [8, 12, 16, 18, 20, 24]), (MENDED, [8, 10, 12, 14, 16, 20])] {
        for sigma in [0.01, 0.03, 0.04, 0.05, 0.08] {
            for pairs in pairs {
                println!(
                    "{pairs} pairs, noise {sigma}, again {}: {:?}",
                    night.again,
                    Night { pairs, sigma, ..night }.rates(1000)
                );
            }
        }
    }
    for (night, pairs) in [(TORN, [8, 24, 28, 32, 36]), (MENDED, [8, 10, 14, 15, 16])] {
        for (pairs, slowed) in pairs.into_iter().flat_map(|pairs| [(pairs, 0), (pairs, 1), (pairs, 50)]) {
            let rates = Night { pairs, slowed, figures: 50, ..night }.rates(100);
            println!("nights of 50 figures, {slowed} slowed, {pairs} pairs, again {}: {rates:?}", night.again);
        }
    }
    for (times, night) in [1.0, 1.5, 2.0]
        .into_iter()
        .flat_map(|times| [(times, TORN), (times, MENDED), (times, Night { pairs: 16, ..MENDED })])
    {
        println!(
            "{times} x what could have been seen, {} pairs, again {}: {}",
            night.pairs,
            night.again,
            could_have_seen(night, 1000, times)
        );
    }
}
