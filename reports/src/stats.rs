//! Percentiles, their intervals, and intervals of shares. Each names its definition.

mod histogram;
mod interval;

pub use histogram::{BadHistogram, Histogram};
pub use interval::{clopper_pearson, quantile_ranks};
