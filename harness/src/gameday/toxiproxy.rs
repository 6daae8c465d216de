//! Toxiproxy's HTTP API over our relays, so that its clients and its configuration files work as they are.
//!
//! [`toxic`] says what each of its toxics is here, `proxies` keeps what there is and commands the relays, `api` speaks HTTP.

mod api;
mod proxies;
mod toxic;

use super::station::Station;
use super::{Error, registry};
use crate::process::{self, Spawner};
use crate::recover;
use crate::run::safety::Safety;
use crate::run::stop::{self, Stop};
use crate::shim::wire::Report;
use jiff::Timestamp;
use proxies::Proxies;
pub use proxies::Wanted;
use registry::Note;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The version of Toxiproxy whose API this is.
pub const VERSION: &str = "2.12.0";

/// What is to be offered.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Proxies that are there from the beginning.
    pub proxies: Vec<Wanted>,
    /// Hosts, addresses or networks besides this machine's loopback that may be broken, or listened on.
    pub allow: Vec<String>,
    /// From which victims and delays are drawn.
    pub seed: u64,
}

/// Offers the API until somebody ends it, and undoes everything. What could not be undone comes back as sentences.
///
/// Must be called from the main thread before any other exists: the relays are forked from it, and die with it.
pub fn serve(asked: &Asked, ready: impl FnOnce(SocketAddr, usize) + Send) -> Result<Vec<String>, Error> {
    let stop = stop::listen(|_| {})?;
    process::host(|spawner| carry_out(asked, ready, &spawner, stop))
}

fn carry_out(
    asked: &Asked,
    ready: impl FnOnce(SocketAddr, usize),
    spawner: &Spawner,
    stop: Stop,
) -> Result<Vec<String>, Error> {
    recover::run()?;
    registry::sweep()?;
    let folder = registry::folder()?;
    let safety = Safety::begin(&folder, spawner)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let offered = offered(asked, ready, (spawner, &safety, &folder), stop);
    let offered = tokio::task::LocalSet::new().block_on(&runtime, offered);
    let left = safety.end();
    if left.is_empty() {
        std::fs::remove_dir_all(&folder)?;
    }
    offered.map(|()| left)
}

async fn offered(
    asked: &Asked,
    ready: impl FnOnce(SocketAddr, usize),
    (spawner, safety, folder): (&Spawner, &Safety, &Path),
    stop: Stop,
) -> Result<(), Error> {
    let failed = |source| Error::Listen { listen: asked.listen, source };
    let listener = TcpListener::bind(asked.listen).await.map_err(failed)?;
    let listen = listener.local_addr()?;
    let (sender, reports) = unbounded_channel();
    let tell = move |report| sender.send(report).is_ok();
    let station = Station::start(safety, spawner, folder, Vec::new(), asked.seed, tell)?;
    let proxies = Rc::new(Proxies::new(station.relays.clone(), asked.allow.clone()));
    let populated = proxies.populate(asked.proxies.clone()).await.map_err(|error| Error::Config(error.to_string()));
    let number = match populated {
        Ok(populated) => populated.len(),
        Err(error) => {
            drop(proxies);
            station.end().await;
            return Err(error);
        }
    };
    Note { what: "Toxiproxy's API".to_owned(), listen, to: None, since: Timestamp::now(), until: None }
        .write(folder)?;
    ready(listen, number);
    let ended = tokio::select! {
        error = api::serve(&listener, &proxies) => Err(error.into()),
        error = failure(&station, reports) => Err(error),
        () = stop.asked() => Ok(()),
    };
    drop(proxies);
    station.end().await;
    ended
}

/// Returns when the relays do not do any more what they were told.
async fn failure(station: &Station, mut reports: UnboundedReceiver<Report>) -> Error {
    while let Some(report) = reports.recv().await {
        if matches!(report, Report::LeaseLost { .. }) {
            return Error::LeaseLost;
        }
    }
    Error::Died(station.how_it_ended().await)
}
