//! `trafficPolicy` and its blocks.

use crate::config::duration::GoDuration;
use crate::config::problems::Problems;
use crate::policy::{Balance, OutlierDetection, PoolLimits, RetryBudget, TrafficPolicy};
use serde::Deserialize;
use squall_yaml::{Spanned, Unsupported};
use std::time::Duration;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenPolicy {
    load_balancer: Option<LoadBalancer>,
    connection_pool: Option<ConnectionPool>,
    outlier_detection: Option<WrittenOutlier>,
    retry_budget: Option<WrittenBudget>,
    #[serde(default)]
    pub(super) port_level_settings: Vec<PortSettings>,
    #[serde(rename = "tls")]
    _tls: Option<Unsupported>,
    #[serde(rename = "tunnel")]
    _tunnel: Option<Unsupported>,
    #[serde(rename = "proxyProtocol")]
    _proxy_protocol: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PortSettings {
    pub(super) port: Port,
    load_balancer: Option<LoadBalancer>,
    connection_pool: Option<ConnectionPool>,
    outlier_detection: Option<WrittenOutlier>,
    #[serde(rename = "tls")]
    _tls: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    pub(super) number: u16,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoadBalancer {
    simple: Option<Spanned<String>>,
    #[serde(rename = "consistentHash")]
    _consistent_hash: Option<Unsupported>,
    #[serde(rename = "localityLbSetting")]
    _locality: Option<Unsupported>,
    #[serde(rename = "warmup")]
    _warmup: Option<Unsupported>,
    #[serde(rename = "warmupDurationSecs")]
    _warmup_secs: Option<Unsupported>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionPool {
    tcp: Option<Tcp>,
    http: Option<Http>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tcp {
    max_connections: Option<u32>,
    connect_timeout: Option<GoDuration>,
    idle_timeout: Option<GoDuration>,
    #[serde(rename = "tcpKeepalive")]
    _keepalive: Option<Unsupported>,
    #[serde(rename = "maxConnectionDuration")]
    _max_duration: Option<Unsupported>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Http {
    http1_max_pending_requests: Option<u32>,
    http2_max_requests: Option<u32>,
    max_requests_per_connection: Option<u32>,
    max_retries: Option<u32>,
    idle_timeout: Option<Spanned<GoDuration>>,
    #[serde(rename = "h2UpgradePolicy")]
    _h2_upgrade: Option<Unsupported>,
    #[serde(rename = "useClientProtocol")]
    _client_protocol: Option<Unsupported>,
    #[serde(rename = "maxConcurrentStreams")]
    _max_streams: Option<Unsupported>,
    #[serde(rename = "http2KeepAlive")]
    _keepalive: Option<Unsupported>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenOutlier {
    #[serde(rename = "consecutive5xxErrors")]
    consecutive_5xx: Option<u32>,
    consecutive_gateway_errors: Option<u32>,
    consecutive_local_origin_failures: Option<Spanned<u32>>,
    #[serde(default)]
    split_external_local_origin_errors: bool,
    interval: Option<Spanned<GoDuration>>,
    base_ejection_time: Option<Spanned<GoDuration>>,
    max_ejection_percent: Option<Spanned<u32>>,
    min_health_percent: Option<Spanned<u32>>,
    consecutive_errors: Option<Spanned<u32>>,
    #[serde(rename = "outlierDetectionHttpErrorCodes")]
    _error_codes: Option<Unsupported>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenBudget {
    percent: Option<f64>,
    min_retry_concurrency: Option<u32>,
    #[serde(rename = "budgetInterval")]
    _interval: Option<Unsupported>,
}

/// The blocks of one level, resolved one by one; an absent block is inherited or the default.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    balance: Option<Balance>,
    pool: Option<PoolLimits>,
    outlier: Option<(OutlierDetection, u32)>,
    budget: Option<RetryBudget>,
}

impl Blocks {
    pub(super) fn of(written: &WrittenPolicy, problems: &mut Problems<'_>) -> Self {
        let budget = written.retry_budget.as_ref().map(|budget| RetryBudget {
            percent: budget.percent.unwrap_or(20.0),
            min_concurrency: budget.min_retry_concurrency.unwrap_or(3),
        });
        Self {
            balance: written.load_balancer.as_ref().and_then(|balancer| balance(balancer, problems)),
            pool: written.connection_pool.as_ref().map(|pool| limits(pool, problems)),
            outlier: written.outlier_detection.as_ref().map(|outlier| detection(outlier, problems)),
            budget,
        }
    }

    pub(super) fn of_port(written: &PortSettings, problems: &mut Problems<'_>) -> Self {
        Self {
            balance: written.load_balancer.as_ref().and_then(|balancer| balance(balancer, problems)),
            pool: written.connection_pool.as_ref().map(|pool| limits(pool, problems)),
            outlier: written.outlier_detection.as_ref().map(|outlier| detection(outlier, problems)),
            budget: None,
        }
    }

    /// These, and what they leave out from `below`.
    pub(super) fn over(self, below: &Self) -> Self {
        Self {
            balance: self.balance.or(below.balance),
            pool: self.pool.or(below.pool),
            outlier: self.outlier.or_else(|| below.outlier.clone()),
            budget: self.budget.or(below.budget),
        }
    }

    /// A whole policy, with defaults for blocks that are absent.
    pub(super) fn resolve(&self) -> TrafficPolicy {
        let (outlier, panic_percent) = match &self.outlier {
            Some((outlier, panic)) => (Some(outlier.clone()), *panic),
            None => (None, 0),
        };
        TrafficPolicy {
            balance: self.balance.unwrap_or(Balance::LeastRequest),
            pool: PoolLimits { retry_budget: self.budget, ..self.pool.unwrap_or_default() },
            outlier,
            panic_percent,
        }
    }
}

fn balance(written: &LoadBalancer, problems: &mut Problems<'_>) -> Option<Balance> {
    let simple = written.simple.as_ref()?;
    Some(match simple.value.as_str() {
        "UNSPECIFIED" | "LEAST_REQUEST" | "LEAST_CONN" => Balance::LeastRequest,
        "ROUND_ROBIN" => Balance::RoundRobin,
        "RANDOM" => Balance::Random,
        other => {
            let help = "LEAST_REQUEST, ROUND_ROBIN and RANDOM are obeyed";
            problems.error(simple.place, format!("`{other}` is no balancing that is obeyed"), help);
            return None;
        }
    })
}

/// 0 means unset in Istio's counts.
fn count(written: Option<u32>) -> u32 {
    written.filter(|count| *count > 0).unwrap_or(u32::MAX)
}

fn limits(written: &ConnectionPool, problems: &mut Problems<'_>) -> PoolLimits {
    let defaults = PoolLimits::default();
    let tcp = written.tcp.clone().unwrap_or_default();
    let http = written.http.clone().unwrap_or_default();
    if let Some(zero) = http.idle_timeout.as_ref().filter(|idle| idle.value.0.is_zero()) {
        problems.error(
            zero.place,
            "Istio refuses `http.idleTimeout: 0s`",
            "`tcp.idleTimeout: 0s` is how connections idle for ever",
        );
    }
    let tcp_idle = tcp.idle_timeout.map(|idle| Some(idle.0).filter(|idle| !idle.is_zero()));
    let idle_timeout = http.idle_timeout.map(|idle| Some(idle.value.0)).or(tcp_idle).unwrap_or(defaults.idle_timeout);
    PoolLimits {
        max_connections: count(tcp.max_connections),
        max_pending: count(http.http1_max_pending_requests),
        max_requests: count(http.http2_max_requests),
        max_retries: count(http.max_retries),
        retry_budget: None,
        max_requests_per_connection: http.max_requests_per_connection.filter(|requests| *requests > 0),
        connect_timeout: tcp.connect_timeout.map_or(defaults.connect_timeout, |timeout| timeout.0),
        idle_timeout,
    }
}

fn detection(written: &WrittenOutlier, problems: &mut Problems<'_>) -> (OutlierDetection, u32) {
    let defaults = OutlierDetection::default();
    if let Some(old) = &written.consecutive_errors {
        problems.warning(old.place, "Istio ignores `consecutiveErrors`", "say `consecutive5xxErrors`");
    }
    if let Some(local) = &written.consecutive_local_origin_failures
        && !written.split_external_local_origin_errors
    {
        let help = "add `splitExternalLocalOriginErrors: true`";
        problems.error(local.place, "`consecutiveLocalOriginFailures` counts nothing without the split", help);
    }
    for percent in [&written.max_ejection_percent, &written.min_health_percent].into_iter().flatten() {
        if percent.value > 100 {
            problems.error(percent.place, format!("{} is no percentage", percent.value), "0 to 100");
        }
    }
    let mut time = |written: &Option<Spanned<GoDuration>>, default: Duration| match written {
        Some(zero) if zero.value.0.is_zero() => {
            problems.error(zero.place, "Istio refuses a duration below 1ms here", "");
            default
        }
        Some(time) => time.value.0,
        None => default,
    };
    let base_ejection_time = time(&written.base_ejection_time, defaults.base_ejection_time);
    let percent = written.max_ejection_percent.as_ref().map_or(0, |percent| percent.value);
    let local = written.consecutive_local_origin_failures.as_ref().map_or(5, |local| local.value);
    let detection = OutlierDetection {
        consecutive_5xx: Some(written.consecutive_5xx.unwrap_or(5)).filter(|count| *count > 0),
        consecutive_gateway: written.consecutive_gateway_errors.filter(|count| *count > 0),
        split_local_origin: written.split_external_local_origin_errors,
        consecutive_local_origin: Some(local).filter(|count| *count > 0),
        interval: time(&written.interval, defaults.interval),
        base_ejection_time,
        max_ejection_time: defaults.max_ejection_time.max(base_ejection_time),
        max_ejection_percent: if percent == 0 { defaults.max_ejection_percent } else { percent },
    };
    (detection, written.min_health_percent.as_ref().map_or(0, |percent| percent.value))
}
