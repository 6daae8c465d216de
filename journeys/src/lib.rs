//! User journeys written in Rust, with [goose], played for `squall run`.
//!
//! A scenario names the program and the steps that it takes:
//!
//! ```yaml
//! load:
//!   - name: shopper
//!     to: catalog
//!     rate: 20/s
//!     journey:
//!       run: [../../journeys/target/release/examples/shoppers]
//!       steps: [{step: browse}, {step: add, to: cart}, {step: pay, to: check-out}]
//! ```
//!
//! The program gives its transactions to [`play`] and asks by [`ask`]. Users arrive at the instants that the scenario plans, each step is stamped as
//! any request of squall's own, and what is judged are squall's histograms, not goose's. [`play`] speaks the language of squall's load worker:
//! the plan on standard input, frames on standard output.

mod arrivals;
mod asking;
mod output;
mod stage;

pub use asking::{Answer, Request, ask, think};
pub use goose;

use goose::config::GooseConfiguration;
use goose::prelude::*;
use output::Output;
use squall::load::wire::{Go, Plan};
use stage::Stage;
use std::io;

/// Why a journey could not be played.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan did not come, or asks for nothing that this program plays.
    #[error("the plan: {0}")]
    Plan(String),
    /// A pipe.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The client.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// Goose.
    #[error(transparent)]
    Goose(#[from] Box<GooseError>),
}

/// Plays a journey until the plan has ended. `steps` registers its transactions, in the order in which they are taken, without weights
/// and sequences of their own.
pub async fn play(steps: impl FnOnce(Scenario) -> Scenario) -> Result<(), Error> {
    let output = Output::take()?;
    let plan: Plan = json_line()?;
    let (stage, done) = Stage::set(plan, output)?;
    let users = stage.users().to_string();
    let arguments = ["--host", "http://127.0.0.1", "--users", &users, "--increase-rate", &users, "--quiet", "--quiet"];
    let quiet = ["--no-metrics", "--no-print-metrics", "--no-error-summary", "--no-telnet", "--no-websocket"];
    let configuration = GooseConfiguration::parse_args_default(&[&arguments[..], &quiet[..]].concat());
    let attack = GooseAttack::initialize_with_config(configuration.map_err(Box::new)?).map_err(Box::new)?;
    let scenario = steps(Scenario::new("journey").register_transaction(transaction!(arrive)));
    let attack = attack.register_scenario(scenario.register_transaction(transaction!(leave)));
    std::thread::spawn(move || {
        if let Ok(Go { at }) = json_line() {
            stage.open(at);
        }
        // Whatever comes next ends it, and so does the end of what can come.
        let _ = io::stdin().read_line(&mut String::new());
        stage.close();
    });
    tokio::select! {
        ended = attack.execute() => { ended.map_err(Box::new)?; }
        _ = done => {}
    }
    Ok(())
}

/// The next line of standard input.
fn json_line<T: serde::de::DeserializeOwned>() -> Result<T, Error> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|error| Error::Plan(error.to_string()))
}

/// The first transaction: waits until the next user is due.
async fn arrive(user: &mut GooseUser) -> TransactionResult {
    stage::arrive(user).await
}

/// The last transaction: the user has come to the end, or left before.
async fn leave(user: &mut GooseUser) -> TransactionResult {
    stage::leave(user);
    Ok(())
}
