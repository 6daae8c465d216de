//! Whether a worker comes round: one that stands still serves nobody, and nothing else would tell.

use std::sync::atomic::{AtomicU64, Ordering};

/// Nanoseconds without a beat that are counted; as Envoy does.
const MISS: u64 = 200_000_000;

/// The same of long ones.
const LONG_MISS: u64 = 1_000_000_000;

/// What is known of one worker. It beats itself; anybody may look.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Nanoseconds of the monotonic clock; 0 before the first.
    last: AtomicU64,
    misses: AtomicU64,
    long_misses: AtomicU64,
}

impl Pulse {
    /// The worker has come round.
    pub(crate) fn beat(&self, now: u64) {
        let (misses, long_misses) = self.misses(now);
        self.misses.store(misses, Ordering::Relaxed);
        self.long_misses.store(long_misses, Ordering::Relaxed);
        self.last.store(now, Ordering::Relaxed);
    }

    /// How often it stood still, and how often for long; a time that is not over yet is among them.
    pub(crate) fn misses(&self, now: u64) -> (u64, u64) {
        let last = self.last.load(Ordering::Relaxed);
        let since = if last == 0 { 0 } else { now.saturating_sub(last) };
        let with = |count: &AtomicU64, limit| count.load(Ordering::Relaxed) + u64::from(since >= limit);
        (with(&self.misses, MISS), with(&self.long_misses, LONG_MISS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_stands_still_is_counted_once_while_it_does_and_afterwards() {
        let (pulse, ms) = (Pulse::default(), 1_000_000);
        assert_eq!(pulse.misses(9_000 * ms), (0, 0), "it has not begun");
        pulse.beat(1_000 * ms);
        pulse.beat(1_100 * ms);
        assert_eq!(pulse.misses(1_299 * ms), (0, 0));
        assert_eq!(pulse.misses(1_300 * ms), (1, 0));
        assert_eq!(pulse.misses(2_100 * ms), (1, 1));
        pulse.beat(2_100 * ms);
        assert_eq!(pulse.misses(2_200 * ms), (1, 1));
    }
}
