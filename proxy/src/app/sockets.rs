//! The sockets of listeners: opened before anybody is told, one for each worker, and closed when their listener goes.

use super::Error;
use crate::net;
use crate::serve::snapshot::{ListenerId, Snapshot};
use crate::serve::{Socket, Told};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::mpsc::UnboundedSender;

/// What is listened on, and by whom.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// As configured, and as it came to be.
    open: BTreeMap<ListenerId, (SocketAddr, SocketAddr)>,
    workers: Vec<UnboundedSender<Told>>,
}

/// What workers have to be told, one list for each.
pub(super) type Orders = Vec<Vec<Told>>;

impl Sockets {
    /// A worker that is told from now on.
    pub(super) fn add_worker(&mut self, worker: UnboundedSender<Told>) {
        self.workers.push(worker);
    }

    /// Opens what a configuration adds or moves, and lets go of what it no longer has. Nothing is told before all is open.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, workers: u16) -> Result<Orders, Error> {
        let mut orders: Orders = (0..workers).map(|_| Vec::new()).collect();
        let mut open = BTreeMap::new();
        for (id, runtime) in snapshot.listeners() {
            if let Some(known) = self.open.get(&id).filter(|(configured, _)| *configured == runtime.address) {
                open.insert(id, *known);
                continue;
            }
            let share = |address| standard(address, net::share(address));
            // What this process leaves and what it enters may be the same address, under another name.
            let is_own = self.open.values().any(|(_, own)| own.port() == runtime.address.port());
            let first =
                if is_own { share(runtime.address)? } else { standard(runtime.address, net::listen(runtime.address))? };
            let address = first.local_addr()?;
            let shared = Arc::new(AtomicU32::new(0));
            let mut first = Some(first);
            for orders in &mut orders {
                let socket = match first.take() {
                    Some(first) => first,
                    None => share(address)?,
                };
                if self.open.contains_key(&id) {
                    orders.push(Told::Leave(id));
                }
                orders.push(Told::Listen(Socket {
                    listener: id,
                    stats: Arc::clone(&runtime.stats),
                    open: Arc::clone(&shared),
                    most: runtime.max_connections,
                    socket,
                }));
            }
            open.insert(id, (runtime.address, address));
        }
        for gone in self.open.keys().filter(|id| !open.contains_key(id)) {
            orders.iter_mut().for_each(|orders| orders.push(Told::Leave(*gone)));
        }
        self.open = open;
        Ok(orders)
    }

    /// Tells the workers to take no more connections of these listeners, which are not opened again.
    pub(super) fn leave(&self, listeners: impl Iterator<Item = ListenerId>) {
        for listener in listeners {
            self.workers.iter().for_each(|worker| drop(worker.send(Told::Leave(listener))));
        }
    }

    /// Tells the workers.
    pub(super) fn tell(&self, orders: Orders) {
        for (worker, orders) in self.workers.iter().zip(orders) {
            for order in orders {
                // A worker that is gone has no sockets either.
                let _ = worker.send(order);
            }
        }
    }

    /// Tells every worker that chains are gone, or their time is over.
    pub(super) fn chains_leave(&self) {
        self.workers.iter().for_each(|worker| drop(worker.send(Told::ChainsLeave)));
    }

    /// Tells every worker to close its connections to an endpoint.
    pub(super) fn close(&self, host: u64) {
        self.workers.iter().for_each(|worker| {
            let _ = worker.send(Told::Close(host));
        });
    }

    /// Returns once all workers have ended.
    pub(super) async fn all_left(&self) {
        for worker in &self.workers {
            worker.closed().await;
        }
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> u16 {
        self.workers.len() as u16
    }

    /// Where a listener came to be.
    pub(super) fn address(&self, id: ListenerId) -> Option<SocketAddr> {
        self.open.get(&id).map(|(_, address)| *address)
    }

    /// Where all listeners came to be, by name.
    pub(super) fn addresses(&self, snapshot: &Snapshot) -> BTreeMap<String, SocketAddr> {
        let named =
            snapshot.listeners().filter_map(|(id, runtime)| Some((runtime.name.to_string(), self.address(id)?)));
        named.collect()
    }
}

fn standard(address: SocketAddr, opened: io::Result<tokio::net::TcpListener>) -> Result<std::net::TcpListener, Error> {
    opened.and_then(tokio::net::TcpListener::into_std).map_err(|source| Error::Listen { address, source })
}

/// The socket on which questions are answered.
pub(super) fn admin(address: SocketAddr) -> Result<tokio::net::TcpListener, Error> {
    net::listen(address).map_err(|source| Error::Listen { address, source })
}
