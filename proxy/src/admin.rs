//! What people and scripts ask a proxy: `/ready`, `/stats/prometheus`, `/clusters`, `/config_dump`. Reading only, on loopback only.

mod prometheus;

use crate::clock::now;
use crate::serve::Shared;
use bytes::BytesMut;
use serde_json::{Value, json};
use squall_http1::{Framing, HeadReader, Request, Response, write};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a question may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers questions until the process ends.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::task::spawn_local(answer(stream, Arc::clone(&shared)))),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) {
    let (mut buf, mut reader, mut request) = (BytesMut::new(), HeadReader::default(), Request::default());
    let deadline = now() + PATIENCE;
    let read = async {
        while !reader.request(&mut buf, &mut request).unwrap_or(false) {
            if stream.read_buf(&mut buf).await.unwrap_or(0) == 0 {
                return false;
            }
        }
        true
    };
    if !tokio::time::timeout_at(deadline.into(), read).await.unwrap_or(false) {
        return;
    }
    let (status, kind, body) = reply(&request, &shared);
    let mut response = Response::new(status);
    response.headers.add("content-type", kind.as_bytes());
    response.headers.add("connection", b"close");
    let framing = if body.is_empty() { Framing::Empty } else { Framing::Length(body.len() as u64) };
    let mut out = BytesMut::new();
    write::response(&mut out, &response, framing, request.method());
    out.extend_from_slice(body.as_bytes());
    // Whoever asked and left does not want the answer.
    let _ = stream.write_all(&out).await;
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

fn reply(request: &Request, shared: &Shared) -> (u16, &'static str, String) {
    if let Some(refusal) = refused(request) {
        return (403, TEXT, refusal.to_owned());
    }
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    match (request.method(), path) {
        ("GET", "/ready") if shared.draining.load(Ordering::Relaxed) => (503, TEXT, "DRAINING\n".to_owned()),
        ("GET", "/ready") => (200, TEXT, "LIVE\n".to_owned()),
        ("GET", "/stats/prometheus") => {
            let snapshot = shared.snapshot.load();
            let clusters: Vec<_> = snapshot.clusters.values().map(|cluster| &**cluster).collect();
            (200, TEXT, prometheus::prometheus(&clusters))
        }
        ("GET", "/clusters") if query.split('&').any(|pair| pair == "format=json") => {
            (200, JSON, clusters(shared).to_string())
        }
        ("GET", "/clusters") => (200, TEXT, clusters_text(shared)),
        ("GET", "/config_dump") => (200, JSON, config_dump(shared).to_string()),
        ("GET", _) => (404, TEXT, "try /ready, /stats/prometheus, /clusters or /config_dump\n".to_owned()),
        _ => (405, TEXT, "only GET\n".to_owned()),
    }
}

/// A page of some web site must not be able to ask through its visitor's browser.
fn refused(request: &Request) -> Option<&'static str> {
    let host = request.headers.get_str("host").unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let loopback = host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || host == "[::1]";
    if !loopback {
        return Some("the admin interface answers to loopback names only\n");
    }
    if request.headers.contains("origin") || request.headers.get("sec-fetch-site") == Some(b"cross-site") {
        return Some("the admin interface does not answer to other pages\n");
    }
    None
}

fn clusters(shared: &Shared) -> Value {
    let snapshot = shared.snapshot.load();
    let hosts = |cluster: &crate::cluster::Cluster| -> Vec<Value> {
        let host = |host: &Arc<crate::cluster::Host>| {
            json!({
                "address": host.address.to_string(),
                "health_status": {
                    "failed_outlier_check": host.counters.is_ejected(),
                    "failed_active_health_check": host.fails_check(),
                    "eds_health_status": if host.is_ready() { "HEALTHY" } else { "UNHEALTHY" },
                },
                "stats": {"rq_active": host.active(), "rq_total": host.requests.load(Ordering::Relaxed)},
            })
        };
        cluster.hosts.iter().map(host).collect()
    };
    let statuses: Vec<_> = snapshot
        .clusters
        .values()
        .map(|cluster| json!({"name": cluster.name, "host_statuses": hosts(cluster)}))
        .collect();
    json!({"cluster_statuses": statuses})
}

/// Envoy's lines: `name::address::key::value`.
fn clusters_text(shared: &Shared) -> String {
    let snapshot = shared.snapshot.load();
    let mut text = String::new();
    for cluster in snapshot.clusters.values() {
        let name = &cluster.name;
        let pool = &cluster.policy.pool;
        let _ = writeln!(text, "{name}::default_priority::max_connections::{}", pool.max_connections);
        let _ = writeln!(text, "{name}::default_priority::max_pending_requests::{}", pool.max_pending);
        let _ = writeln!(text, "{name}::default_priority::max_requests::{}", pool.max_requests);
        let _ = writeln!(text, "{name}::default_priority::max_retries::{}", pool.max_retries);
        for host in &cluster.hosts {
            let mut flags = Vec::new();
            flags.extend(host.counters.is_ejected().then_some("/failed_outlier_check"));
            flags.extend(host.fails_check().then_some("/failed_active_hc"));
            flags.extend((!host.is_ready()).then_some("/failed_eds_health"));
            let flags = if flags.is_empty() { "healthy".to_owned() } else { flags.concat() };
            let _ = writeln!(text, "{name}::{}::health_flags::{flags}", host.address);
            let _ = writeln!(text, "{name}::{}::rq_active::{}", host.address, host.active());
        }
    }
    text
}

/// Not Envoy's tree: which version is loaded, what was taken out, and the policies in our own words.
fn config_dump(shared: &Shared) -> Value {
    let snapshot = shared.snapshot.load();
    let disarmed: Vec<_> = snapshot.policies.disarmed.iter().map(|healing| healing.word()).collect();
    let objects: Vec<_> = snapshot
        .policies
        .virtual_services
        .iter()
        .map(|service| format!("VirtualService {} ({})", service.name, service.origin))
        .chain(
            snapshot
                .policies
                .destination_rules
                .iter()
                .map(|rule| format!("DestinationRule {} ({})", rule.name, rule.origin)),
        )
        .collect();
    json!({
        "version": snapshot.version,
        "disarmed": disarmed,
        "objects": objects,
        "resolved": format!("{:#?}", snapshot.policies),
    })
}
