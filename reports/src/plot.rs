//! Pictures, from the record alone. SVG with presentation attributes and classes, so that a page may forbid styles and one
//! picture serves light and dark; PNG from the same SVG.
//!
//! - [`theme`]: colours by meaning. [`svg`]: the picture that they are drawn into. [`number`]: numbers as text.
//! - [`scale`], [`frame`], [`labels`], [`slices`]: axes, the frame over time, places for labels, thinning.
//! - [`chart`]: plotters on top of `svg`, for everything with two axes.
//! - All else is one picture a file.

pub mod chart;
pub mod frame;
mod healing;
pub mod labels;
mod latency;
pub mod number;
mod palette;
mod png;
pub mod scale;
pub mod slices;
pub mod svg;
mod sweep;
mod text;
pub mod theme;

pub use frame::Width;
pub use healing::healing;
pub use latency::latency;
pub use png::png;
pub use sweep::sweep;
pub use theme::standalone;

use svg::escaped;

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
