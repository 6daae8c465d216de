//! Two things measured beside each other, block by block: what their figures say of B compared with A.
//!
//! Each block measures A, A once more, and B. The two measurements of A say how far equal things lie apart on this machine; a change must be larger.

mod figures;
pub mod words;

pub use figures::{Figure, Figures, Unit};

use crate::record::Interval;
use crate::stats::discoveries::discoveries;
use crate::stats::paired::{self, NoiseFloor, Pair, Terms, compare};
use crate::stats::ranks::median;
use serde::Serialize;

/// Probability of any change found where there is none, over all figures of a comparison together.
pub const LEVEL: f64 = 0.05;

/// What one block has measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// A, next to B in time.
    pub a: Figures,
    /// A once more.
    pub again: Figures,
    /// B.
    pub b: Figures,
}

/// What may be said of a figure of B compared with that of A, or of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// B is better.
    Better,
    /// B is worse.
    Worse,
    /// By itself the figure is better; among so many figures, luck would do that too often.
    PerhapsBetter,
    /// By itself the figure is worse, likewise.
    PerhapsWorse,
    /// No change was found.
    NoDifference,
    /// Too few blocks, or some without the figure.
    Undecided,
}

/// A figure of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compared {
    /// Which.
    pub figure: Figure,
    /// What it is counted in.
    pub unit: Unit,
    /// Median of A over the blocks.
    pub a: f64,
    /// Median of B.
    pub b: f64,
    /// B by A: Hodges and Lehmann's estimate over all blocks.
    pub ratio: Option<f64>,
    /// Its interval at 95 %.
    pub interval: Option<Interval>,
    /// Probability of such ratios between equal things, by Wilcoxon's signed ranks.
    pub p: Option<f64>,
    /// What equal things differ by here, as a share.
    pub floor: f64,
    /// What follows.
    pub verdict: Verdict,
    /// The smallest change that would have been found, as a share; where none was found.
    pub could_have_seen: Option<f64>,
    /// A and B, block by block.
    pub pairs: Vec<(f64, f64)>,
    /// A and A once more, block by block.
    pub equal: Vec<(f64, f64)>,
}

/// All that two things say beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// Always `squall/compare`; first in the object.
    pub format: &'static str,
    /// `major.minor`.
    pub version: &'static str,
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// Seed of the order and of what was drawn.
    pub seed: u64,
    /// Blocks that count.
    pub blocks: usize,
    /// Blocks that were measured anew, since the machine changed its speed under them or was too busy.
    pub repeated: usize,
    /// WORSE if any figure is; else better if any is.
    pub verdict: Verdict,
    /// Each figure.
    pub figures: Vec<Compared>,
}

impl Comparison {
    /// What blocks say.
    pub fn of(a: &str, b: &str, seed: u64, blocks: &[Block], repeated: usize) -> Self {
        let mut figures: Vec<Compared> = measured(blocks).into_iter().map(|figure| compared(figure, blocks)).collect();
        let probabilities: Vec<Option<f64>> = figures.iter().map(|one| one.p).collect();
        for (one, found) in figures.iter_mut().zip(discoveries(&probabilities, LEVEL)) {
            one.verdict = match one.verdict {
                Verdict::Better if !found => Verdict::PerhapsBetter,
                Verdict::Worse if !found => Verdict::PerhapsWorse,
                verdict => verdict,
            };
        }
        Self {
            format: "squall/compare",
            version: "1.0",
            a: a.to_owned(),
            b: b.to_owned(),
            seed,
            blocks: blocks.len(),
            repeated,
            verdict: overall(&figures),
            figures,
        }
    }
}

/// Figures that any measurement has.
fn measured(blocks: &[Block]) -> Vec<Figure> {
    let each = blocks.iter().flat_map(|block| [&block.a, &block.again, &block.b]);
    let mut figures: Vec<Figure> = each.flat_map(|one| one.0.keys().copied()).collect();
    figures.sort_unstable();
    figures.dedup();
    figures
}

fn compared(figure: Figure, blocks: &[Block]) -> Compared {
    // What is missing has no ratio, which is how it is told.
    let value = |figures: &Figures| figures.0.get(&figure).copied().unwrap_or(f64::NAN);
    let pairs: Vec<(f64, f64)> = blocks.iter().map(|block| (value(&block.a), value(&block.b))).collect();
    let equal: Vec<(f64, f64)> = blocks.iter().map(|block| (value(&block.a), value(&block.again))).collect();
    let floor = NoiseFloor::from_equal(&as_pairs(&equal), blocks.len(), LEVEL).unwrap_or(NoiseFloor::NONE);
    let said = compare(&as_pairs(&pairs), Terms { direction: figure.direction(), level: LEVEL, floor });
    let (verdict, could_have_seen) = match said.verdict {
        paired::Verdict::Better => (Verdict::Better, None),
        paired::Verdict::Worse => (Verdict::Worse, None),
        paired::Verdict::NoDifference { could_have_seen } => (Verdict::NoDifference, Some(could_have_seen)),
        paired::Verdict::TooFewPairs { .. } | paired::Verdict::NoRatio { .. } => (Verdict::Undecided, None),
    };
    Compared {
        figure,
        unit: figure.unit(),
        a: median(pairs.iter().map(|pair| pair.0)).unwrap_or(f64::NAN),
        b: median(pairs.iter().map(|pair| pair.1)).unwrap_or(f64::NAN),
        ratio: said.ratio,
        interval: said.interval,
        p: said.p,
        floor: floor.share(),
        verdict,
        could_have_seen,
        pairs,
        equal,
    }
}

fn as_pairs(values: &[(f64, f64)]) -> Vec<Pair> {
    values.iter().map(|(a, b)| Pair { a: *a, b: *b }).collect()
}

fn overall(figures: &[Compared]) -> Verdict {
    let any = |verdict| figures.iter().any(|one| one.verdict == verdict);
    match () {
        () if any(Verdict::Worse) => Verdict::Worse,
        () if any(Verdict::Better) => Verdict::Better,
        () if figures.is_empty() || any(Verdict::Undecided) => Verdict::Undecided,
        () => Verdict::NoDifference,
    }
}

#[cfg(test)]
mod tests;
