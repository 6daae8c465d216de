//! What the policies of a route do to a request and its answer: one behaviour a file. Pure, but for buckets and counts of faults.

pub(crate) mod conditions;
pub(crate) mod cors;
pub(crate) mod descriptions;
pub(crate) mod fault;
pub(crate) mod hash;
pub(crate) mod headers;
pub(crate) mod health_check;
pub(crate) mod hedge;
pub(crate) mod hop_by_hop;
pub(crate) mod overrides;
pub(crate) mod pace;
pub(crate) mod path;
pub(crate) mod rate_limit;
pub(crate) mod referer;
pub(crate) mod retry;
pub(crate) mod rewrite;
pub(crate) mod timeout;
