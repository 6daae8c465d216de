//! Starts and stops the whole proxy: policies and endpoints read, listeners bound, workers and the control task running, a drain at the end.

mod checks;
mod control;
mod watch;

use crate::admin;
use crate::config::{self, LoadOptions};
use crate::net;
use crate::policy::{Endpoint, Healing, Policies, disarm};
use crate::serve::snapshot::Registry;
use crate::serve::{Shared, Worker};
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::events::EventLog;
use arc_swap::ArcSwap;
use checks::Checks;
use serde::Serialize;
use squall_yaml::Finding;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch as channel};
use watch::Watch;

/// Longest wait for requests under way when draining.
const DRAIN: Duration = Duration::from_secs(30);

/// What a proxy is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and folders of policies.
    pub policies: Vec<PathBuf>,
    /// File or folder of endpoints.
    pub endpoints: Option<PathBuf>,
    /// Where to take requests; port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// Where to answer questions; loopback only.
    pub admin: SocketAddr,
    /// Healing taken out after every load.
    pub disarm: Vec<Healing>,
    /// Worker threads.
    pub concurrency: usize,
    /// One JSON line a request.
    pub access_log: Option<PathBuf>,
    /// One JSON line an ejection or readmission.
    pub event_log: Option<PathBuf>,
    /// Fields that may stay without effect.
    pub accept_unsupported: Vec<String>,
    /// Seed of balancing and back-off.
    pub seed: u64,
}

/// Why a proxy did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Policies or endpoints are wrong; nothing listens.
    #[error("{} errors in policies and endpoints", .0.len())]
    Policies(Vec<Finding>),
    /// The admin interface would be reachable from elsewhere.
    #[error("--admin {0} is not a loopback address: the admin interface shows and changes everything")]
    AdminExposed(SocketAddr),
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A log could not be written, or a thread not be started.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The line on standard output that says a proxy is ready.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    listen: SocketAddr,
    admin: SocketAddr,
}

/// Policies and endpoints as they are on disk, and the name of that state.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) version: String,
    pub(crate) policies: Policies,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) warnings: Vec<Finding>,
}

/// Reads everything anew; what was to be taken out is taken out.
pub(crate) fn load(options: &Options) -> Result<Loaded, Vec<Finding>> {
    let load_options = LoadOptions { accept_unsupported: options.accept_unsupported.clone() };
    let endpoint_paths: Vec<PathBuf> = options.endpoints.iter().cloned().collect();
    let read = config::load(&options.policies, &load_options);
    let (policies, endpoints) = match (read, config::load(&endpoint_paths, &load_options)) {
        (Ok(policies), Ok(endpoints)) => (policies, endpoints),
        (policies, endpoints) => {
            let findings = policies.err().into_iter().chain(endpoints.err()).flatten();
            return Err(findings.collect());
        }
    };
    let version = config::version(policies.sources.iter().chain(&endpoints.sources));
    let mut resolved = policies.policies;
    disarm(&mut resolved, &options.disarm);
    Ok(Loaded { version, policies: resolved, endpoints: endpoints.policies.endpoints, warnings: policies.warnings })
}

/// Runs a proxy until TERM or INT, and drains it.
pub fn run(options: Options) -> Result<(), Error> {
    if !options.admin.ip().is_loopback() {
        return Err(Error::AdminExposed(options.admin));
    }
    // Looked at before they are read, so that no change in between is missed.
    let watch = Watch::new(&options);
    let loaded = load(&options).map_err(Error::Policies)?;
    let mut registry = Registry::default();
    tell(&loaded.warnings);
    let snapshot = registry.build(loaded.version, loaded.policies, &loaded.endpoints);

    let (detections, detected) = mpsc::unbounded_channel();
    let (drain, drained) = channel::channel(false);
    let shared = Arc::new(Shared {
        snapshot: ArcSwap::from_pointee(snapshot),
        detections,
        access_log: options.access_log.as_deref().map(AccessLog::create).transpose()?,
        draining: AtomicBool::new(false),
        drained,
        drain: DRAIN,
    });
    let events = EventLog::create(options.event_log.as_deref())?;

    // Sockets before threads: an address that is taken is an error of the start, not of a worker.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (listen, sockets, admin_socket) = runtime.block_on(async { bind(&options) })?;
    let admin_address = admin_socket.local_addr()?;
    let workers: Vec<_> = sockets
        .into_iter()
        .enumerate()
        .map(|(number, socket)| {
            let shared = Arc::clone(&shared);
            let seed = options.seed.wrapping_add(number as u64);
            let name = format!("worker-{number}");
            let listener = move || tokio::net::TcpListener::from_std(socket);
            std::thread::Builder::new().name(name).spawn(move || Worker::run(shared, listener, seed))
        })
        .collect::<io::Result<_>>()?;
    let events = Rc::new(events);
    runtime.block_on(async {
        let admin_socket = tokio::net::TcpListener::from_std(admin_socket)?;
        let local = tokio::task::LocalSet::new();
        local.spawn_local(admin::serve(admin_socket, Arc::clone(&shared)));
        let control = control::run(Arc::clone(&shared), registry, watch, options, Rc::clone(&events), detected);
        local
            .run_until(async {
                let checks = Checks::first_round(&shared, &events).await;
                tokio::task::spawn_local(checks.run(Arc::clone(&shared), events));
                say_ready(&Ready { ready: true, listen, admin: admin_address })?;
                tokio::select! {
                    () = control => Ok(()),
                    told = told_to_stop() => told,
                }
            })
            .await
    })?;
    shared.draining.store(true, Ordering::Relaxed);
    // Workers that are gone need not be told.
    let _ = drain.send(true);
    for worker in workers {
        worker.join().map_err(|_| io::Error::other("a worker panicked"))??;
    }
    Ok(())
}

/// What is likely not meant, in the log.
fn tell(warnings: &[Finding]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// One socket a worker on one address, and the admin's.
fn bind(options: &Options) -> Result<(SocketAddr, Vec<std::net::TcpListener>, std::net::TcpListener), Error> {
    let listen = |address| {
        let listening = net::listen(address).and_then(tokio::net::TcpListener::into_std);
        listening.map_err(|source| Error::Listen { address, source })
    };
    let first = listen(options.listen)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..options.concurrency {
        sockets.push(listen(address)?);
    }
    Ok((address, sockets, listen(options.admin)?))
}

fn say_ready(ready: &Ready) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, ready)?;
    writeln!(out)?;
    out.flush()
}

async fn told_to_stop() -> Result<(), Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
