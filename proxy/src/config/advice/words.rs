//! Fields by the names that each dialect has for them, and values as each dialect writes them.

use std::time::Duration;

/// Whose words a policy is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Istio's objects.
    Istio,
    /// Routes of the Gateway API.
    GatewayApi,
    /// Bootstraps of Envoy.
    Envoy,
}

/// A field: its path within a traffic policy or a rule of Istio, a rule of the Gateway API, and a cluster or route of Envoy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    istio: &'static str,
    gateway_api: &'static str,
    envoy: &'static str,
}

const fn word(istio: &'static str, envoy: &'static str) -> Word {
    Word { istio, gateway_api: istio, envoy }
}

pub(super) const DETECTION: Word = word("outlierDetection", "outlier_detection");
pub(super) const MAX_EJECTION: Word =
    word("outlierDetection.maxEjectionPercent", "outlier_detection.max_ejection_percent");
pub(super) const CONSECUTIVE: Word = word("outlierDetection.consecutive5xxErrors", "outlier_detection.consecutive_5xx");
/// Istio has no word for it but a count of 0.
pub(super) const ENFORCING_5XX: Word =
    word("outlierDetection.consecutive5xxErrors", "outlier_detection.enforcing_consecutive_5xx");
pub(super) const GATEWAY_ERRORS: Word =
    word("outlierDetection.consecutiveGatewayErrors", "outlier_detection.consecutive_gateway_failure");
/// Istio enforces whatever is written.
pub(super) const ENFORCING_GATEWAY: Word = word("", "outlier_detection.enforcing_consecutive_gateway_failure");
pub(super) const SPLIT: Word =
    word("outlierDetection.splitExternalLocalOriginErrors", "outlier_detection.split_external_local_origin_errors");
pub(super) const INTERVAL: Word = word("outlierDetection.interval", "outlier_detection.interval");
pub(super) const BASE_EJECTION: Word =
    word("outlierDetection.baseEjectionTime", "outlier_detection.base_ejection_time");
pub(super) const CHECK_ENDS: Word = word("", "outlier_detection.successful_active_health_check_uneject_host");
pub(super) const SUCCESS_RATE_HOSTS: Word = word("", "outlier_detection.success_rate_minimum_hosts");
pub(super) const FAILURE_PERCENTAGE_HOSTS: Word = word("", "outlier_detection.failure_percentage_minimum_hosts");
pub(super) const MIN_HEALTH: Word =
    word("outlierDetection.minHealthPercent", "common_lb_config.healthy_panic_threshold.value");
pub(super) const MAX_CONNECTIONS: Word =
    word("connectionPool.tcp.maxConnections", "circuit_breakers.thresholds.0.max_connections");
pub(super) const CONNECT_TIMEOUT: Word = word("connectionPool.tcp.connectTimeout", "connect_timeout");
pub(super) const MAX_PENDING: Word =
    word("connectionPool.http.http1MaxPendingRequests", "circuit_breakers.thresholds.0.max_pending_requests");
pub(super) const MAX_REQUESTS: Word =
    word("connectionPool.http.http2MaxRequests", "circuit_breakers.thresholds.0.max_requests");
pub(super) const MAX_RETRIES: Word =
    word("connectionPool.http.maxRetries", "circuit_breakers.thresholds.0.max_retries");
pub(super) const RETRY_BUDGET: Word =
    word("retryBudget.percent", "circuit_breakers.thresholds.0.retry_budget.budget_percent.value");
pub(super) const LEAST_RETRIES: Word =
    word("retryBudget.minRetryConcurrency", "circuit_breakers.thresholds.0.retry_budget.min_retry_concurrency");
pub(super) const BALANCER: Word = word("loadBalancer.simple", "lb_policy");
pub(super) const WARM_UP: Word = word("loadBalancer.warmup", "least_request_lb_config.slow_start_config");
pub(super) const LOCALITY: Word = word("loadBalancer.localityLbSetting", "common_lb_config");
pub(super) const LOCALITY_ENABLED: Word = word("loadBalancer.localityLbSetting.enabled", "common_lb_config");
pub(super) const HASH: Word = word("loadBalancer.consistentHash", "lb_policy");
pub(super) const CHECKS: Word = word("", "health_checks");

pub(super) const TIMEOUT: Word = Word { istio: "timeout", gateway_api: "timeouts.request", envoy: "route.timeout" };
pub(super) const RETRIES: Word = Word { istio: "retries", gateway_api: "retry", envoy: "route.retry_policy" };
pub(super) const ATTEMPTS: Word =
    Word { istio: "retries.attempts", gateway_api: "retry.attempts", envoy: "route.retry_policy.num_retries" };
pub(super) const RETRY_ON: Word =
    Word { istio: "retries.retryOn", gateway_api: "retry.codes", envoy: "route.retry_policy.retry_on" };
pub(super) const PER_TRY: Word = Word {
    istio: "retries.perTryTimeout",
    gateway_api: "timeouts.backendRequest",
    envoy: "route.retry_policy.per_try_timeout",
};
pub(super) const BACK_OFF: Word =
    Word { istio: "retries.backoff", gateway_api: "retry.backoff", envoy: "route.retry_policy.retry_back_off" };
pub(super) const BACK_OFF_BASE: Word = Word { envoy: "route.retry_policy.retry_back_off.base_interval", ..BACK_OFF };
pub(super) const FAULT: Word = word("fault", "typed_per_filter_config");
pub(super) const DELAY: Word = word("fault.delay", "typed_per_filter_config");
pub(super) const ABORT: Word = word("fault.abort", "typed_per_filter_config");
pub(super) const MATCH: Word = Word { istio: "match", gateway_api: "matches", envoy: "match" };
pub(super) const HASH_POLICY: Word = word("route", "route.hash_policy");

impl Word {
    /// Its path.
    pub(super) fn path(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Istio => self.istio,
            Dialect::GatewayApi => self.gateway_api,
            Dialect::Envoy => self.envoy,
        }
    }

    /// Its own name: the last of its path.
    pub(super) fn name(self, dialect: Dialect) -> &'static str {
        let path = self.path(dialect);
        let path = path.strip_suffix(".value").unwrap_or(path);
        path.rsplit('.').next().unwrap_or(path)
    }
}

impl Dialect {
    /// A duration as it is written: Envoy has seconds alone.
    pub(super) fn span(self, span: Duration) -> String {
        let millis = span.as_millis();
        match self {
            _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
            Self::Envoy => format!("{}s", span.as_secs_f64()),
            Self::Istio | Self::GatewayApi => format!("{millis}ms"),
        }
    }

    /// Lines of YAML that set these fields, each field within the blocks around it.
    pub(super) fn lines(self, fields: &[(Word, String)]) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut above: Vec<&str> = Vec::new();
        for (word, value) in fields {
            let steps: Vec<&str> = word.path(self).split('.').collect();
            let common = steps.iter().zip(&above).take_while(|(one, other)| one == other).count();
            let mut dash = false;
            for (depth, step) in steps.iter().enumerate().skip(common) {
                // The first entry of a list: a dash in front of what comes next.
                if *step == "0" {
                    dash = true;
                    continue;
                }
                let indent = "  ".repeat(if dash { depth - 1 } else { depth });
                let lead = if dash { "- " } else { "" };
                let end = if depth + 1 == steps.len() { format!(" {value}") } else { String::new() };
                lines.push(format!("{indent}{lead}{step}:{end}"));
                dash = false;
            }
            above = steps;
        }
        lines.join("\n")
    }
}

/// `3 instances`, `1 retry`.
pub(super) fn count(number: u32, one: &str) -> String {
    match one.strip_suffix('y') {
        _ if number == 1 => format!("1 {one}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {one}s"),
    }
}

/// `a, b and c`.
pub(super) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_within_their_blocks_and_blocks_once() {
        let some = [(MAX_CONNECTIONS, "2".to_owned()), (MAX_PENDING, "4".to_owned())];
        assert_eq!(
            Dialect::Istio.lines(&some),
            "connectionPool:\n  tcp:\n    maxConnections: 2\n  http:\n    http1MaxPendingRequests: 4"
        );
        assert_eq!(
            Dialect::Envoy.lines(&some),
            "circuit_breakers:\n  thresholds:\n    - max_connections: 2\n      max_pending_requests: 4"
        );
        assert_eq!(
            (TIMEOUT.name(Dialect::GatewayApi), MIN_HEALTH.name(Dialect::Envoy)),
            ("request", "healthy_panic_threshold")
        );
    }

    #[test]
    fn envoy_writes_durations_in_seconds() {
        for (dialect, millis, written) in [
            (Dialect::Istio, 250, "250ms"),
            (Dialect::Envoy, 250, "0.25s"),
            (Dialect::Istio, 90_000, "90s"),
            (Dialect::Envoy, 1500, "1.5s"),
        ] {
            assert_eq!(dialect.span(Duration::from_millis(millis)), written);
        }
        assert_eq!(
            (count(1, "retry"), count(2, "retry"), count(0, "instance")),
            ("1 retry".into(), "2 retries".into(), "0 instances".into())
        );
        assert_eq!(list(&["a", "b", "c"].map(str::to_owned)), "a, b and c");
    }
}
