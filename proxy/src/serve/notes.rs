//! What is noted of a request on its way, and told when it has ended.

use super::worker::Worker;
use crate::cluster::Cluster;
use crate::telemetry::{Flag, access_log};
use squall_http1::Request;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is noted of a request for metrics and the access log.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) cluster: Option<Arc<Cluster>>,
    pub(super) host: Option<SocketAddr>,
    /// A try is under way; otherwise the request waits for the next one.
    pub(super) trying: bool,
    pub(super) attempts: u32,
    pub(super) details: &'static str,
    pub(super) flags: Vec<Flag>,
    pub(super) service_time: Option<Duration>,
    pub(super) route: Option<String>,
}

/// Counts and logs a request that has ended.
pub(super) fn note(worker: &Worker, request: &Request, notes: &Notes, status: u16, took: Duration) {
    if let Some(cluster) = &notes.cluster {
        cluster.stats.ended(status, notes.flags.first().copied().unwrap_or(Flag::None), took);
    }
    let Some(log) = &worker.shared.access_log else { return };
    let flags: Vec<_> = notes.flags.iter().map(|flag| flag.letters()).collect();
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    log.log(access_log::Entry {
        start_time: since_epoch.saturating_sub(took).as_secs_f64(),
        method: request.method().to_owned(),
        path: request.target().to_owned(),
        authority: request.headers.get_str("host").unwrap_or_default().to_owned(),
        request_id: request.headers.get_str("x-request-id").map(ToOwned::to_owned),
        response_code: status,
        response_flags: if flags.is_empty() { "-".to_owned() } else { flags.join(",") },
        response_code_details: notes.details,
        attempts: notes.attempts,
        duration: took.as_secs_f64() * 1e3,
        upstream_service_time: notes.service_time.map(|time| time.as_secs_f64() * 1e3),
        upstream_host: notes.host.map(|host| host.to_string()),
        upstream_cluster: notes.cluster.as_ref().map(|cluster| cluster.name.clone()),
        route_name: notes.route.clone(),
    });
}
