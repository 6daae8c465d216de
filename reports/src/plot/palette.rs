//! Colours, by what they mean. Traffic that went well is quiet; saturated colour is for loss.

/// The page.
pub(super) const BACKGROUND: &str = "#fdfdfb";
/// Text.
pub(super) const INK: &str = "#16191c";
/// Axes and quiet text.
pub(super) const QUIET: &str = "#697077";
/// Gridlines.
pub(super) const GRID: &str = "#e5e6e1";
/// Served.
pub(super) const OK: &str = "#7d96aa";
/// Lost; limits.
pub(super) const LOST: &str = "#d55e00";
/// The proxy's own word.
pub(super) const SAID: &str = "#a2437f";
/// Edges of the fault band.
pub(super) const FAULT_EDGE: &str = "#8c8000";
/// The fault band.
pub(super) const FAULT: &str = "#f0e442";
/// Font of all pictures.
pub(super) const FONT: &str = "Noto Sans, DejaVu Sans, sans-serif";
