//! The request path: from a client's bytes to its answer.
//!
//! [`chain::handle`] is one request, read from top to bottom in the order in which it meets everything. `tries` and `exchange` are its tries at
//! endpoints, `respond` the table of our own answers, [`routing`] the choice of a route, [`snapshot`] what a request sees of the
//! configuration.

mod answer;
pub(crate) mod chain;
mod client;
mod exchange;
mod notes;
mod respond;
pub(crate) mod routing;
pub(crate) mod snapshot;
mod tries;
mod upload;
mod worker;

pub(crate) use worker::{Detected, Shared, Worker};
