//! The picture: a story and what the person wants to see of it, made into cells. Pure.
//!
//! A screen is a list of [`Block`]s from top to bottom. Which of them there is room for depends on the size of the terminal alone, so that
//! rows keep their places whatever happens.

mod chart;
mod details;
mod overview;
mod row;
mod top;
mod wide;

#[cfg(test)]
mod tests;

use super::Looks;
use super::view::{Body, View};
use crate::output::story::Story;
use crate::output::story::arm::ArmStory;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use row::{Pen, Row};
use std::time::Duration;

/// All that a picture is made of.
pub(super) struct Scene<'a> {
    pub(super) story: &'a Story,
    pub(super) view: &'a View,
    pub(super) at: Duration,
    pub(super) looks: Looks,
    pub(super) replay: bool,
}

impl Scene<'_> {
    /// The arm that is shown.
    fn arm(&self) -> Option<&ArmStory> {
        self.story.arms.get(self.view.focus())
    }
}

/// Rows that stay together.
struct Block<'a> {
    rows: Vec<Row>,
    /// What there is no room for goes in the order of these, the largest first; 0 stays.
    rank: u8,
    /// It can do with this number of rows.
    least: usize,
    /// Its rows beyond that go as if they were of this rank.
    spare: u8,
    /// Makes the rows, once it is known how many there is room for.
    make: Option<Box<dyn Fn(usize) -> Vec<Row> + 'a>>,
}

impl<'a> Block<'a> {
    fn new(rank: u8, rows: Vec<Row>) -> Self {
        Self { least: rows.len(), rows, rank, spare: rank, make: None }
    }

    /// A block that gives up its last rows one by one before it goes.
    fn shrinking(rank: u8, least: usize, rows: Vec<Row>) -> Self {
        Self { rows, rank, least, spare: rank, make: None }
    }

    /// A block that takes what room is left, from `least` to `most` rows.
    fn filling(rank: u8, least: usize, most: usize, make: impl Fn(usize) -> Vec<Row> + 'a) -> Self {
        Self { rows: vec![Row::default(); most], rank, least, spare: u8::MAX, make: Some(Box::new(make)) }
    }

    /// An empty row.
    fn gap(rank: u8) -> Self {
        Self::new(rank, vec![Row::default()])
    }

    /// The rank of what would go next.
    fn next(&self) -> u8 {
        if self.rows.len() > self.least { self.spare } else { self.rank }
    }
}

/// The largest size that has no room for more than words: below, sparklines go first.
const LEAST_FOR_PICTURES: (u16, u16) = (80, 24);
/// From here on there are axes, and lists beside each other.
const LEAST_FOR_WIDE: (u16, u16) = (120, 36);

/// Draws it all.
pub(super) fn scene(buffer: &mut Buffer, scene: &Scene<'_>) {
    let area = buffer.area;
    if area.width < 4 || area.height < 1 {
        return;
    }
    // As on paper, a margin on both sides.
    let inner = Rect { x: 1, width: area.width - 2, ..area };
    let pen = Pen { width: usize::from(inner.width), looks: scene.looks };
    let pictures = area.width >= LEAST_FOR_PICTURES.0 && area.height >= LEAST_FOR_PICTURES.1;
    let wide = area.width >= LEAST_FOR_WIDE.0 && area.height >= LEAST_FOR_WIDE.1;

    let mut blocks = top::blocks(scene, &pen, usize::from(area.height));
    if let Some(arm) = scene.arm() {
        match scene.view.body() {
            Body::Overview if wide => blocks.extend(wide::blocks(arm, pen)),
            Body::Overview => blocks.extend(overview::blocks(scene, arm, pen, pictures)),
            Body::Details => blocks.extend(details::blocks(arm, pen)),
            Body::Events => blocks.push(overview::all_events(arm, pen, usize::from(area.height))),
        }
    }
    let foot = top::foot(scene, &pen);
    let rows = fit(blocks, usize::from(inner.height).saturating_sub(1));
    for (y, row) in rows.iter().enumerate() {
        row.draw(buffer, Rect { y: y as u16, height: 1, ..inner });
    }
    foot.draw(buffer, Rect { y: area.height - 1, height: 1, ..inner });
    if scene.looks.ascii {
        for cell in buffer.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
            cell.set_symbol(if cell.symbol() == "…" { "." } else { "?" });
        }
    }
}

/// The rows that there is room for.
fn fit(mut blocks: Vec<Block<'_>>, height: usize) -> Vec<Row> {
    let taken = |blocks: &[Block<'_>]| blocks.iter().map(|block| block.rows.len()).sum::<usize>();
    while taken(&blocks) > height {
        let next = blocks.iter().enumerate().max_by_key(|(index, block)| (block.next(), *index));
        let Some((index, block)) = next else { break };
        if block.rows.len() > block.least {
            blocks[index].rows.pop();
        } else if block.rank == 0 {
            break;
        } else {
            blocks.remove(index);
        }
    }
    let rows = |block: Block<'_>| match block.make {
        Some(make) => make(block.rows.len()),
        None => block.rows,
    };
    blocks.into_iter().flat_map(rows).take(height).collect()
}
