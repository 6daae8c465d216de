//! `fault`: injected by the client's side.

use crate::config::duration::{GoDuration, positive};
use crate::config::number::WholePercent;
use crate::config::problems::Problems;
use crate::policy::{Abort, AbortWith, Delay, FaultInjection, Fraction};
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenFault {
    delay: Option<Keyed<WrittenDelay>>,
    abort: Option<Keyed<WrittenAbort>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenDelay {
    fixed_delay: Option<Keyed<GoDuration>>,
    exponential_delay: Option<Keyed<GoDuration>>,
    percentage: Option<Percentage>,
    percent: Option<WholePercent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenAbort {
    http_status: Option<Spanned<u32>>,
    grpc_status: Option<Spanned<String>>,
    http2_error: Option<Keyed<String>>,
    percentage: Option<Percentage>,
}

/// `{value: 0.5}`; 0 if it says none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Percentage {
    #[serde(default)]
    value: Option<Spanned<f64>>,
}

impl Percentage {
    /// The share, of which Istio knows 0 and what is at least a millionth.
    pub(super) fn share(&self, problems: &mut Problems<'_>) -> Fraction {
        let Some(written) = self.value else { return Fraction::NONE };
        let percent = written.value;
        if !(percent == 0.0 || (0.0001..=100.0).contains(&percent)) {
            problems.error(written.place, format!("{percent} is no percentage"), "0, or 0.0001 to 100");
        }
        Fraction::percent(percent)
    }
}

/// The names of gRPC's statuses, in order of their numbers.
const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// What the block means; a percentage that is not written is 0 %: nothing happens.
pub(super) fn injection(written: &Keyed<WrittenFault>, problems: &mut Problems<'_>) -> Option<FaultInjection> {
    let fault = &written.value;
    if fault.delay.is_none() && fault.abort.is_none() {
        problems.error(
            written.key,
            "a fault has `delay`, `abort` or both",
            "as in `abort: {httpStatus: 503, percentage: {value: 10}}`",
        );
        return None;
    }
    let delay = fault.delay.as_ref().and_then(|written| delay(written, problems));
    let abort = fault.abort.as_ref().and_then(|written| abort(written, problems));
    if delay.is_none() && abort.is_none() {
        return None;
    }
    Some(FaultInjection { delay, abort, ..FaultInjection::default() })
}

fn delay(written: &Keyed<WrittenDelay>, problems: &mut Problems<'_>) -> Option<Delay> {
    let WrittenDelay { fixed_delay, exponential_delay, percentage, percent } = &written.value;
    let share = match (percentage, percent) {
        (Some(percentage), _) => percentage.share(problems),
        (None, percent) => Fraction::percent(f64::from(percent.unwrap_or_default().0)),
    };
    if let Some(exponential) = exponential_delay {
        problems.error(exponential.key, "Istio refuses `exponentialDelay`", "write `fixedDelay`");
        return None;
    }
    if fixed_delay.is_none() {
        problems.warning(written.key, "a delay without `fixedDelay` delays nothing", "add `fixedDelay: 2s`");
    }
    let fixed = positive(fixed_delay.as_ref(), "fixedDelay", "1ms at least", problems)?;
    Some(Delay { fixed: Some(fixed), share })
}

fn abort(written: &Keyed<WrittenAbort>, problems: &mut Problems<'_>) -> Option<Abort> {
    let WrittenAbort { http_status, grpc_status, http2_error, percentage } = &written.value;
    let share = percentage.as_ref().map_or(Fraction::NONE, |percentage| percentage.share(problems));
    if let Some(error) = http2_error {
        problems.error(error.key, "Istio refuses `http2Error`", "write `httpStatus` or `grpcStatus`");
        return None;
    }
    let with = match (http_status, grpc_status) {
        (Some(_), Some(_)) => {
            problems.error(written.key, "only one of `httpStatus` and `grpcStatus`", "take one out");
            return None;
        }
        (Some(status), None) => AbortWith::Http(http(status, problems)?),
        (None, Some(status)) => AbortWith::Grpc(grpc(status, problems)?),
        (None, None) => {
            problems.warning(written.key, "an abort without a status aborts nothing", "add `httpStatus: 503`");
            return None;
        }
    };
    Some(Abort { with, share })
}

fn http(written: &Spanned<u32>, problems: &mut Problems<'_>) -> Option<u16> {
    let status = u16::try_from(written.value).ok().filter(|status| (200..600).contains(status));
    if status.is_none() {
        problems.error(written.place, format!("{} is no status to abort with", written.value), "200 to 599");
    }
    status
}

fn grpc(written: &Spanned<String>, problems: &mut Problems<'_>) -> Option<u32> {
    let number = GRPC_STATUSES.iter().position(|name| *name == written.value);
    if number.is_none() {
        let help = match squall_yaml::suggest(&written.value, &GRPC_STATUSES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", GRPC_STATUSES.join(", ")),
        };
        problems.error(written.place, format!("`{}` is no status of gRPC", written.value), help);
    }
    number.map(|number| number as u32)
}
