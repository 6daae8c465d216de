//! The last answer to a health check from ahead, for as long as it holds. Pure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bits of a status.
const STATUS: u32 = 16;

/// What the upstream has said of its health last.
#[derive(Debug)]
pub(crate) struct LastCheck {
    begun: Instant,
    /// The status, whether it said that it is degraded, and above them until which millisecond that holds.
    known: AtomicU64,
}

/// What is answered in place of the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub status: u16,
    pub degraded: bool,
}

impl LastCheck {
    /// Nothing is known yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self { begun: now, known: AtomicU64::new(0) }
    }

    /// What was said last, if it still holds.
    pub(crate) fn known(&self, now: Instant) -> Option<Known> {
        let known = self.known.load(Ordering::Relaxed);
        let holds = self.millis(now) < known >> (STATUS + 1);
        holds.then_some(Known { status: known as u16, degraded: known >> STATUS & 1 == 1 })
    }

    /// Keeps what was said for so long, unless something holds still.
    pub(crate) fn keep(&self, said: Known, holds: Duration, now: Instant) {
        if self.known(now).is_none() {
            let until = self.millis(now + holds) << (STATUS + 1);
            let known = u64::from(said.status) | u64::from(said.degraded) << STATUS | until;
            self.known.store(known, Ordering::Relaxed);
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.begun).as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn an_answer_holds_for_its_time_and_not_longer() {
        let begun = now();
        let last = LastCheck::new(begun);
        assert_eq!(last.known(begun), None);
        let said = Known { status: 503, degraded: true };
        let second = Duration::from_secs(1);
        last.keep(said, second, begun);
        assert_eq!(last.known(begun + second / 2), Some(said));
        assert_eq!(last.known(begun + second), None);
        last.keep(Known { status: 200, degraded: false }, second, begun + second);
        assert_eq!(last.known(begun + second).map(|known| known.status), Some(200));
    }
}
