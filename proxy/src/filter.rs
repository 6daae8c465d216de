//! One behaviour of a policy a file. The order in which a request meets them stands in [`crate::serve`].

pub mod fault;
pub mod headers;
pub mod hop_by_hop;
pub mod retry;
pub mod rewrite;
