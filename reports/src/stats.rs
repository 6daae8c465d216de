//! Percentiles, their intervals, and intervals of shares; tests of difference. Each names its definition.

mod histogram;
mod interval;
pub mod ranks;
mod tails;

pub use histogram::{BadHistogram, Histogram};
pub use interval::{clopper_pearson, quantile_ranks};
