//! How many requests: a bucket that fills at a steady rate, without a lock.

use crate::policy::RateLimit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A bucket of tokens. Full at the start; what comes in is computed when somebody takes, so nothing has to tick.
#[derive(Debug)]
pub(crate) struct Bucket {
    begun: Instant,
    /// Nanoseconds of one token.
    token: u64,
    /// Nanoseconds of a full bucket.
    full: u64,
    /// When the bucket would be full if nobody took any more, in nanoseconds since it began.
    full_at: AtomicU64,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(limit: &RateLimit, now: Instant) -> Self {
        let interval = u64::try_from(limit.fill_interval.as_nanos()).unwrap_or(u64::MAX);
        let token = (interval / u64::from(limit.tokens_per_fill.max(1))).max(1);
        Self { begun: now, token, full: token.saturating_mul(u64::from(limit.max_tokens)), full_at: AtomicU64::new(0) }
    }

    /// Takes a token; false: there is none.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let now = u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let then = full_at.max(now).saturating_add(self.token);
            (then - now <= self.full).then_some(then)
        });
        taken.is_ok()
    }

    /// From now to when there is a token more.
    pub(crate) fn next_in(&self, now: Instant) -> Duration {
        let now = u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        let missing = self.full_at.load(Ordering::Relaxed).saturating_sub(now) % self.token;
        Duration::from_nanos(if missing == 0 { self.token } else { missing })
    }

    /// Tokens that are in it.
    pub(crate) fn left(&self, now: Instant) -> u64 {
        let now = u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        self.full.saturating_sub(self.full_at.load(Ordering::Relaxed).saturating_sub(now)) / self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::policy::Fraction;
    use proptest::prelude::*;

    fn limit(max_tokens: u32, tokens_per_fill: u32, fill_millis: u64) -> RateLimit {
        RateLimit {
            stat_prefix: "limit".to_owned(),
            max_tokens,
            tokens_per_fill,
            fill_interval: Duration::from_millis(fill_millis),
            enabled: Fraction::ALL,
            enforced: Fraction::ALL,
            status: 429,
            response_headers: Vec::new(),
            per_connection: false,
            grpc_resource_exhausted: false,
            rate_limit_headers: false,
        }
    }

    #[test]
    fn a_bucket_begins_full_and_fills_evenly_not_by_steps() {
        let start = now();
        let bucket = Bucket::full(&limit(3, 10, 1000), start);
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!([0, 0, 0, 0].map(|at| bucket.take(after(at))), [true, true, true, false]);
        assert_eq!([99, 100, 150, 200].map(|at| bucket.take(after(at))), [false, true, false, true]);
        assert_eq!(bucket.left(after(10_000)), 3);
    }

    proptest! {
        #[test]
        fn never_more_than_a_full_bucket_and_what_has_come_in_since(
            steps in proptest::collection::vec(0_u64..300, 1..200),
            most in 1_u32..20,
        ) {
            let start = now();
            let bucket = Bucket::full(&limit(most, 1, 100), start);
            let (mut now, mut taken) = (start, 0_u64);
            for step in steps {
                now += Duration::from_millis(step);
                taken += u64::from(bucket.take(now));
                let come_in = (now - start).as_millis() as u64 / 100;
                prop_assert!(taken <= u64::from(most) + come_in);
            }
        }
    }
}
