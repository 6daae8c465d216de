//! `retries` of a route.

use crate::config::duration::GoDuration;
use crate::config::problems::Problems;
use crate::policy::{RetryOn, RetryPolicy};
use serde::Deserialize;
use squall_yaml::{Place, Spanned, Unsupported, suggest};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenRetries {
    attempts: Option<Spanned<u32>>,
    per_try_timeout: Option<Spanned<GoDuration>>,
    retry_on: Option<Spanned<String>>,
    retry_ignore_previous_hosts: Option<bool>,
    backoff: Option<GoDuration>,
    #[serde(rename = "retryRemoteLocalities")]
    _remote: Option<Unsupported>,
}

/// Conditions by their names.
const CONDITIONS: [&str; 13] = [
    "5xx",
    "gateway-error",
    "connect-failure",
    "refused-stream",
    "reset",
    "reset-before-request",
    "retriable-4xx",
    "retriable-status-codes",
    "envoy-ratelimited",
    "cancelled",
    "deadline-exceeded",
    "resource-exhausted",
    "unavailable",
];

/// What the policy means: an empty block switches retries off, an absent one is the mesh's default.
pub(super) fn retries(written: Option<&WrittenRetries>, problems: &mut Problems<'_>) -> RetryPolicy {
    let Some(written) = written else { return RetryPolicy::mesh_default() };
    let attempts = written.attempts.as_ref().map_or(0, |attempts| attempts.value);
    if let Some(zero) = written.attempts.as_ref().filter(|attempts| attempts.value == 0)
        && (written.per_try_timeout.is_some() || written.retry_on.is_some())
    {
        let help = "`attempts: 0` switches retries off and must stand alone";
        problems.error(zero.place, "Istio refuses `attempts: 0` beside other retry fields", help);
    }
    if let Some(zero) = written.per_try_timeout.as_ref().filter(|timeout| timeout.value.0.is_zero()) {
        problems.error(zero.place, "Istio refuses a per-try time-out below 1ms", "leave it out for none");
    }
    let on = match &written.retry_on {
        Some(on) if !on.value.trim().is_empty() => conditions(&on.value, on.place, problems),
        _ => RetryOn::mesh_default(),
    };
    RetryPolicy {
        attempts,
        per_try_timeout: written.per_try_timeout.as_ref().map(|timeout| timeout.value.0),
        on,
        back_off_base: written.backoff.map_or(RetryPolicy::none().back_off_base, |base| base.0),
        avoid_previous_hosts: written.retry_ignore_previous_hosts.unwrap_or(true),
    }
}

/// Names and status codes, separated by commas.
fn conditions(text: &str, place: Place, problems: &mut Problems<'_>) -> RetryOn {
    let mut on = RetryOn::default();
    for item in text.split(',').map(str::trim) {
        match item {
            "5xx" => on.any_5xx = true,
            "gateway-error" => on.gateway_error = true,
            "connect-failure" => on.connect_failure = true,
            "refused-stream" => on.refused_stream = true,
            "reset" => on.reset = true,
            "reset-before-request" => on.reset_before_request = true,
            "retriable-4xx" => on.retriable_4xx = true,
            "envoy-ratelimited" => on.envoy_ratelimited = true,
            // Without a list of codes it retries nothing; codes stand in the same list.
            "retriable-status-codes" => {}
            "cancelled" => on.grpc_statuses.push(1),
            "deadline-exceeded" => on.grpc_statuses.push(4),
            "resource-exhausted" => on.grpc_statuses.push(8),
            "internal" => on.grpc_statuses.push(13),
            "unavailable" => on.grpc_statuses.push(14),
            other => match other.parse::<u16>() {
                Ok(status) if (100..600).contains(&status) => on.statuses.push(status),
                _ => {
                    let help = match suggest(other, &CONDITIONS) {
                        Some(near) => format!("is `{near}` meant?"),
                        None => format!("one of {} or a status code", CONDITIONS.join(", ")),
                    };
                    problems.error(place, format!("`{other}` is no condition of a retry"), help);
                }
            },
        }
    }
    on
}
