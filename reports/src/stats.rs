//! Percentiles, their intervals, and intervals of shares; tests of difference. Each names its definition.

pub mod change_points;
pub mod discoveries;
#[cfg(test)]
pub(crate) mod draws;
mod histogram;
mod interval;
pub mod paired;
pub mod ranks;
pub mod scalability;
mod tails;

pub use histogram::{BadHistogram, Histogram};
pub use interval::{clopper_pearson, quantile_ranks};
