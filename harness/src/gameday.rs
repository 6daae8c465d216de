//! Faults by hand: a relay in front of whoever runs already, and one fault on it, for a game day.
//!
//! It is kept as safe as a run: the relay is a process of its own, which lifts the fault by itself when nobody renews its lease; a journal and a guardian
//! undo what is left, whoever dies. What is broken on this machine just now stands in the [`registry`].

pub mod registry;
mod station;
pub mod toxiproxy;

use crate::clock::{Nanos, now};
use crate::control::relays::RelayError;
use crate::process::{self, NotReady, SpawnError, Spawner};
use crate::recover;
use crate::run::safety::{self, Safety};
use crate::run::stop::{self, Stop};
use crate::scenario::resolved::ByHand;
use crate::shim::wire::{Door, Fate, Relay, Report};
use registry::Note;
use station::Station;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How often it is told what passes.
const TELL: Duration = Duration::from_secs(1);
/// The fault's number: there is one.
const FAULT: u32 = 1;

/// What is to be broken.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The fault, and whom it is in front of.
    pub fault: ByHand,
    /// Where whoever is to meet it connects.
    pub listen: SocketAddr,
    /// From which victims and delays are drawn.
    pub seed: u64,
    /// The relay stays once the fault is over, and passes everything on until it is told to end.
    pub stays: bool,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The fault is on.
    Begins {
        /// Where the relay listens.
        listen: SocketAddr,
        /// Nobody takes connections behind it just now.
        nobody: bool,
    },
    /// It has harmed its first unit.
    Harms,
    /// So much has been offered so far, in so many seconds.
    Passes {
        /// Requests; connections where bytes are not read.
        offered: u64,
        /// Since the fault is on.
        seconds: u64,
    },
    /// The fault is over, and the relay passes everything on.
    Stays,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Where the relay listened.
    pub listen: SocketAddr,
    /// Requests that came, or connections, while the fault was on.
    pub offered: u64,
    /// Those that never reached whoever is behind the relay.
    pub withheld: u64,
    /// Those that the fault took.
    pub harmed: u64,
    /// How long the fault was on.
    pub lasted: Duration,
    /// It was ended before its time.
    pub cut: bool,
    /// What could not be undone, as sentences that end with the command which does it.
    pub left: Vec<String>,
}

/// Why nothing was broken, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen on {listen}: {source}{}", hint(source))]
    Listen {
        /// Which.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It would be connected to itself.
    #[error("{0} is both where clients connect and what is behind it")]
    Loop(SocketAddr),
    /// What was to be there from the beginning cannot be.
    #[error("the configuration: {0}")]
    Config(String),
    /// The lease ran out.
    #[error("this process stood still for more than 2 s, so the relay has lifted the fault by itself")]
    LeaseLost,
    /// The relay has ended.
    #[error("the relay has ended: {0}")]
    Died(String),
    /// The relay did not begin.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The relay did not obey.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The relay could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// The list of runs.
    #[error("the list of runs cannot be kept, so nothing was started: {0}")]
    Recover(#[from] recover::Error),
    /// The journal, or the guardian.
    #[error(transparent)]
    Safety(#[from] safety::Error),
    /// The system refused something.
    #[error(transparent)]
    System(#[from] io::Error),
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; `squall fault list` shows the relays of this machine, `ss -ltnp` everybody",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need root",
        _ => "",
    }
}

/// Where events go.
pub type Say = Arc<dyn Fn(Event) + Send + Sync>;

/// Breaks, until its time is over or somebody ends it, and undoes it.
///
/// Must be called from the main thread before any other exists: the relay is forked from it, and dies with it.
pub fn run(asked: &Asked, say: &Say) -> Result<Summary, Error> {
    if asked.listen == asked.fault.to {
        return Err(Error::Loop(asked.listen));
    }
    // The relay would only say it in its log.
    let free = std::net::TcpListener::bind(asked.listen);
    drop(free.map_err(|source| Error::Listen { listen: asked.listen, source })?);
    let stop = stop::listen(|_| {})?;
    process::host(|spawner| carry_out(asked, say, &spawner, stop))
}

fn carry_out(asked: &Asked, say: &Say, spawner: &Spawner, stop: Stop) -> Result<Summary, Error> {
    for earlier in recover::run()?.iter().filter(|earlier| !earlier.is_clean()) {
        anstream::eprintln!("an earlier run is not undone: {earlier}");
    }
    registry::sweep()?;
    let folder = registry::folder()?;
    let safety = Safety::begin(&folder, spawner)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let broken = tokio::task::LocalSet::new().block_on(&runtime, broken(asked, say, spawner, stop, &safety, &folder));
    let left = safety.end();
    if left.is_empty() {
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(Summary { left, ..broken? })
}

async fn broken(
    asked: &Asked,
    say: &Say,
    spawner: &Spawner,
    stop: Stop,
    safety: &Safety,
    folder: &Path,
) -> Result<Summary, Error> {
    let fault = &asked.fault;
    let door = Door { listen: Some(asked.listen), to: Some(fault.to), tcp: fault.tcp };
    let relay = Relay { name: fault.to.to_string(), doors: vec![door], sidecar: false };
    let (sender, reports) = unbounded_channel();
    let tell = move |report| sender.send(report).is_ok();
    let station = Station::start(safety, spawner, folder, vec![relay], asked.seed, tell)?;
    let listen = station.listen.first().and_then(|doors| doors.first()).copied().unwrap_or(asked.listen);
    let nobody =
        tokio::time::timeout(TELL, tokio::net::TcpStream::connect(fault.to)).await.is_ok_and(|made| made.is_err());
    let begin = station.relays.inject(FAULT, 0, fault.fault.clone()).await?;
    let until = fault.lasting.map(|lasting| jiff::Timestamp::now() + lasting);
    Note { what: fault.what.clone(), listen, to: Some(fault.to), since: jiff::Timestamp::now(), until }
        .write(folder)?;
    say(Event::Begins { listen, nobody });

    let mut watch = Watch { station: &station, reports, say, begin, offered: 0, withheld: 0, harmed: 0 };
    let is_cut = tokio::select! {
        watched = watch.look() => return Err(watched),
        () = after(fault.lasting) => false,
        () = stop.asked() => fault.lasting.is_some(),
    };
    let lasted = now().since(begin);
    watch.lift().await?;
    let summary = Summary {
        listen,
        offered: watch.offered,
        withheld: watch.withheld,
        harmed: watch.harmed,
        lasted,
        cut: is_cut,
        left: Vec::new(),
    };
    if asked.stays && !stop.is_asked() {
        say(Event::Stays);
        tokio::select! {
            watched = watch.look() => return Err(watched),
            () = stop.asked() => {}
        }
    }
    station.end().await;
    Ok(summary)
}

async fn after(lasting: Option<Duration>) {
    match lasting {
        Some(lasting) => tokio::time::sleep(lasting).await,
        None => pending().await,
    }
}

/// What the relay tells.
struct Watch<'a> {
    station: &'a Station,
    reports: UnboundedReceiver<Report>,
    say: &'a Say,
    begin: Nanos,
    offered: u64,
    withheld: u64,
    harmed: u64,
}

impl Watch<'_> {
    /// Tells what passes, for as long as nothing goes wrong.
    async fn look(&mut self) -> Error {
        let mut tell = tokio::time::interval(TELL);
        loop {
            tokio::select! {
                report = self.reports.recv() => match report {
                    Some(Report::LeaseLost { .. }) => return Error::LeaseLost,
                    Some(report) => self.note(&report),
                    None => return Error::Died(self.station.how_it_ended().await),
                },
                _ = tell.tick() => {
                    let seconds = now().since(self.begin).as_secs();
                    (self.say)(Event::Passes { offered: self.offered, seconds });
                }
            }
        }
    }

    fn note(&mut self, report: &Report) {
        match report {
            Report::Offers { offers, .. } => {
                self.offered += offers.len() as u64;
                self.withheld += offers.iter().filter(|offer| matches!(offer.fate, Fate::Withheld(_))).count() as u64;
            }
            Report::Effect { .. } => (self.say)(Event::Harms),
            Report::Harmed { units, .. } => self.harmed += units,
            _ => {}
        }
    }

    /// Ends the fault, and hears what it has done.
    async fn lift(&mut self) -> Result<(), Error> {
        self.station.relays.clear(FAULT).await?;
        // What was harmed is told before the ending is confirmed.
        while let Ok(report) = self.reports.try_recv() {
            self.note(&report);
        }
        Ok(())
    }
}
