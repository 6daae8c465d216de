//! Starts and stops the whole proxy: policies and endpoints read, listeners bound, workers and the control task running, a drain at the end.

mod checks;
mod control;
mod footprint;
mod inputs;
pub(crate) mod load;
mod memory;
mod names;
mod options;
mod sockets;
mod spans;
mod warming;
mod watch;

pub use inputs::{BadListen, Inputs, Listen};
pub use options::{AccessLogFormat, Error, Options};

use load::load;

use crate::admin;
use crate::serve::snapshot::{Registry, Telemetry};
use crate::serve::{Phase, Pressure, Pulse, Shared, Worker};
use crate::telemetry::access_log::LogWriter;
use crate::telemetry::events::EventLog;
use crate::telemetry::messages::{Level, Messages};
use crate::telemetry::outlet::Outlet;
use crate::telemetry::{format, metrics};
use arc_swap::ArcSwap;
use control::Control;
use names::Names;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;
use sockets::Sockets;
use squall_yaml::Finding;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch as channel};
use watch::Watch;

/// Longest wait for requests under way when draining.
const DRAIN: Duration = Duration::from_secs(30);

/// Longest wait for each log, and for spans, at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The line on standard output that says a proxy is ready.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    listen: Option<SocketAddr>,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

/// Runs a proxy until TERM or INT, and drains it.
pub fn run(options: Options) -> Result<(), Error> {
    // Looked at before they are read, so that no change in between is missed.
    let mut watch = Watch::new(&options.inputs);
    let loaded = load(&options.inputs).map_err(Error::Policies)?;
    watch.obeyed(loaded.filled, loaded.policies);
    raise_descriptors();
    let admin_address = options.admin_address(&loaded.config)?;
    let workers = u16::try_from(options.concurrency).unwrap_or(u16::MAX).max(1);
    let telemetry = Arc::new(Telemetry {
        metrics: metrics::Registry::new(workers),
        logs: LogWriter::start()?,
        messages: Messages::new(Outlet::start("messages", io::stderr())?),
        hostname: format::hostname(),
    });
    tell(&telemetry.messages, &loaded.warnings);
    if !admin_address.ip().is_loopback() {
        telemetry.messages.say(Level::Warning, &format!("warning: {}", options::exposed(admin_address)));
    }
    let exposed = options.admin_exposed;
    let access_log = options.access_log(&telemetry)?;
    let events = EventLog::create(options.event_log.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut names = Names::default();
    runtime.block_on(names.look_up_all(&loaded.config));
    let mut registry = Registry::new(Arc::clone(&telemetry));
    let built =
        registry.build(loaded.version, loaded.config, names.resolved()).map_err(|error| Error::Setup(error.into()))?;

    // Sockets before threads: an address that is taken is an error of the start, not of a worker.
    let mut sockets = Sockets::default();
    let opened = runtime.block_on(async { sockets.follow(&built.snapshot, workers) })?;
    let admin_socket = runtime.block_on(async { sockets::admin(admin_address) })?;
    let snapshot = registry.commit(built);
    let ready = Ready {
        ready: true,
        listen: snapshot.listeners().next().and_then(|(id, _)| sockets.address(id)),
        admin: admin_socket.local_addr()?,
        listeners: sockets.addresses(&snapshot),
    };

    let (seen_by_workers, seen) = mpsc::unbounded_channel();
    let (phases, phase) = channel::channel(Phase::Serving);
    let shared = Arc::new(Shared {
        snapshot: ArcSwap::from_pointee(snapshot),
        leaving: ArcSwap::default(),
        seen: seen_by_workers,
        access_log,
        telemetry,
        draining: AtomicBool::new(false),
        phase,
        fails_health_check: AtomicBool::new(false),
        patience: options.drain.unwrap_or(DRAIN),
        connections: AtomicU64::new(0),
        open: AtomicU32::new(0),
        most_open: most_connections(),
        pressure: Pressure::default(),
        pulses: (0..workers).map(|_| Pulse::default()).collect(),
        quit: Notify::new(),
        drain: Notify::new(),
        drain_inbound: Notify::new(),
        refused: ArcSwap::default(),
        reloads: AtomicU64::new(0),
        reloads_refused: AtomicU64::new(0),
        bound: ArcSwap::from_pointee(ready.listeners.clone()),
    });
    let mut threads = Vec::new();
    for number in 0..workers {
        let (teller, told) = mpsc::unbounded_channel();
        sockets.add_worker(teller);
        let shared = Arc::clone(&shared);
        let seed = options.seed.wrapping_add(u64::from(number));
        let thread = std::thread::Builder::new().name(format!("worker-{number}"));
        threads.push(thread.spawn(move || Worker::run(shared, told, number, seed))?);
    }
    sockets.tell(opened);
    let (teller, news) = mpsc::unbounded_channel();
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let control =
        Control::new(Arc::clone(&shared), registry, sockets, names, watch, options, events, teller, phases.clone());
    runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        local.spawn_local(admin::serve(admin_socket, Arc::clone(&shared), exposed));
        let begun = || say_ready(&ready).inspect(|()| footprint::give_back_code());
        local.run_until(control.run(seen, news, begun)).await
    })?;
    // It may have been told to end before anybody was served.
    shared.draining.store(true, Ordering::Relaxed);
    phases.send_replace(Phase::Ending);
    for thread in threads {
        thread.join().map_err(|_| io::Error::other("a worker panicked"))??;
    }
    let last = shared.snapshot.load_full();
    tokio::task::LocalSet::new().block_on(&runtime, spans::send_last(&last, &mut rng, LAST_WORDS));
    shared.telemetry.logs.flush(LAST_WORDS);
    shared.telemetry.messages.flush(LAST_WORDS);
    Ok(())
}

/// What is likely not meant, in the log.
fn tell(messages: &Messages, warnings: &[Finding]) {
    warnings.iter().for_each(|warning| messages.say(Level::Warning, &format!("warning: {warning}")));
}

/// Raises the number of files that this process may have open to what the system allows.
fn raise_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With what there was it works as well, for fewer clients.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Most connections of clients at once: 90 % of the descriptors, so that some are left for everything else.
fn most_connections() -> u32 {
    let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    u32::try_from(descriptors / 10 * 9).unwrap_or(u32::MAX)
}

fn say_ready(ready: &Ready) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, ready)?;
    writeln!(out)?;
    out.flush()
}
