//! Active checks: each endpoint is asked in turn, and what it answers goes to [`crate::health::active`].

use crate::clock::now;
use crate::cluster::Host;
use crate::health::active::{Checked, State};
use crate::health::outlier::readmit;
use crate::net;
use crate::policy::HealthCheck;
use crate::serve::Shared;
use crate::serve::routing::canonical;
use crate::telemetry::events::EventLog;
use bytes::BytesMut;
use squall_http1::{Framing, HeadReader, Request, Response, write};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// How often it is looked which endpoints are due.
const LOOK: Duration = Duration::from_millis(20);

/// What was found at an endpoint.
struct Found {
    of: Listed,
    checked: Checked,
}

/// What is known of each endpoint, and when it is due; not while a check is under way.
#[derive(Default)]
pub(super) struct Checks {
    states: HashMap<u64, (State, Option<Instant>)>,
}

impl Checks {
    /// Asks every endpoint once, so that a proxy that says it is ready knows which it may use.
    pub(super) async fn first_round(shared: &Shared, events: &EventLog) -> Self {
        let mut checks = Self::default();
        let mut under_way: JoinSet<Found> = JoinSet::new();
        for listed in listed(shared) {
            under_way.spawn_local(ask(listed));
        }
        while let Some(found) = under_way.join_next().await {
            checks.take(found.into_iter(), events);
        }
        checks
    }

    /// Runs until the process ends.
    pub(super) async fn run(mut self, shared: Arc<Shared>, events: Rc<EventLog>) {
        let mut under_way: JoinSet<Found> = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let listed = listed(&shared);
                    self.states.retain(|id, _| listed.iter().any(|one| one.host.id == *id));
                    for one in listed {
                        let (_, due) = self.states.entry(one.host.id).or_insert_with(|| (State::default(), Some(now())));
                        if due.is_some_and(|due| due <= now()) {
                            *due = None;
                            under_way.spawn_local(ask(one));
                        }
                    }
                }
                Some(found) = under_way.join_next(), if !under_way.is_empty() => {
                    // What is no longer listed is not judged any more.
                    let listed: HashSet<u64> = self.states.keys().copied().collect();
                    self.take(found.into_iter().filter(|found| listed.contains(&found.of.host.id)), &events);
                }
            }
        }
    }

    fn take(&mut self, found: impl Iterator<Item = Found>, events: &EventLog) {
        for Found { of: Listed { cluster, host, check }, checked } in found {
            let (state, due) = self.states.entry(host.id).or_default();
            let healthy = state.checked(checked, &check);
            host.set_failed_check(!healthy);
            if healthy && checked == Checked::Passed && host.counters.is_ejected() {
                // A passing check puts an ejected endpoint back at once.
                readmit(&host.counters, &mut host.standing(), now());
                events.log(&cluster, host.address, "uneject", "active-check");
            }
            // From the end of one check to the next.
            *due = Some(now() + check.interval);
        }
    }
}

/// An endpoint that is to be checked.
struct Listed {
    cluster: String,
    host: Arc<Host>,
    check: HealthCheck,
}

fn listed(shared: &Shared) -> Vec<Listed> {
    let snapshot = shared.snapshot.load();
    let mut all = Vec::new();
    for check in &snapshot.policies.health_checks {
        let service = canonical(&check.host);
        for cluster in snapshot.clusters.values().filter(|cluster| cluster.service == service) {
            let one = |host: &Arc<Host>| Listed {
                cluster: cluster.name.clone(),
                host: Arc::clone(host),
                check: check.clone(),
            };
            all.extend(cluster.hosts.iter().map(one));
        }
    }
    all
}

async fn ask(of: Listed) -> Found {
    let asked = tokio::time::timeout(of.check.timeout, status(of.host.address, &of.check)).await;
    let checked = match asked {
        Ok(Ok(200)) => Checked::Passed,
        Ok(Ok(_)) => Checked::WrongStatus,
        Ok(Err(_)) | Err(_) => Checked::NoAnswer,
    };
    Found { of, checked }
}

async fn status(address: SocketAddr, check: &HealthCheck) -> std::io::Result<u16> {
    let mut stream = net::connect(address).await?;
    let mut request = Request::new("GET", &check.path);
    request.headers.add("host", check.host.as_bytes());
    request.headers.add("user-agent", b"Envoy/HC");
    request.headers.add("connection", b"close");
    let mut buf = BytesMut::new();
    write::request(&mut buf, &request, Framing::Empty);
    stream.write_all(&buf).await?;
    buf.clear();
    let (mut reader, mut response) = (HeadReader::default(), Response::default());
    loop {
        if stream.read_buf(&mut buf).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if reader.response(&mut buf, &mut response).map_err(std::io::Error::other)? {
            return Ok(response.status);
        }
    }
}
