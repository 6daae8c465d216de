//! The page of a comparison in blocks.

use super::parts::Pair;
use crate::artifacts::Error;
use crate::compare::{Compared, Comparison, words as told};
use crate::plot::{self, theme};
use crate::words::many;
use askama::Template;

#[derive(Template)]
#[template(path = "ratios.html")]
struct Page<'a> {
    comparison: &'a Comparison,
    theme: String,
    headline: String,
    blocks: String,
    picture: Option<Pair>,
    names: Vec<&'static str>,
    /// By block, each figure with A, A once more, and B.
    rows: Vec<Vec<(&'static str, [String; 3])>>,
}

/// The page.
pub fn page(comparison: &Comparison) -> Result<String, Error> {
    let page = Page {
        comparison,
        theme: format!("{}{}", theme::variables(), theme::classes()),
        headline: told::sentence(comparison),
        blocks: many(comparison.blocks, "block"),
        picture: Pair::drawn(|width| plot::ratios(comparison, width)),
        names: comparison.figures.iter().map(|one| one.figure.name()).collect(),
        rows: (0..comparison.blocks).map(|at| row(comparison, at)).collect(),
    };
    Ok(page.render()?)
}

fn row(comparison: &Comparison, at: usize) -> Vec<(&'static str, [String; 3])> {
    let cells = |one: &Compared| {
        let ((a, b), (_, again)) = (one.pairs.get(at)?, one.equal.get(at)?);
        Some((one.figure.name(), [*a, *again, *b].map(|value| told::value(one.unit, value))))
    };
    comparison.figures.iter().filter_map(cells).collect()
}
