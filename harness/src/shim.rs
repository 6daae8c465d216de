//! `squall shim`: the relays between the proxy and each instance, which count every attempt and inject faults.
//!
//! It knows nothing of scenarios: [`wire`] is all that passes between it and the harness. `rules` decides what becomes of a request, `relay`
//! listens, `http`, `http2` with its `stream`s and `tcp` pass bytes on, `change` and `alter` are what is done to them, `report` tells what happened.

mod alter;
mod answer;
mod change;
mod http;
mod http2;
mod link;
mod listener;
mod passage;
mod relay;
mod report;
mod rules;
mod stream;
mod tcp;
pub mod wire;

use crate::clock::{self, Timer, now};
use crate::seed::Seed;
use relay::Relay;
use report::Reporter;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::task::LocalSet;
use wire::{Command, LEASE, Report, Start};

/// How long open connections may take to end.
const SETTLING: std::time::Duration = std::time::Duration::from_millis(500);

/// Why the relays ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line on standard input is no command.
    #[error("standard input: {0}")]
    Input(io::Error),
    /// Something could not be listened on, or told.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The program: commands on standard input, reports on standard output.
pub fn run() -> Result<(), Error> {
    clock::precise_thread()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(tokio::io::stdin(), Reporter::new(io::stdout())))
}

async fn serve(input: impl AsyncRead + Unpin, reporter: Reporter) -> Result<(), Error> {
    let reporter = Rc::new(reporter);
    let mut input = BufReader::new(input).lines();
    let Some(start) = next::<Start>(&mut input).await? else { return Ok(()) };
    let timer = Timer::new()?;
    let mut station = Station { relays: Vec::new(), seed: Seed(start.seed), reporter: Rc::clone(&reporter), timer };
    let listen = start.relays.iter().map(|relay| station.add(relay)).collect::<io::Result<_>>()?;
    reporter.say(&Report::Ready { listen })?;
    let tells = Rc::clone(&reporter);
    tokio::task::spawn_local(async move { tells.tell_regularly().await });
    let mut leased = true;
    loop {
        tokio::select! {
            command = next::<Command>(&mut input) => match command? {
                None => break,
                Some(Command::Settle) => {
                    leased = true;
                    station.settle().await;
                    reporter.flush()?;
                    reporter.say(&Report::Done)?;
                }
                Some(command) => {
                    leased = true;
                    station.obey(command)?;
                }
            },
            () = tokio::time::sleep(LEASE), if leased => {
                leased = false;
                station.living().for_each(|relay| relay.lift_all());
                reporter.say(&Report::LeaseLost { at: now().0 })?;
            }
        }
    }
    // Whoever could clear faults has gone, or is done.
    station.living().for_each(|relay| relay.down());
    station.settle().await;
    reporter.flush()?;
    Ok(())
}

/// The relays of this process.
struct Station {
    /// By their numbers; none where one has been removed.
    relays: Vec<Option<Rc<Relay>>>,
    seed: Seed,
    reporter: Rc<Reporter>,
    timer: Timer,
}

impl Station {
    fn living(&self) -> impl Iterator<Item = &Rc<Relay>> {
        self.relays.iter().flatten()
    }

    /// One more relay, which listens once this returns.
    fn add(&mut self, relay: &wire::Relay) -> io::Result<Vec<SocketAddr>> {
        let (reporter, timer) = (Rc::clone(&self.reporter), self.timer.clone());
        let relay = Relay::start(self.relays.len(), relay, self.seed, reporter, timer)?;
        let listen = relay.addresses();
        self.relays.push(Some(relay));
        Ok(listen)
    }

    /// Ends every fault and every open connection, so that each attempt has its end.
    async fn settle(&self) {
        self.living().for_each(|relay| relay.lift_all());
        self.living().for_each(|relay| relay.reset_connections());
        let drained = async {
            for relay in self.living() {
                relay.drained().await;
            }
        };
        // Whatever does not end by then is told by nobody: its attempts show as unexplained.
        let _ = tokio::time::timeout(SETTLING, drained).await;
    }

    fn obey(&mut self, command: Command) -> io::Result<()> {
        let at = |index: usize| {
            let relay = self.relays.get(index).and_then(Option::as_ref);
            relay.ok_or_else(|| format!("there is no relay {index}"))
        };
        let (seq, done) = match command {
            Command::Inject { seq, fault, relay, spec } => {
                (seq, at(relay).and_then(|relay| relay.inject(fault, *spec)))
            }
            Command::Clear { seq, fault } => {
                // Who asks what a fault has done is told of everything that came until then.
                self.reporter.flush()?;
                self.living().try_for_each(|relay| relay.clear(fault))?;
                (seq, Ok(()))
            }
            Command::Down { seq, relay } => (seq, at(relay).map(|relay| relay.down())),
            Command::Up { seq, relay, to } => (seq, at(relay).map(|relay| relay.up(&to))),
            Command::Add { seq, relay } => match self.add(&relay) {
                Ok(listen) => {
                    self.reporter.say(&Report::Added { seq, relay: self.relays.len() - 1, listen })?;
                    (seq, Ok(()))
                }
                Err(error) => (seq, Err(format!("{}: {error}", relay.name))),
            },
            Command::Remove { seq, relay } => {
                let gone = at(relay).map(|relay| relay.end());
                if gone.is_ok() {
                    self.relays[relay] = None;
                }
                (seq, gone)
            }
            Command::Heartbeat | Command::Settle => return Ok(()),
        };
        self.reporter.say(&Report::Ack { seq, at: now().0, error: done.err() })
    }
}

/// The next line; none at the end.
async fn next<T: serde::de::DeserializeOwned>(
    input: &mut Lines<BufReader<impl AsyncRead + Unpin>>,
) -> Result<Option<T>, Error> {
    let line = input.next_line().await.map_err(Error::Input)?;
    line.map(|line| serde_json::from_str(&line).map_err(|error| Error::Input(error.into()))).transpose()
}
