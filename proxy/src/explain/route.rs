//! Listeners, hosts and routes in words, and what becomes of a request by them.

use super::setting::{Field, field};
use super::told::{Told, place};
use super::{
    Action, Chain, Destination, Forward, Host, Listener, Mirror, Outcome, Question, Refusal, Route, Setting, Way,
    cluster, conditions, filters, headers, retries,
};
use crate::policy::{
    self, FilterChain, Fraction, GrpcTimeout, Handler, HashOf, Healing, Priority, Target, TcpProxy, VirtualHost, words,
};
use crate::serve::rehearsal::{self, Done, End, Ended, Sending, Served};
use squall_http1::Request;

const TIMEOUT: Field = Field { istio: "timeout", gateway_api: "timeouts.request", envoy: "route.timeout" };
const IDLE: Field = field("", "route.idle_timeout");
const STREAM: Field = field("", "route.max_stream_duration");
const GRPC: Field = field("", "route.max_stream_duration.grpc_timeout_header_max");
const HASH: Field = field("", "route.hash_policy");
const PRIORITY: Field = field("", "route.priority");
const UPGRADES: Field = field("", "route.upgrade_configs");
const BUFFER: Field = field("", "per_request_buffer_limit_bytes");

pub(super) fn listener(told: &Told<'_>, listener: &policy::Listener, question: &Question) -> Listener {
    let chosen_by_kernel = listener.address.port() == 0 || told.objects.bootstrap.is_none();
    let address = if chosen_by_kernel { format!("port {}", question.port()) } else { listener.address.to_string() };
    Listener { name: listener.name.clone(), address, place: place(&listener.origin) }
}

pub(super) fn chain(chain: &FilterChain, by_default: bool) -> Chain {
    Chain {
        name: chain.name.clone(),
        place: place(&chain.origin),
        by_default,
        ends_tls: chain.tls.is_some(),
        serves: if matches!(chain.handler, Handler::Http(_)) { "requests" } else { "bytes" },
    }
}

pub(super) fn host(host: &VirtualHost, request: &Request) -> Host {
    Host {
        name: host.name.clone(),
        asked: request.headers.get_str("host").unwrap_or_default().to_owned(),
        domains: host.domains.clone(),
        place: place(&host.origin),
        routes: host.routes.len(),
    }
}

/// One way of a request.
pub(super) fn way(told: &Told<'_>, served: &Served<'_>, share: Fraction, ended: &Ended<'_>) -> Way {
    let scheme = served.scheme();
    let passed = ended.passed.iter();
    Way {
        percent: f64::from(share.0) / 1e4,
        passed_over: passed.map(|(route, unmet)| conditions::route(route, *unmet, &served.request, scheme)).collect(),
        outcome: outcome(told, served, ended),
    }
}

fn outcome(told: &Told<'_>, served: &Served<'_>, ended: &Ended<'_>) -> Outcome {
    let (route, runs, done) = match &ended.end {
        End::Refused(refused) => return Outcome::Refused(refusal(served, refused)),
        End::Elsewhere(status, location) => {
            let why = if *status == 301 {
                "the host wants TLS, and the request came without"
            } else {
                "its path has escaped slashes, and the listener sends such requests elsewhere"
            };
            return Outcome::Elsewhere { status: *status, location: location.clone(), why: why.to_owned() };
        }
        End::Route(route, runs, done) => (*route, runs, done),
    };
    let single = route.forward().and_then(|forward| match &forward.to {
        Target::Weighted(to) if to.len() == 1 => to.first().map(|to| &to.headers),
        _ => None,
    });
    Outcome::Route(Box::new(Route {
        name: route.name.clone(),
        place: place(&route.origin),
        conditions: conditions::all(&route.matches),
        filters: runs.iter().map(filters::told).collect(),
        action: match done {
            Done::Nothing => Action::Answered,
            Done::Redirect(status, location) => Action::Redirect { status: *status, location: location.clone() },
            Done::Direct(direct) => Action::Direct { status: direct.status, body_bytes: direct.body.len() },
            Done::Sent(sending) => Action::Forward(Box::new(forward(told, route, sending))),
        },
        response_headers: headers::changes(route.response_operations(single)),
    }))
}

fn refusal(served: &Served<'_>, refused: &rehearsal::Refusal) -> Refusal {
    let asked = served.request.headers.get_str("host").unwrap_or_default();
    let why = match (refused.flag, served.host) {
        ("NR", None) => format!("no virtual host is for `{asked}`"),
        ("NR", Some(host)) => format!("no route of virtual host {} matches", host.name),
        _ => format!("the proxy refuses such requests: {}", refused.details.replace('_', " ")),
    };
    Refusal { status: refused.status, flags: refused.flag.to_owned(), details: refused.details.to_string(), why }
}

fn forward(told: &Told<'_>, route: &policy::Route, sending: &Sending<'_>) -> Forward {
    let known = |name: &str| told.config.clusters.iter().any(|cluster| cluster.name == name);
    let mirrors = sending.forward.mirrors.iter().map(|mirror| Mirror {
        cluster: mirror.cluster.clone(),
        share: words::share(mirror.share),
        known: known(&mirror.cluster),
    });
    Forward {
        settings: settings(told, route, sending),
        retries: retries::settings(told, route, sending),
        mirrors: mirrors.collect(),
        destinations: sending.destinations.iter().map(|to| cluster::destination(told, route, sending, to)).collect(),
    }
}

fn settings(told: &Told<'_>, route: &policy::Route, sending: &Sending<'_>) -> Vec<Setting> {
    let forward = sending.forward;
    let written = told.route(route);
    let times = written.without(Healing::Timeouts, told.without(Healing::Timeouts));
    let default = if told.objects.bootstrap.is_some() { "15s" } else { "none" };
    let mut timeout = times.setting("time-out", TIMEOUT, words::time_or_none(sending.times.route), default);
    if sending.times.route != forward.timeout {
        let by_grpc = sending.times.tell_grpc;
        let from = if by_grpc { "the request's grpc-timeout" } else { "the request's x-envoy-upstream-rq-timeout-ms" };
        from.clone_into(&mut timeout.from);
    }
    let listeners = |time: Option<Option<std::time::Duration>>| {
        time.map_or_else(|| "as the listener says".to_owned(), words::time_or_none)
    };
    let grpc = match forward.grpc_timeout {
        GrpcTimeout::Ignored => "ignored".to_owned(),
        GrpcTimeout::Obeyed => "obeyed".to_owned(),
        GrpcTimeout::AtMost(most) => format!("obeyed up to {}", words::time(most)),
    };
    let priority = match forward.priority {
        Priority::Default => "default",
        Priority::High => "high",
    };
    let upgrades: Vec<String> = forward
        .upgrades
        .iter()
        .map(|(name, allowed)| format!("{name} {}", if *allowed { "allowed" } else { "forbidden" }))
        .collect();
    let upgrades = if upgrades.is_empty() { "as the listener says".to_owned() } else { upgrades.join(", ") };
    let hash: Vec<String> = forward.hash.iter().map(|policy| hashed(&policy.of)).collect();
    let hash = if hash.is_empty() { "nothing".to_owned() } else { hash.join(", ") };
    let buffer =
        forward.buffer_limit.map_or_else(|| "as the listener says".to_owned(), |bytes| words::bytes(u64::from(bytes)));
    vec![
        timeout,
        retries::per_try(told, route, forward, sending),
        written.plain("idle time-out", IDLE, listeners(forward.idle_timeout)),
        written.plain("longest stream", STREAM, listeners(forward.max_stream)),
        written.plain("grpc-timeout", GRPC, grpc),
        written.plain("hashed", HASH, hash),
        written.plain("priority", PRIORITY, priority.to_owned()),
        written.plain("upgrades", UPGRADES, upgrades),
        written.plain("kept for retries", BUFFER, buffer),
    ]
}

fn hashed(of: &HashOf) -> String {
    match of {
        HashOf::Header(name) => format!("header {name}"),
        HashOf::Cookie { name, .. } => format!("cookie {name}"),
        HashOf::SourceIp => "the client's address".to_owned(),
        HashOf::Query(name) => format!("query parameter {name}"),
    }
}

/// Bytes that are passed on.
pub(super) fn bytes(told: &Told<'_>, proxy: &TcpProxy) -> Outcome {
    let sum: f64 = proxy.to.iter().map(|to| f64::from(to.weight)).sum();
    let share = |weight: u32| if proxy.to.len() > 1 { f64::from(weight) / sum } else { 1.0 };
    let destinations: Vec<Destination> =
        proxy.to.iter().map(|to| cluster::of_bytes(told, to, share(to.weight))).collect();
    let setting = |name, value| Setting { name, value, from: String::new() };
    let settings = vec![
        setting("idle time-out", words::time_or_none(proxy.idle_timeout)),
        setting("endpoints tried", proxy.max_connect_attempts.to_string()),
        setting("longest connection", words::time_or_none(proxy.max_duration)),
    ];
    Outcome::Bytes { destinations, settings }
}
