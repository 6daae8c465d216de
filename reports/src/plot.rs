//! Pictures, from the record alone. SVG with presentation attributes and classes, so that a page may forbid styles and one
//! picture serves light and dark; PNG from the same SVG.
//!
//! - [`theme`]: colours by meaning. [`svg`]: the picture that they are drawn into. [`number`]: numbers as text.
//! - [`scale`], [`frame`], [`labels`], [`slices`]: axes, the frame over time, places for labels, thinning.
//! - [`chart`]: plotters on top of `svg`, for everything with two axes.
//! - All else is one picture a file.

pub(crate) mod arrivals;
mod beside;
pub mod chart;
mod distance;
#[cfg(test)]
pub(crate) mod fixture;
pub mod frame;
mod growth;
pub mod healing;
pub mod highest;
pub mod key;
pub mod labels;
pub mod lag;
pub mod latency;
pub mod marks;
pub mod moments;
mod nights;
pub mod number;
pub mod outcomes;
#[cfg(test)]
mod overlap;
pub mod phases;
mod png;
mod ratios;
pub mod resources;
pub mod scale;
pub mod slices;
pub mod svg;
pub mod sweep;
#[cfg(test)]
mod tests;
mod text;
pub mod theme;
pub mod topology;

pub use beside::{Side, beside};
pub use distance::distance;
pub use frame::Width;
pub use growth::{Growth, growth};
pub use healing::healing;
pub use highest::highest;
pub use lag::lag;
pub use latency::latency;
pub use moments::{Moment, moment, moments};
pub use nights::nights;
pub use outcomes::outcomes;
pub use phases::phases;
pub use png::png;
pub use ratios::ratios;
pub use resources::resources;
pub use sweep::Sweep;
pub use theme::standalone;
pub use topology::topology;

use crate::record::{Arm, ArmKind};

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chart.
    #[error("a chart could not be drawn: {0}")]
    Chart(String),
    /// The picture.
    #[error("a picture could not be made: {0}")]
    Picture(String),
}

/// An id that is unique in a page: of the picture, its arm and its width.
fn id(picture: &str, arm: &Arm, width: Width) -> String {
    let arm = match (arm.kind, &arm.cell) {
        (ArmKind::Main, _) => String::new(),
        (ArmKind::Control, _) => "control-".to_owned(),
        (ArmKind::Cell, Some(cell)) => format!("cell-{}-", cell.file_name()),
        (ArmKind::Cell, None) => "cell-".to_owned(),
    };
    format!("{arm}{picture}-{}", width.letter())
}
