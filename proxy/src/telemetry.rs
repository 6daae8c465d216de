//! What the data plane counts and logs. Counting on the request path is one addition to one atomic: no lock, no allocation, no text.

pub(crate) mod access_log;
pub(crate) mod events;
mod flag;
mod stats;

pub(crate) use flag::Flag;
pub(crate) use stats::ClusterStats;
