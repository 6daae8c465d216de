//! How fast an answer flows: slice by slice, so many a second. Pure.

use bytes::BytesMut;
use std::time::{Duration, Instant};

/// Slices of a second.
const SLICES: u32 = 20;

/// A bound of how fast an answer flows, and what of it waits for its turn.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes of a slice.
    bytes: usize,
    /// Slices that may go: one at first, those of a second at most.
    allowed: f64,
    /// When so many might; none ahead of the first byte.
    at: Option<Instant>,
    waiting: BytesMut,
}

impl Pace {
    /// So many KiB a second.
    pub(crate) fn new(kib_per_second: u64) -> Self {
        let bytes = kib_per_second.saturating_mul(1024) / u64::from(SLICES);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
        Self { bytes, allowed: 1.0, at: None, waiting: BytesMut::new() }
    }

    /// Takes bytes that have come.
    pub(crate) fn hold(&mut self, payload: &[u8]) {
        self.waiting.extend_from_slice(payload);
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What may go by now.
    pub(crate) fn next(&mut self, now: Instant) -> BytesMut {
        let since = self.at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.allowed = (self.allowed + since.as_secs_f64() * f64::from(SLICES)).min(f64::from(SLICES));
        let slices = self.waiting.len().div_ceil(self.bytes).min(self.allowed as usize);
        self.allowed -= slices as f64;
        let bytes = slices.saturating_mul(self.bytes).min(self.waiting.len());
        self.waiting.split_to(bytes)
    }

    /// When more may go.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        let missing = (1.0 - self.allowed).max(0.0) / f64::from(SLICES);
        self.at.map_or(now, |at| at + Duration::from_millis((missing * 1000.0).ceil() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_goes_at_once_and_the_next_one_in_its_turn() {
        #[allow(clippy::disallowed_methods, reason = "any moment will do")]
        let begin = Instant::now();
        let after = |millis| begin + Duration::from_millis(millis);
        let mut pace = Pace::new(1);
        pace.hold(&[0; 130]);
        assert_eq!((pace.due(begin), pace.next(begin).len()), (begin, 51));
        assert_eq!(pace.due(after(10)), after(50));
        assert_eq!((pace.next(after(40)).len(), pace.due(after(40))), (0, after(50)));
        assert_eq!((pace.next(after(51)).len(), pace.is_empty()), (51, false));
        assert_eq!((pace.next(after(101)).len(), pace.is_empty()), (28, true));
    }

    #[test]
    fn after_a_lull_those_of_a_second_go_at_once() {
        #[allow(clippy::disallowed_methods, reason = "any moment will do")]
        let begin = Instant::now();
        let mut pace = Pace::new(1);
        pace.hold(&[0; 51]);
        assert_eq!(pace.next(begin).len(), 51);
        pace.hold(&[0; 5000]);
        assert_eq!(pace.next(begin + Duration::from_secs(60)).len(), 20 * 51);
        assert_eq!(Pace::new(u64::MAX).next(begin).len(), 0);
    }
}
