//! Active checks: each endpoint is asked in turn, and what it answers goes to [`crate::health::active`].

use crate::clock::now;
use crate::cluster::Host;
use crate::health::active::{Checked, State};
use crate::health::outlier::readmit;
use crate::net;
use crate::policy::HealthCheck;
use crate::serve::Shared;
use crate::serve::routing::canonical;
use bytes::BytesMut;
use squall_http1::{Framing, HeadReader, Request, Response, write};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// How often it is looked which endpoints are due.
const LOOK: Duration = Duration::from_millis(20);

/// What was found at an endpoint.
struct Result {
    host: Arc<Host>,
    check: HealthCheck,
    checked: Checked,
}

/// Runs until the process ends.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut states: HashMap<u64, (State, Option<Instant>)> = HashMap::new();
    let mut under_way: JoinSet<Result> = JoinSet::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = look.tick() => {
                for (host, check) in listed(&shared) {
                    let (_, due) = states.entry(host.id).or_insert_with(|| (State::default(), Some(now())));
                    if due.is_some_and(|due| due <= now()) {
                        *due = None;
                        under_way.spawn_local(ask(host, check));
                    }
                }
            }
            Some(Ok(result)) = under_way.join_next(), if !under_way.is_empty() => {
                let (state, due) = states.entry(result.host.id).or_default();
                let healthy = state.checked(result.checked, &result.check);
                result.host.set_failed_check(!healthy);
                if healthy && result.checked == Checked::Passed && result.host.counters.is_ejected() {
                    // A passing check puts an ejected endpoint back at once.
                    readmit(&result.host.counters, &mut result.host.standing(), now());
                }
                // From the end of one check to the next.
                *due = Some(now() + result.check.interval);
            }
        }
    }
}

fn listed(shared: &Shared) -> Vec<(Arc<Host>, HealthCheck)> {
    let snapshot = shared.snapshot.load();
    let of = |check: &HealthCheck| {
        let host = canonical(&check.host);
        let clusters = snapshot.clusters.values().filter(move |cluster| cluster.service == host);
        clusters.flat_map(|cluster| cluster.hosts.iter().cloned()).collect::<Vec<_>>()
    };
    let checks = snapshot.policies.health_checks.iter();
    checks.flat_map(|check| of(check).into_iter().map(|host| (host, check.clone()))).collect()
}

async fn ask(host: Arc<Host>, check: HealthCheck) -> Result {
    let asked = tokio::time::timeout(check.timeout, status(host.address, &check)).await;
    let checked = match asked {
        Ok(Ok(200)) => Checked::Passed,
        Ok(Ok(_)) => Checked::WrongStatus,
        Ok(Err(_)) | Err(_) => Checked::NoAnswer,
    };
    Result { host, check, checked }
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
