//! Objects of our own, `squall.dev/v1`, for what Istio has no words.

use super::duration::{GoDuration, positive};
use super::kinds;
use super::number::Count;
use super::object::Object;
use super::objects::CheckOf;
use super::pairs::Pairs;
use super::problems::Problems;
use crate::policy::{HealthCheck, HealthProbe, HttpProbe};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::{Document, Keyed, Spanned};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    host: Spanned<String>,
    http: Option<Keyed<Http>>,
    tcp: Option<Keyed<Tcp>>,
    grpc: Option<Keyed<Grpc>>,
    path: Option<Keyed<String>>,
    interval: Keyed<GoDuration>,
    timeout: Option<Keyed<GoDuration>>,
    #[serde(default)]
    healthy_threshold: Count,
    #[serde(default)]
    unhealthy_threshold: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Http {
    path: Option<Spanned<String>>,
    method: Option<Spanned<String>>,
    #[serde(default)]
    host: String,
    #[serde(default)]
    headers: Pairs<String>,
    #[serde(default)]
    expected_statuses: Vec<Spanned<u16>>,
    #[serde(default)]
    retriable_statuses: Vec<Spanned<u16>>,
    #[serde(default)]
    http2: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tcp {
    #[serde(default)]
    send: String,
    #[serde(default)]
    receive: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grpc {
    #[serde(default)]
    service: String,
    #[serde(default)]
    authority: String,
}

/// Reads a `HealthCheck`.
pub(super) fn health_check(document: &Document, problems: &mut Problems<'_>) -> Option<CheckOf> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::HEALTH_CHECK)?;
    metadata.check(document, problems);
    if let Err(bad) = super::names::check_host(&spec.host.value) {
        problems.error(spec.host.place, bad, "the service whose endpoints are asked, as `host: cart`");
    }
    if spec.interval.value.0.is_zero() {
        problems.error(
            spec.interval.key,
            "`interval: 0s` would ask without end",
            "say how long to wait between checks",
        );
    }
    let timeout = positive(spec.timeout.as_ref(), "timeout", "leave it out for 1s", problems);
    let probe = probe(&spec, problems);
    Some(CheckOf {
        host: spec.host.value.to_ascii_lowercase(),
        check: HealthCheck {
            probe,
            interval: spec.interval.value.0,
            timeout: timeout.unwrap_or(Duration::from_secs(1)),
            healthy_threshold: spec.healthy_threshold.set().unwrap_or(1),
            unhealthy_threshold: spec.unhealthy_threshold.set().unwrap_or(3),
            no_traffic_interval: None,
            no_traffic_healthy_interval: None,
            unhealthy_interval: None,
            unhealthy_edge_interval: None,
            healthy_edge_interval: None,
            initial_jitter: Duration::ZERO,
            interval_jitter: Duration::ZERO,
            interval_jitter_percent: 0,
            reuse_connection: true,
            origin: problems.origin_of(document.place(), document.root.get("spec")),
        },
    })
}

/// One of `http`, `tcp` and `grpc`; `path` alone is that of `http`, and nothing is `/`.
fn probe(spec: &Spec, problems: &mut Problems<'_>) -> HealthProbe {
    let named = [
        spec.http.as_ref().map(|http| http.key),
        spec.tcp.as_ref().map(|tcp| tcp.key),
        spec.grpc.as_ref().map(|grpc| grpc.key),
        spec.path.as_ref().map(|path| path.key),
    ];
    for key in named.into_iter().flatten().skip(1) {
        problems.error(key, "only one of `http`, `tcp`, `grpc` and `path`", "a check asks in one way: make two of it");
    }
    if let Some(tcp) = &spec.tcp {
        let receive = tcp.value.receive.iter().map(|text| text.clone().into_bytes()).collect();
        return HealthProbe::Tcp { send: tcp.value.send.clone().into_bytes(), receive };
    }
    if let Some(grpc) = &spec.grpc {
        let Grpc { service, authority } = &grpc.value;
        return HealthProbe::Grpc { service: service.clone(), authority: authority.clone() };
    }
    let nothing = Http::default();
    let http = spec.http.as_ref().map_or(&nothing, |http| &http.value);
    let path = http.path.as_ref().map(|path| (&path.value, path.place));
    let path = path.or(spec.path.as_ref().map(|path| (&path.value, path.key)));
    if let Some((bad, place)) = path.filter(|(path, _)| !path.starts_with('/') || path.contains(char::is_control)) {
        problems.error(place, format!("`{bad}` is no path"), "it begins with `/`");
    }
    HealthProbe::Http(http_probe(http, path.map_or("/", |(path, _)| path), problems))
}

fn http_probe(http: &Http, path: &str, problems: &mut Problems<'_>) -> HttpProbe {
    let method = http.method.as_ref().map_or("GET", |method| &method.value);
    if let Some(bad) = http.method.as_ref().filter(|method| !is_token(&method.value)) {
        problems.error(bad.place, format!("`{}` is no method", bad.value), "as GET or HEAD");
    }
    for (name, value) in &http.headers.0 {
        if !is_token(&name.value) || value.contains(char::is_control) {
            problems.error(
                name.place,
                format!("`{}` cannot be sent as a header", name.value),
                "a name, and text in one line",
            );
        }
    }
    for bad in
        http.expected_statuses.iter().chain(&http.retriable_statuses).filter(|one| !(100..600).contains(&one.value))
    {
        problems.error(bad.place, format!("{} is no status of an answer", bad.value), "100 to 599");
    }
    let single = |status: &Spanned<u16>| (status.value, status.value.saturating_add(1));
    let simple = HttpProbe::get(path);
    HttpProbe {
        method: method.to_owned(),
        host: http.host.clone(),
        headers: http.headers.0.iter().map(|(name, value)| (name.value.to_ascii_lowercase(), value.clone())).collect(),
        expected: if http.expected_statuses.is_empty() {
            simple.expected.clone()
        } else {
            http.expected_statuses.iter().map(single).collect()
        },
        retriable: http.retriable_statuses.iter().map(single).collect(),
        http2: http.http2,
        ..simple
    }
}
