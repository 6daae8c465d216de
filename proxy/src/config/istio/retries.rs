//! `retries` of a route.

use crate::config::duration::{GoDuration, positive};
use crate::config::number::Count;
use crate::config::problems::Problems;
use crate::policy::{RetryOn, RetryPolicy};
use serde::Deserialize;
use squall_yaml::{Keyed, Place, Spanned, suggest};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenRetries {
    attempts: Option<Count>,
    per_try_timeout: Option<Keyed<GoDuration>>,
    retry_on: Option<Spanned<String>>,
    pub(super) retry_ignore_previous_hosts: Option<bool>,
    retry_remote_localities: Option<bool>,
    backoff: Option<Keyed<GoDuration>>,
}

/// What the policy means: an empty block switches retries off.
pub(super) fn retries(written: &Keyed<WrittenRetries>, problems: &mut Problems<'_>) -> RetryPolicy {
    let WrittenRetries { attempts, per_try_timeout, retry_on, retry_ignore_previous_hosts, .. } = &written.value;
    let attempts = attempts.unwrap_or_default().0;
    let retry_on = retry_on.as_ref().filter(|on| !on.value.is_empty());
    let more = per_try_timeout.is_some() || retry_on.is_some() || written.value.retry_remote_localities.is_some();
    if attempts == 0 && more {
        let help = "say `attempts: 2`, or take the other fields out: 0, as none, switches retries off";
        problems.error(written.key, "Istio refuses retries without `attempts` beside other fields", help);
    }
    let on = retry_on.map_or_else(RetryOn::mesh_default, |on| conditions(&on.value, on.place, problems));
    let base = positive(written.value.backoff.as_ref(), "backoff", "1ms at least; 25ms if it is left out", problems);
    let base = base.unwrap_or(RetryPolicy::none().back_off_base);
    let per_try_timeout =
        positive(per_try_timeout.as_ref(), "perTryTimeout", "leave it out for no per-try time-out", problems);
    if attempts == 0 {
        return RetryPolicy::none();
    }
    RetryPolicy {
        attempts,
        per_try_timeout,
        on,
        back_off_base: base,
        back_off_max: base * 10,
        avoid_previous_hosts: retry_ignore_previous_hosts.unwrap_or(true),
        // Istio looks anew after each second endpoint.
        previous_priorities: written.value.retry_remote_localities.unwrap_or(false).then_some(2),
        ..RetryPolicy::mesh_default()
    }
}

/// Names and status codes, separated by commas.
pub(in crate::config) fn conditions(text: &str, place: Place, problems: &mut Problems<'_>) -> RetryOn {
    let mut on = RetryOn::default();
    for item in text.split(',') {
        if on.add(item) {
            continue;
        }
        match item.parse::<u16>() {
            Ok(status) if is_known(status) => on.statuses.push(status),
            _ => {
                let known = RetryOn::names();
                let help = match suggest(item, &known) {
                    _ if item.trim() != item => "write the conditions without spaces between them".to_owned(),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("one of {} or a status code", known.join(", ")),
                };
                problems.error(place, format!("`{item}` is no condition of a retry"), help);
            }
        }
    }
    on
}

/// Statuses that have a name in Go, which are those that Istio takes.
fn is_known(status: u16) -> bool {
    matches!(
        status,
        100..=103
            | 200..=208
            | 226
            | 300..=305
            | 307
            | 308
            | 400..=418
            | 421..=426
            | 428
            | 429
            | 431
            | 451
            | 500..=508
            | 510
            | 511
    )
}
