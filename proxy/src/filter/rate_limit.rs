//! How many requests: a bucket that fills at a steady rate, without a lock.

mod limiter;
mod steps;

pub(crate) use limiter::{Described, Limiter, Taken};

use crate::policy::{Refill, TokenBucket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use steps::Steps;

/// A bucket of tokens. Full at the start; what comes in is computed when somebody takes, so nothing has to tick.
#[derive(Debug)]
pub(crate) struct Bucket {
    begun: Instant,
    /// Most that it holds.
    most: u32,
    fill: Fill,
}

#[derive(Debug)]
enum Fill {
    Evenly(Even),
    BySteps(Steps),
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(policy: &TokenBucket, now: Instant) -> Self {
        let fill = match policy.refill {
            Refill::Evenly => Fill::Evenly(Even::full(policy)),
            Refill::BySteps => Fill::BySteps(Steps::full(policy)),
        };
        Self { begun: now, most: policy.max_tokens, fill }
    }

    /// Most that it holds.
    pub(crate) fn most(&self) -> u64 {
        self.most.into()
    }

    /// Takes a token; false: there is none.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let at = self.at(now);
        match &self.fill {
            Fill::Evenly(even) => even.take(at),
            Fill::BySteps(steps) => steps.take(at),
        }
    }

    /// From now to when there is a token; nothing if there is one.
    pub(crate) fn next_in(&self, now: Instant) -> Duration {
        let at = self.at(now);
        Duration::from_nanos(match &self.fill {
            Fill::Evenly(even) => even.next_in(at),
            Fill::BySteps(steps) => steps.next_in(at),
        })
    }

    /// Tokens that are in it.
    pub(crate) fn left(&self, now: Instant) -> u64 {
        let at = self.at(now);
        match &self.fill {
            Fill::Evenly(even) => even.left(at),
            Fill::BySteps(steps) => steps.left(at),
        }
    }

    /// Nanoseconds since it was made.
    fn at(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A bucket into which tokens come one after the other.
#[derive(Debug)]
struct Even {
    /// Nanoseconds of one token.
    token: u64,
    /// Nanoseconds of a full bucket.
    full: u64,
    /// When the bucket would be full if nobody took any more, in nanoseconds since it began.
    full_at: AtomicU64,
}

impl Even {
    fn full(policy: &TokenBucket) -> Self {
        let interval = u64::try_from(policy.fill_interval.as_nanos()).unwrap_or(u64::MAX);
        let token = (interval / u64::from(policy.tokens_per_fill.max(1))).max(1);
        Self { token, full: token.saturating_mul(u64::from(policy.max_tokens)), full_at: AtomicU64::new(0) }
    }

    fn take(&self, now: u64) -> bool {
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let then = full_at.max(now).saturating_add(self.token);
            (then - now <= self.full).then_some(then)
        });
        taken.is_ok()
    }

    fn next_in(&self, now: u64) -> u64 {
        let filled = self.full_at.load(Ordering::Relaxed).saturating_add(self.token);
        filled.saturating_sub(now).saturating_sub(self.full)
    }

    fn left(&self, now: u64) -> u64 {
        self.full.saturating_sub(self.full_at.load(Ordering::Relaxed).saturating_sub(now)) / self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use proptest::prelude::*;

    fn limit(max_tokens: u32, tokens_per_fill: u32, fill_millis: u64) -> TokenBucket {
        let fill_interval = Duration::from_millis(fill_millis);
        TokenBucket { max_tokens, tokens_per_fill, fill_interval, refill: Refill::Evenly }
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

    #[test]
    fn by_steps_all_tokens_of_an_interval_come_at_its_end() {
        let start = now();
        let limit = TokenBucket { refill: Refill::BySteps, ..limit(3, 2, 1000) };
        let bucket = Bucket::full(&limit, start);
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!([0, 0, 0, 0, 999].map(|at| bucket.take(after(at))), [true, true, true, false, false]);
        assert_eq!(bucket.next_in(after(400)), Duration::from_millis(600));
        assert_eq!([1000, 1000, 1000, 2500].map(|at| bucket.take(after(at))), [true, true, false, true]);
        assert_eq!((bucket.left(after(2500)), bucket.left(after(60_000))), (1, 3));
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
