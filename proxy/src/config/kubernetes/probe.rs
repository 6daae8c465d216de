//! Probes of containers.

use super::OfCluster;
use crate::config::number::Count;
use crate::config::objects::{Probe, ProbeAction};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenProbe {
    http_get: Option<HttpGet>,
    tcp_socket: Option<TcpSocket>,
    #[serde(default)]
    initial_delay_seconds: Count,
    #[serde(default)]
    period_seconds: Count,
    #[serde(default)]
    timeout_seconds: Count,
    success_threshold: Option<Spanned<Count>>,
    #[serde(default)]
    failure_threshold: Count,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpGet {
    path: Option<String>,
    scheme: Option<Keyed<String>>,
    /// Each instance has one port here, so which is asked is no question.
    #[serde(rename = "port")]
    _port: Option<OfCluster>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpSocket {
    #[serde(rename = "port")]
    _port: Option<OfCluster>,
    #[serde(rename = "host")]
    _host: Option<OfCluster>,
}

/// What it means, with Kubernetes' defaults, which 0 stands for too. `asks_else`: it asks by a way that was accepted without effect.
pub(super) fn probe(
    written: &Keyed<WrittenProbe>,
    name: &str,
    asks_else: bool,
    problems: &mut Problems<'_>,
) -> Option<Probe> {
    let probe = &written.value;
    let action = match (&probe.http_get, &probe.tcp_socket) {
        (Some(get), None) => {
            let scheme = get.scheme.as_ref().filter(|scheme| !scheme.value.is_empty() && scheme.value != "HTTP");
            if let Some(scheme) = scheme {
                let field = format!("spec.template.spec.containers.{name}.httpGet.scheme");
                problems.unsupported_value(scheme.key, "scheme".len(), &field, &scheme.value);
            }
            let path = get.path.clone().filter(|path| !path.is_empty());
            ProbeAction::HttpGet { path: path.unwrap_or_else(|| "/".to_owned()) }
        }
        (None, Some(_)) => ProbeAction::Tcp,
        (Some(_), Some(_)) => {
            problems.error(written.key, format!("`{name}` asks in two ways"), "keep one of `httpGet` and `tcpSocket`");
            return None;
        }
        (None, None) if asks_else => return None,
        (None, None) => {
            problems.error(written.key, format!("`{name}` asks nothing"), "it has `httpGet` or `tcpSocket`");
            return None;
        }
    };
    let successes = probe.success_threshold.as_ref();
    if let Some(many) = successes.filter(|many| name != "readinessProbe" && many.value.0 > 1) {
        problems.error(many.place, format!("`{name}.successThreshold` must be 1"), "only readiness may ask for more");
    }
    let seconds = |written: Count, default: u32| Duration::from_secs(written.set().unwrap_or(default).into());
    Some(Probe {
        action,
        initial_delay: seconds(probe.initial_delay_seconds, 0),
        period: seconds(probe.period_seconds, 10),
        timeout: seconds(probe.timeout_seconds, 1),
        success_threshold: successes.and_then(|many| many.value.set()).unwrap_or(1),
        failure_threshold: probe.failure_threshold.set().unwrap_or(3),
    })
}
