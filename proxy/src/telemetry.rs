//! What the data plane counts and logs. Counting on the request path is one addition to one atomic: no lock, no allocation, no text.

pub mod access_log;
pub mod events;
mod flag;
mod stats;

pub use flag::Flag;
pub use stats::ClusterStats;
