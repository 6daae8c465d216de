//! The request path: from a client's bytes to its answer.
//!
//! [`chain::handle`] is one request, read from top to bottom in the order in which it meets everything. `exchange` is one try at one
//! endpoint, `respond` the table of our own answers, [`routing`] the choice of a route, [`snapshot`] what a request sees of the
//! configuration.

mod answer;
pub(crate) mod chain;
mod client;
mod exchange;
mod respond;
pub(crate) mod routing;
pub(crate) mod snapshot;
mod upload;
mod worker;

pub(crate) use worker::{Detected, Shared, Worker};
