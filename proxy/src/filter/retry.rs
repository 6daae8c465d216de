//! Is this try to be made again, and after how long? Pure.

use crate::policy::RetryOn;
use rand::{Rng, RngExt};
use squall_http1::Response;
use std::time::Duration;

/// How a try ended without an answer that went to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TryEnd {
    /// An answer, of which the client has seen nothing yet.
    Response(HeadOfAnswer),
    /// No connection, or not in time.
    ConnectFailure,
    /// The connection was lost.
    Reset {
        /// Bytes of the request had been written, in this try or before.
        request_written: bool,
    },
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
    pub grpc_status: Option<u8>,
    /// It carries `x-envoy-ratelimited`.
    pub rate_limited: bool,
}

impl HeadOfAnswer {
    /// Reads it off an answer.
    pub(crate) fn of(response: &Response) -> Self {
        Self {
            status: response.status,
            grpc_status: response.headers.get_str("grpc-status").and_then(|status| status.parse().ok()),
            rate_limited: response.headers.contains("x-envoy-ratelimited"),
        }
    }
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
                || head.grpc_status.is_some_and(|grpc| on.grpc_statuses.contains(&grpc))
        }
        TryEnd::ConnectFailure => {
            on.connect_failure || on.any_5xx || on.gateway_error || on.reset || on.reset_before_request
        }
        TryEnd::Reset { request_written } => {
            on.any_5xx || on.gateway_error || on.reset || (on.reset_before_request && !request_written)
        }
        TryEnd::PerTryTimeout => on.any_5xx || on.gateway_error || on.reset,
        TryEnd::Overflow => false,
    }
}

/// How long to wait before retry `number` (from 1): a whole number of milliseconds, drawn evenly below a bound that doubles up to ten times
/// its base.
pub(crate) fn back_off(base: Duration, number: u32, rng: &mut impl Rng) -> Duration {
    let bound = bound(base, number).as_millis() as u64;
    Duration::from_millis(rng.random_range(0..bound.max(1)))
}

fn bound(base: Duration, number: u32) -> Duration {
    let most = base * 10;
    let mut bound = base;
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
        HeadOfAnswer { status, grpc_status: None, rate_limited: false }
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
            ("per-try", TryEnd::PerTryTimeout),
            ("overflow", TryEnd::Overflow),
        ];
        let on = RetryOn::default;
        let table: [(&str, RetryOn, &[&str]); 8] = [
            ("nothing", on(), &[]),
            ("5xx", RetryOn { any_5xx: true, ..on() }, &["500", "503", "connect", "reset", "early reset", "per-try"]),
            (
                "gateway-error",
                RetryOn { gateway_error: true, ..on() },
                &["503", "connect", "reset", "early reset", "per-try"],
            ),
            ("connect-failure", RetryOn { connect_failure: true, ..on() }, &["connect"]),
            ("reset", RetryOn { reset: true, ..on() }, &["connect", "reset", "early reset", "per-try"]),
            ("reset-before-request", RetryOn { reset_before_request: true, ..on() }, &["connect", "early reset"]),
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
        let unavailable = HeadOfAnswer { status: 200, grpc_status: Some(14), rate_limited: false };
        assert!(is_retriable(&RetryOn::mesh_default(), TryEnd::Response(unavailable)));
    }

    #[test]
    fn a_rate_limited_answer_is_retried_by_its_own_condition_alone() {
        let limited = HeadOfAnswer { status: 503, grpc_status: None, rate_limited: true };
        assert!(!is_retriable(&RetryOn { any_5xx: true, ..RetryOn::default() }, TryEnd::Response(limited)));
        assert!(is_retriable(&RetryOn { envoy_ratelimited: true, ..RetryOn::default() }, TryEnd::Response(limited)));
    }

    #[test]
    fn the_bound_of_the_back_off_doubles_up_to_ten_times_the_base() {
        let bounds: Vec<_> = (1..=6).map(|number| bound(Duration::from_millis(25), number).as_millis()).collect();
        assert_eq!(bounds, [25, 50, 100, 200, 250, 250]);
    }

    #[test]
    fn the_back_off_is_below_its_bound_and_reaches_zero() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let waits: Vec<_> = (0..2000).map(|_| back_off(Duration::from_millis(25), 2, &mut rng).as_millis()).collect();
        assert_eq!(waits.iter().max(), Some(&49));
        assert_eq!(waits.iter().min(), Some(&0));
    }
}
