//! What is known of an endpoint's health, and the decisions on it: pure state machines, no task and no socket.

pub(crate) mod active;
pub(crate) mod outlier;
