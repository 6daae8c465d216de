//! Which answer a question gets.

use super::{clusters, config_dump, stats};
use crate::clock::now;
use crate::serve::Shared;
use crate::telemetry::messages::Level;
use serde_json::{Value, json};
use squall_http1::Request;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Reply {
    /// Plain text.
    pub(super) fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }

    /// JSON.
    pub(super) fn json(value: &Value) -> Self {
        let body = serde_json::to_string_pretty(value).unwrap_or_default();
        Self { status: 200, kind: "application/json", body: body + "\n" }
    }
}

/// What can be asked, whether it changes anything, and what for.
const PATHS: [(&str, bool, &str); 15] = [
    ("/clusters", false, "endpoints and their health; ?format=json"),
    ("/config_dump", false, "what is configured"),
    (
        "/drain_listeners",
        true,
        "take no more connections and tell those that are open to go; ?inboundonly: close the listeners of the service's side",
    ),
    ("/healthcheck/fail", true, "fail the health checks of the load balancer in front of this proxy"),
    ("/healthcheck/ok", true, "pass them again"),
    ("/help", false, "this list"),
    ("/listeners", false, "where connections come in; ?format=json"),
    ("/logging", true, "from which level on messages are said; ?level=LEVEL changes it"),
    ("/quitquitquit", true, "drain and end the process"),
    ("/ready", false, "LIVE, or 503 after /healthcheck/fail"),
    ("/reopen_logs", true, "open access logs anew after they were moved"),
    ("/reset_counters", true, "set all counters to 0"),
    ("/server_info", false, "version, state and age of this process"),
    ("/stats", false, "all numbers; ?filter=REGEX, ?usedonly, ?format=json|prometheus"),
    ("/stats/prometheus", false, "all numbers for Prometheus"),
];

/// Parameters of a question.
pub(super) struct Query<'q>(pub(super) &'q str);

impl<'q> Query<'q> {
    /// The value of a parameter; empty if it stands there without one.
    pub(super) fn get(&self, name: &str) -> Option<&'q str> {
        let mut pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Answers a question.
pub(super) fn reply(request: &Request, shared: &Shared, started: Instant) -> Reply {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    let query = Query(query);
    let Some((_, changes, _)) = PATHS.iter().find(|(known, ..)| *known == path) else {
        return help(if path == "/" { 200 } else { 404 });
    };
    let reads = matches!(request.method(), "GET" | "HEAD");
    match (*changes, reads, request.method()) {
        (false, true, _) | (true, false, "POST") => {}
        (true, ..) => return Reply::text(405, format!("{path} changes something: POST it\n")),
        (false, ..) => return Reply::text(405, format!("{path} is read by GET\n")),
    }
    let draining = shared.fails_health_check.load(Ordering::Relaxed);
    let ok = || Reply::text(200, "OK\n");
    match path {
        "/ready" if draining => Reply::text(503, "DRAINING\n"),
        "/ready" => Reply::text(200, "LIVE\n"),
        "/server_info" => Reply::json(&server_info(shared, draining, started)),
        "/stats" => stats::stats(shared, &query),
        "/stats/prometheus" => stats::prometheus(shared, &query),
        "/clusters" if query.get("format") == Some("json") => Reply::json(&clusters::json(shared)),
        "/clusters" => Reply::text(200, clusters::text(shared)),
        "/listeners" => listeners(shared, query.get("format") == Some("json")),
        "/config_dump" => Reply::json(&config_dump::config_dump(shared)),
        "/healthcheck/fail" => {
            shared.fails_health_check.store(true, Ordering::Relaxed);
            ok()
        }
        "/healthcheck/ok" => {
            shared.fails_health_check.store(false, Ordering::Relaxed);
            ok()
        }
        "/drain_listeners" if query.get("inboundonly").is_some() => {
            shared.drain_inbound.notify_one();
            ok()
        }
        "/drain_listeners" => {
            shared.drain.notify_one();
            ok()
        }
        "/quitquitquit" => {
            shared.quit.notify_one();
            ok()
        }
        "/reset_counters" => {
            shared.telemetry.metrics.reset_counters();
            ok()
        }
        "/reopen_logs" => {
            shared.telemetry.logs.reopen();
            ok()
        }
        "/logging" => logging(shared, &query),
        _ => help(200),
    }
}

fn help(status: u16) -> Reply {
    let line = |(path, changes, what): &(&str, bool, &str)| {
        format!("  {path}{}: {what}\n", if *changes { " (POST)" } else { "" })
    };
    Reply::text(status, format!("admin commands are:\n{}", PATHS.iter().map(line).collect::<Vec<_>>().concat()))
}

fn server_info(shared: &Shared, draining: bool, started: Instant) -> Value {
    let snapshot = shared.snapshot.load();
    let node = &snapshot.config.node;
    json!({
        "version": concat!("squall/", env!("CARGO_PKG_VERSION")),
        "state": if draining { "DRAINING" } else { "LIVE" },
        "uptime_current_epoch": format!("{}s", now().saturating_duration_since(started).as_secs()),
        "uptime_all_epochs": format!("{}s", now().saturating_duration_since(started).as_secs()),
        "node": {"id": node.id, "cluster": node.cluster},
        "configuration": snapshot.version,
        "refused": **shared.refused.load(),
    })
}

/// The level of messages, changed if that is asked for.
fn logging(shared: &Shared, query: &Query<'_>) -> Reply {
    let messages = &shared.telemetry.messages;
    match query.get("level").map(Level::named) {
        None if !query.0.contains('=') => {}
        Some(Some(level)) => messages.set_level(level),
        _ => return Reply::text(400, format!("usage: /logging?level=LEVEL, one of {}\n", Level::names().join(", "))),
    }
    Reply::text(200, format!("active loggers:\n  all: {}\n", messages.level()))
}

fn listeners(shared: &Shared, json: bool) -> Reply {
    let bound = shared.bound.load();
    if json {
        let one = |(name, address): (&String, &std::net::SocketAddr)| {
            json!({
                "name": name,
                "local_address": {"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}},
            })
        };
        return Reply::json(&json!({"listener_statuses": bound.iter().map(one).collect::<Vec<_>>()}));
    }
    let mut lines: Vec<String> = bound.iter().map(|(name, address)| format!("{name}::{address}\n")).collect();
    lines.sort();
    Reply::text(200, lines.concat())
}
