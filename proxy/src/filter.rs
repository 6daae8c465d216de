//! One behaviour of a policy a file. The order in which a request meets them stands in [`crate::serve`].

pub(crate) mod fault;
pub(crate) mod headers;
pub(crate) mod hop_by_hop;
pub(crate) mod retry;
pub(crate) mod rewrite;
