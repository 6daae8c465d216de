//! When a request is tried again, field by field.

use super::Setting;
use super::conditions;
use super::setting::{Field, Owner, Value, field};
use super::told::Told;
use crate::policy::{Forward, Healing, RetryOn, RetryPolicy, Route, words};
use crate::serve::rehearsal::Sending;
use std::borrow::Cow;

const RETRIES: Field = Field { istio: "retries", gateway_api: "retry", envoy: "route.retry_policy" };
const ATTEMPTS: Field =
    Field { istio: "retries.attempts", gateway_api: "retry.attempts", envoy: "route.retry_policy.num_retries" };
const ON: Field = Field { istio: "retries.retryOn", gateway_api: "retry.codes", envoy: "route.retry_policy.retry_on" };
pub(super) const PER_TRY: Field = Field {
    istio: "retries.perTryTimeout",
    gateway_api: "timeouts.backendRequest",
    envoy: "route.retry_policy.per_try_timeout",
};
const PER_TRY_IDLE: Field = field("", "route.retry_policy.per_try_idle_timeout");
const BACK_OFF: Field = Field {
    istio: "retries.backoff",
    gateway_api: "retry.backoff",
    envoy: "route.retry_policy.retry_back_off.base_interval",
};
const BACK_OFF_MAX: Field = Field { envoy: "route.retry_policy.retry_back_off.max_interval", ..BACK_OFF };
const RATE_LIMITED: Field = field("", "route.retry_policy.rate_limited_retry_back_off");
const PREVIOUS_HOSTS: Field = field("retries.retryIgnorePreviousHosts", "route.retry_policy.retry_host_predicate");
const RESELECTIONS: Field = field("", "route.retry_policy.host_selection_retry_max_attempts");
const PRIORITIES: Field = field("retries.retryRemoteLocalities", "route.retry_policy.retry_priority");
const OMITTED: Field = field("", "route.retry_policy.retry_host_predicate");
const REQUESTS: Field = field("", "route.retry_policy.retriable_request_headers");
const HEDGE: Field = field("", "route.hedge_policy");

/// Every field of the retry policy that holds for a request.
pub(super) fn settings(told: &Told<'_>, route: &Route, sending: &Sending<'_>) -> Vec<Setting> {
    let written = told.route(route).without(Healing::Retries, told.without(Healing::Retries));
    // The mesh's own routes have retries that nobody wrote, and so do rules that say nothing of them.
    let default = match told.owner() {
        Owner::Envoy => RetryPolicy::none(),
        Owner::Istio(version) => {
            let mut mesh = RetryPolicy::mesh_default();
            if version.retries_503() {
                mesh.on.statuses.push(503);
            }
            mesh
        }
    };
    let retry = &*sending.retry;
    let count = |policy: &RetryPolicy| policy.attempts.to_string();
    let of_default =
        if written.has(RETRIES) && told.owner() == Owner::Envoy { "1".to_owned() } else { count(&default) };
    let mut attempts = written.setting("retries", ATTEMPTS, count(retry), &of_default);
    if matches!(sending.retry, Cow::Owned(_)) {
        "the request's own fields, or those that the policy asks for".clone_into(&mut attempts.from);
    }
    let is_mesh_own = route.origin.line == 0;
    if is_mesh_own && retry.attempts != default.attempts && !told.without(Healing::Retries) {
        // An inbound route has its own.
        attempts.from = written.plain("retries", ATTEMPTS, String::new()).from;
    }
    let mut all = vec![attempts];
    if retry.attempts == 0 {
        return all;
    }
    let default = RetryPolicy {
        // Ten times the base, unless it is said.
        back_off_max: retry.back_off_base * 10,
        // In Istio it hangs on whether requests are hashed.
        avoid_previous_hosts: told.owner() != Owner::Envoy && retry.avoid_previous_hosts,
        ..if is_mesh_own { retry.clone() } else { default }
    };
    all.extend(written.settings(values(retry), values(&default)));
    all
}

/// Everything but how often.
fn values(retry: &RetryPolicy) -> Vec<Value> {
    let asked = retry.rate_limited_back_off.as_ref().map(|asked| {
        let names: Vec<&str> = asked.headers.iter().map(|header| header.name.as_str()).collect();
        format!("{}, at most {}", names.join(", "), words::time(asked.max))
    });
    let previous = if retry.avoid_previous_hosts { "avoided" } else { "may be tried again" };
    let priorities = retry.previous_priorities.map_or_else(
        || "as for a first try".to_owned(),
        |after| format!("left after {after} of its endpoints were tried"),
    );
    let list = |words: Vec<String>, none: &str| if words.is_empty() { none.to_owned() } else { words.join(", ") };
    let omitted = retry.omit_labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let requests = retry.request_headers.iter().map(conditions::header).collect();
    let hedge = if retry.hedge { "on a per-try time-out" } else { "off" };
    vec![
        ("retry on", ON, list(conditions_of(&retry.on), "nothing")),
        ("per-try idle time-out", PER_TRY_IDLE, words::time_or_none(retry.per_try_idle_timeout)),
        ("back-off", BACK_OFF, format!("drawn up to {}, doubling", words::time(retry.back_off_base))),
        ("longest back-off", BACK_OFF_MAX, words::time(retry.back_off_max)),
        ("back-off that answers ask for", RATE_LIMITED, asked.unwrap_or_else(|| "none".to_owned())),
        ("endpoints tried before", PREVIOUS_HOSTS, previous.to_owned()),
        ("picks to find another", RESELECTIONS, retry.host_reselections.to_string()),
        ("priority tried before", PRIORITIES, priorities),
        ("endpoints left out by label", OMITTED, list(omitted, "none")),
        ("only requests with", REQUESTS, list(requests, "anything")),
        ("hedging", HEDGE, hedge.to_owned()),
    ]
}

/// How long one try may take.
pub(super) fn per_try(told: &Told<'_>, route: &Route, forward: &Forward, sending: &Sending<'_>) -> Setting {
    let out = told.without(Healing::Timeouts);
    let written = told.route(route).without(Healing::Timeouts, out);
    let value = match (forward.retry.per_try_timeout, sending.times.per_try) {
        (Some(said), None) => format!("{}, without effect: no shorter than the time-out", words::time(said)),
        (_, holds) => words::time_or_none(holds),
    };
    let mut setting = written.setting("per-try time-out", PER_TRY, value, "none");
    if forward.retry.per_try_timeout != sending.times.per_try && sending.times.per_try.is_some() {
        "the request's x-envoy-upstream-rq-per-try-timeout-ms".clone_into(&mut setting.from);
    }
    setting
}

/// Conditions in Envoy's words.
fn conditions_of(on: &RetryOn) -> Vec<String> {
    let flags = [
        (on.any_5xx, "5xx"),
        (on.gateway_error, "gateway-error"),
        (on.connect_failure, "connect-failure"),
        (on.refused_stream, "refused-stream"),
        (on.reset, "reset"),
        (on.reset_before_request, "reset-before-request"),
        (on.retriable_4xx, "retriable-4xx"),
        (on.envoy_ratelimited, "envoy-ratelimited"),
    ];
    let mut all: Vec<String> = flags.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect();
    all.extend(on.grpc_statuses.iter().map(|status| format!("gRPC {}", words::grpc_status(*status))));
    all.extend(on.statuses.iter().map(ToString::to_string));
    all.extend(on.headers.iter().map(|header| format!("answers with {}", conditions::header(header))));
    all
}
