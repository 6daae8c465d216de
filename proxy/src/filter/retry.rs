//! Is this try to be made again, and after how long? Pure.

use crate::policy::{HeaderMatch, RateLimitedBackOff, RetryOn, RetryPolicy};
use rand::{Rng, RngExt};
use squall_http1::{Headers, Response};
use std::time::Duration;

/// How a try ended without an answer that went to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TryEnd {
    /// An answer, of which the client has seen nothing yet.
    Response(HeadOfAnswer),
    /// No connection, or not in time.
    ConnectFailure,
    /// The connection was lost, or the upstream gave up the stream.
    Reset {
        /// Bytes of the request had been written, in this try or before.
        request_written: bool,
    },
    /// The upstream did not begin with the stream.
    Refused,
    /// No answer within the time of one try: a reset by ourselves.
    PerTryTimeout,
    /// A breaker of ours was open; never tried again.
    Overflow,
}

/// What a decision needs of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadOfAnswer {
    /// Its status.
    pub status: u16,
    /// `grpc-status`, where it stands in the head.
    pub grpc_status: Option<u32>,
    /// It carries `x-envoy-ratelimited`.
    pub rate_limited: bool,
    /// It carries a field that the policy names.
    pub named_field: bool,
}

impl HeadOfAnswer {
    /// Reads it off an answer.
    pub(crate) fn of(response: &Response, on: &RetryOn) -> Self {
        Self {
            named_field: on.headers.iter().any(|condition| has(&response.headers, condition)),
            status: response.status,
            grpc_status: grpc_status(response),
            rate_limited: response.headers.contains("x-envoy-ratelimited"),
        }
    }
}

/// `grpc-status`, where it stands in the head.
pub(crate) fn grpc_status(response: &Response) -> Option<u32> {
    response.headers.get_str("grpc-status")?.parse().ok()
}

/// True if a field satisfies a condition.
fn has(headers: &Headers, condition: &HeaderMatch) -> bool {
    condition.fits(headers.get_all(&condition.name))
}

/// True if the conditions ask for another try.
pub(crate) fn is_retriable(on: &RetryOn, end: TryEnd) -> bool {
    match end {
        TryEnd::Response(head) if head.rate_limited => on.envoy_ratelimited,
        TryEnd::Response(head) => {
            let status = head.status;
            (on.any_5xx && status >= 500)
                || (on.gateway_error && matches!(status, 502..=504))
                || (on.retriable_4xx && status == 409)
                || on.statuses.contains(&status)
                || head.named_field
                || head.grpc_status.is_some_and(|grpc| on.grpc_statuses.contains(&grpc))
        }
        TryEnd::ConnectFailure => {
            on.connect_failure || on.any_5xx || on.gateway_error || on.reset || on.reset_before_request
        }
        TryEnd::Reset { request_written } => {
            on.any_5xx || on.gateway_error || on.reset || (on.reset_before_request && !request_written)
        }
        TryEnd::Refused => on.refused_stream || on.any_5xx || on.gateway_error || on.reset || on.reset_before_request,
        TryEnd::PerTryTimeout => on.any_5xx || on.gateway_error || on.reset,
        TryEnd::Overflow => false,
    }
}

/// How long to wait before retry `number` (from 1): a whole number of milliseconds, drawn evenly below a bound that doubles up to the most
/// of the policy.
pub(crate) fn back_off(policy: &RetryPolicy, number: u32, rng: &mut impl Rng) -> Duration {
    let bound = bound(policy.back_off_base, policy.back_off_max, number).as_millis() as u64;
    Duration::from_millis(rng.random_range(0..bound.max(1)))
}

/// How long the last answer asks to wait, if it says so: evenly between that and half as much again.
pub(crate) fn asked_back_off(
    policy: &RateLimitedBackOff,
    headers: &Headers,
    since_epoch: Duration,
    rng: &mut impl Rng,
) -> Option<Duration> {
    let asked = policy.headers.iter().find_map(|reset| {
        let number: u64 = headers.get_str(&reset.name)?.trim().parse().ok()?;
        let seconds = if reset.is_timestamp { number.checked_sub(since_epoch.as_secs())? } else { number };
        Some(Duration::from_secs(seconds)).filter(|asked| !asked.is_zero() && *asked <= policy.max)
    })?;
    let millis = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
    Some(Duration::from_millis(rng.random_range(millis..millis + (millis / 2).max(1))))
}

fn bound(base: Duration, most: Duration, number: u32) -> Duration {
    let mut bound = base.min(most);
    for _ in 1..number {
        // Doubled while that stays below the most, then the most.
        bound = if bound * 2 < most { bound * 2 } else { return most };
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn answer(status: u16) -> HeadOfAnswer {
        HeadOfAnswer { status, grpc_status: None, rate_limited: false, named_field: false }
    }

    const CONNECT: TryEnd = TryEnd::ConnectFailure;
    const RESET: TryEnd = TryEnd::Reset { request_written: true };
    const EARLY_RESET: TryEnd = TryEnd::Reset { request_written: false };

    #[test]
    fn each_condition_covers_what_it_says() {
        let (r500, r503, r409, r200) = (answer(500), answer(503), answer(409), answer(200));
        let ends = [
            ("500", TryEnd::Response(r500)),
            ("503", TryEnd::Response(r503)),
            ("409", TryEnd::Response(r409)),
            ("200", TryEnd::Response(r200)),
            ("connect", CONNECT),
            ("reset", RESET),
            ("early reset", EARLY_RESET),
            ("refused", TryEnd::Refused),
            ("per-try", TryEnd::PerTryTimeout),
            ("overflow", TryEnd::Overflow),
        ];
        let on = RetryOn::default;
        let table: [(&str, RetryOn, &[&str]); 9] = [
            ("nothing", on(), &[]),
            (
                "5xx",
                RetryOn { any_5xx: true, ..on() },
                &["500", "503", "connect", "reset", "early reset", "refused", "per-try"],
            ),
            (
                "gateway-error",
                RetryOn { gateway_error: true, ..on() },
                &["503", "connect", "reset", "early reset", "refused", "per-try"],
            ),
            ("connect-failure", RetryOn { connect_failure: true, ..on() }, &["connect"]),
            ("reset", RetryOn { reset: true, ..on() }, &["connect", "reset", "early reset", "refused", "per-try"]),
            (
                "reset-before-request",
                RetryOn { reset_before_request: true, ..on() },
                &["connect", "early reset", "refused"],
            ),
            ("refused-stream", RetryOn { refused_stream: true, ..on() }, &["refused"]),
            ("retriable-4xx", RetryOn { retriable_4xx: true, ..on() }, &["409"]),
            ("503", RetryOn { statuses: vec![503], ..on() }, &["503"]),
        ];
        for (name, on, expected) in table {
            let covered: Vec<_> =
                ends.iter().filter(|(_, end)| is_retriable(&on, *end)).map(|(name, _)| *name).collect();
            assert_eq!(covered, expected, "{name}");
        }
    }

    #[test]
    fn istios_default_retries_neither_a_503_nor_a_reset_nor_a_per_try_timeout() {
        let on = RetryOn::mesh_default();
        assert!(is_retriable(&on, CONNECT));
        for end in [TryEnd::Response(answer(503)), RESET, EARLY_RESET, TryEnd::PerTryTimeout] {
            assert!(!is_retriable(&on, end), "{end:?}");
        }
    }

    #[test]
    fn grpc_unavailable_in_the_head_is_retried_by_the_default() {
        let unavailable = HeadOfAnswer { status: 200, grpc_status: Some(14), rate_limited: false, named_field: false };
        assert!(is_retriable(&RetryOn::mesh_default(), TryEnd::Response(unavailable)));
    }

    #[test]
    fn a_rate_limited_answer_is_retried_by_its_own_condition_alone() {
        let limited = HeadOfAnswer { status: 503, grpc_status: None, rate_limited: true, named_field: false };
        assert!(!is_retriable(&RetryOn { any_5xx: true, ..RetryOn::default() }, TryEnd::Response(limited)));
        assert!(is_retriable(&RetryOn { envoy_ratelimited: true, ..RetryOn::default() }, TryEnd::Response(limited)));
    }

    #[test]
    fn the_bound_of_the_back_off_doubles_up_to_ten_times_the_base() {
        let bounds: Vec<_> = (1..=6)
            .map(|number| bound(Duration::from_millis(25), Duration::from_millis(250), number).as_millis())
            .collect();
        assert_eq!(bounds, [25, 50, 100, 200, 250, 250]);
    }

    #[test]
    fn the_back_off_is_below_its_bound_and_reaches_zero() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let waits: Vec<_> = (0..2000).map(|_| back_off(&RetryPolicy::none(), 2, &mut rng).as_millis()).collect();
        assert_eq!(waits.iter().max(), Some(&49));
        assert_eq!(waits.iter().min(), Some(&0));
    }

    #[test]
    fn an_answer_that_says_when_is_obeyed_up_to_the_most_of_the_policy() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let reset = |name: &str, is_timestamp| crate::policy::ResetHeader { name: name.to_owned(), is_timestamp };
        let policy = RateLimitedBackOff {
            headers: vec![reset("retry-after", false), reset("x-reset", true)],
            max: Duration::from_secs(300),
        };
        let mut waits = |name: &str, value: &str| {
            let mut headers = Headers::new();
            headers.add(name, value.as_bytes());
            asked_back_off(&policy, &headers, Duration::from_secs(1000), &mut rng)
        };
        let between = |wait: Option<Duration>, least: u64| {
            wait.is_some_and(|wait| (least * 1000..=least * 1500).contains(&(wait.as_millis() as u64)))
        };
        assert!(between(waits("retry-after", "4"), 4));
        assert!(between(waits("x-reset", "1010"), 10));
        for (name, value) in [("retry-after", "301"), ("retry-after", "0"), ("retry-after", "soon"), ("x-reset", "999")]
        {
            assert_eq!(waits(name, value), None, "{name}: {value}");
        }
    }
}
