//! What is well-formed but cannot work: found by arithmetic, before anything is started.

mod faults;
mod healing;
mod load;
mod samples;

pub(super) use faults::faults;
pub(super) use healing::healing;
pub(super) use load::load;
pub(super) use samples::samples;
