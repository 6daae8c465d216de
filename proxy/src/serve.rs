//! The request path: from a client's bytes to its answer.
//!
//! [`chain::handle`] is one request, read from top to bottom in the order in which it meets everything. `exchange` is one try at one
//! endpoint, `respond` the table of our own answers, [`routing`] the choice of a route, [`snapshot`] what a request sees of the
//! configuration.

mod answer;
pub mod chain;
mod client;
mod exchange;
mod respond;
pub mod routing;
pub mod snapshot;
mod upload;
mod worker;

pub use worker::{Detected, Shared, Worker};
