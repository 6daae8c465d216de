//! A bucket that is filled by steps, as a timer would, without a timer and without a lock.

use crate::policy::TokenBucket;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bucket that is filled at the end of each interval.
#[derive(Debug)]
pub(super) struct Steps {
    /// Nanoseconds of an interval.
    interval: u64,
    per_fill: u64,
    most: u32,
    /// How many intervals have been counted, in the upper half, and how many tokens were in it then.
    state: AtomicU64,
}

impl Steps {
    /// A full one.
    pub(super) fn full(policy: &TokenBucket) -> Self {
        Self {
            interval: u64::try_from(policy.fill_interval.as_nanos()).unwrap_or(u64::MAX).max(1),
            per_fill: u64::from(policy.tokens_per_fill),
            most: policy.max_tokens,
            state: AtomicU64::new(u64::from(policy.max_tokens)),
        }
    }

    /// Takes a token, so many nanoseconds after the bucket was made; false: there is none.
    pub(super) fn take(&self, at: u64) -> bool {
        let taken = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
            let (fills, tokens) = self.filled(state, at);
            Some(fills << 32 | u64::from(tokens.checked_sub(1)?))
        });
        taken.is_ok()
    }

    /// Tokens that are in it.
    pub(super) fn left(&self, at: u64) -> u64 {
        u64::from(self.filled(self.state.load(Ordering::Relaxed), at).1)
    }

    /// Nanoseconds to the next token; 0 if there is one.
    pub(super) fn next_in(&self, at: u64) -> u64 {
        if self.left(at) > 0 { 0 } else { self.interval - at % self.interval }
    }

    /// Intervals that are over, and tokens with what they have brought.
    fn filled(&self, state: u64, at: u64) -> (u64, u32) {
        let (counted, tokens) = (state >> 32, state & u64::from(u32::MAX));
        // More of them than fit would take centuries, unless the clock was set.
        let over = (at / self.interval).clamp(counted, u64::from(u32::MAX).max(counted));
        let come = (over - counted).saturating_mul(self.per_fill);
        let tokens = tokens.saturating_add(come).min(u64::from(self.most));
        (over, u32::try_from(tokens).unwrap_or(u32::MAX))
    }
}
