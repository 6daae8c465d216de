//! `squall load-worker`: requests at exactly the instants that the plan says, each stamped five times.
//!
//! It knows nothing of scenarios, phases or limits: [`wire`] is all that passes between it and the harness. `worker` wakes when
//! requests are due, `flow` gives each a place on a connection, `connection` is the life of such a place, `http1` and `http2` send
//! a request and read its answer. `journey` is users, each of whom asks one thing after another.

mod connection;
pub mod cookies;
mod errand;
mod exchange;
mod flow;
mod http1;
mod http2;
mod journey;
mod output;
mod request;
mod rows;
pub mod schedule;
mod slot;
mod sums;
mod transport;
pub mod wire;
mod worker;

#[cfg(test)]
mod tests;

pub use worker::Error;

use std::io::Write;
use tokio::io::AsyncRead;
use tokio::task::LocalSet;

/// The program: a plan on standard input, samples on standard output.
pub fn run() -> Result<(), Error> {
    work(tokio::io::stdin(), std::io::stdout())
}

fn work(input: impl AsyncRead + Unpin, output: impl Write + Send + 'static) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let worked = local.block_on(&runtime, worker::work(input, output));
    // Connections hold the output; the writer ends with the last of them, and the last frame is not written before it has.
    drop(local);
    let written = worked?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok(written?)
}
