//! The request path: from a client's bytes to its answer.
//!
//! A connection is taken by a [`worker`], looked at in `accept`, and served by `http1`, `http2` or `tcp`. [`chain::handle`] is one
//! request, read from top to bottom in the order in which it meets everything: `admission`, the route, filters, `router`. What all of
//! them share of it is a `Transaction`. `tries` and `exchange` are its tries at endpoints, `changes` what is changed of it and of its
//! answer, `respond` the table of our own answers, [`routing`] the choice of a route, [`snapshot`] what a request sees of the
//! configuration, [`rehearsal`] the same decisions without a request under way.

mod accept;
mod admission;
mod alarms;
mod answer;
pub(crate) mod chain;
mod changes;
mod client;
mod client_cert;
mod control_fields;
mod destination;
mod exchange;
mod fault;
mod health_check;
mod http1;
mod http2;
mod mirror;
mod notes;
mod rate_limit;
pub(crate) mod rehearsal;
mod respond;
mod router;
pub(crate) mod routing;
pub(crate) mod snapshot;
mod tcp;
pub(crate) mod trace;
mod transaction;
mod tries;
mod upload;
mod watch;
mod worker;

pub(crate) use worker::{Phase, Pressure, Pulse, Seen, Shared, Socket, Told, Worker};
