//! Retry and hedge policies.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{
    HEDGE_POLICY, OMIT_HOST_METADATA, PREVIOUS_HOSTS, PREVIOUS_PRIORITIES, RATE_LIMITED_BACK_OFF, RESET_HEADER,
    RETRY_BACK_OFF, RETRY_HOST_PREDICATE, RETRY_POLICY, RETRY_PRIORITY,
};
use super::written::Written;
use super::{header_match, header_rules, labels};
use crate::policy::{RateLimitedBackOff, ResetHeader, RetryOn, RetryPolicy};
use squall_yaml::suggest;
use std::time::Duration;

const PREDICATES: Extensions = Extensions {
    known: &[&PREVIOUS_HOSTS, &OMIT_HOST_METADATA],
    package: "envoy.extensions.retry.host.",
    others: "omit_canary_hosts",
};
const PRIORITIES: Extensions =
    Extensions { known: &[&PREVIOUS_PRIORITIES], package: "envoy.extensions.retry.priority.", others: "" };

/// The retry policy of a host or a route, if it has one.
pub(super) fn read(owner: &Message<'_>) -> Option<RetryPolicy> {
    let policy = owner.message("retry_policy", &RETRY_POLICY)?;
    let mut read = RetryPolicy {
        attempts: policy.count("num_retries").unwrap_or(1),
        on: retry_on(&policy),
        per_try_timeout: policy.limit("per_try_timeout", None),
        per_try_idle_timeout: policy.limit("per_try_idle_timeout", None),
        rate_limited_back_off: policy.message("rate_limited_retry_back_off", &RATE_LIMITED_BACK_OFF).map(rate_limited),
        request_headers: header_match::all(&policy, "retriable_request_headers"),
        ..RetryPolicy::none()
    };
    back_off(&policy, &mut read);
    for predicate in policy.messages("retry_host_predicate", &RETRY_HOST_PREDICATE) {
        let Some(config) = predicate.extension(&PREDICATES) else { continue };
        if config.is(&PREVIOUS_HOSTS) {
            read.avoid_previous_hosts = true;
        } else {
            read.omit_labels.extend(labels::of_metadata(&config, "metadata_match"));
        }
    }
    read.previous_priorities = policy.message("retry_priority", &RETRY_PRIORITY).and_then(|priority| {
        let config = priority.extension(&PRIORITIES)?;
        config.require("update_frequency");
        config.within("update_frequency", 1, i128::from(i32::MAX))
    });
    // Zero is as if it were not there.
    let picks = policy.within::<u32>("host_selection_retry_max_attempts", 0, i128::from(u32::MAX));
    read.host_reselections = picks.filter(|picks| *picks > 0).unwrap_or(read.host_reselections);
    Some(read)
}

/// Whether a further try begins at a per-try time-out, if the host or the route says so.
pub(super) fn hedge(owner: &Message<'_>) -> Option<bool> {
    Some(owner.message("hedge_policy", &HEDGE_POLICY)?.flag("hedge_on_per_try_timeout"))
}

fn back_off(policy: &Message<'_>, read: &mut RetryPolicy) {
    if let Some(back_off) = policy.message("retry_back_off", &RETRY_BACK_OFF) {
        back_off.require("base_interval");
        let base = back_off.positive("base_interval").unwrap_or(read.back_off_base);
        // Timers count whole milliseconds.
        read.back_off_base = base.max(Duration::from_millis(1));
        let max = back_off.positive("max_interval");
        if max.is_some_and(|max| max < base) {
            back_off.at.error("`max_interval` is less than `base_interval`");
        }
        read.back_off_max = max.unwrap_or(read.back_off_base * 10).max(read.back_off_base);
    } else if let Some(base) = policy.at.reading.runtime.borrow_mut().count("upstream.base_retry_backoff_ms") {
        read.back_off_base = Duration::from_millis(u64::from(base.max(1)));
        read.back_off_max = read.back_off_base * 10;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an `Option` maps over")]
fn rate_limited(back_off: Message<'_>) -> RateLimitedBackOff {
    let headers = back_off.messages("reset_headers", &RESET_HEADER);
    if headers.is_empty() {
        back_off.at.error("`reset_headers` is missing");
    }
    let formats = [("SECONDS", 0, Some(false)), ("UNIX_TIMESTAMP", 1, Some(true))];
    let read = headers.iter().filter_map(|header| {
        header.require("name");
        let name = header.value("name").and_then(header_rules::name);
        Some(ResetHeader { name: name?, is_timestamp: header.choice("format", &formats).unwrap_or(false) })
    });
    RateLimitedBackOff {
        headers: read.collect(),
        max: back_off.positive("max_interval").unwrap_or(Duration::from_secs(300)),
    }
}

fn retry_on(policy: &Message<'_>) -> RetryOn {
    let mut on = RetryOn::default();
    let written = policy.value("retry_on");
    let text = written.and_then(Written::text).unwrap_or_default();
    let said: Vec<_> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    for word in &said {
        if !on.add(word) {
            written.into_iter().for_each(|written| unknown_word(written, word));
        }
    }
    let by_status = said.contains(&"retriable-status-codes");
    let by_header = said.contains(&"retriable-headers");
    let statuses: Vec<u16> =
        policy.values("retriable_status_codes").iter().filter_map(|status| status.within(100, 599)).collect();
    let headers = header_match::all(policy, "retriable_headers");
    let lists = [
        ("retriable_status_codes", "retriable-status-codes", by_status, statuses.is_empty()),
        ("retriable_headers", "retriable-headers", by_header, headers.is_empty()),
    ];
    for (field, word, said, empty) in lists {
        if !said && !empty {
            policy.at.warn(Said::from(format!("`{field}` has no effect")).help(format!("add `{word}` to `retry_on`")));
        }
    }
    if by_status {
        on.statuses = statuses;
    }
    if by_header {
        on.headers = headers;
    }
    on
}

/// Envoy passes over words that it does not know; so it is a warning.
fn unknown_word(written: &Written<'_>, word: &str) {
    let said = Said::from(format!("`{word}` is no condition of a retry, and passed over"));
    if word.parse::<u16>().is_ok() {
        written.warn(said.help("write the status under `retriable_status_codes`, and `retriable-status-codes` here"));
        return;
    }
    let known = RetryOn::names();
    let help = match suggest(word, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("these are known: {}", known.join(", ")),
    };
    written.warn(said.help(help));
}
