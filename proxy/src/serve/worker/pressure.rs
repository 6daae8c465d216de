//! How near the process is to its limit of memory, and what follows from it: connections end, then requests are refused, before the kernel
//! ends the process.

use std::sync::atomic::{AtomicU64, Ordering};

/// From here on answers are the last of their connections, per mille.
const ENDS_KEEP_ALIVE: u64 = 900;

/// From here on requests are refused, per mille.
const REFUSES: u64 = 950;

/// The share of its limit that the process holds.
#[derive(Debug, Default)]
pub(crate) struct Pressure(AtomicU64);

impl Pressure {
    /// So many bytes are held of so many.
    pub(crate) fn set(&self, held: u64, most: u64) {
        self.0.store(held.saturating_mul(1000) / most.max(1), Ordering::Relaxed);
    }

    /// True if answers are the last of their connections.
    pub(crate) fn ends_keep_alive(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= ENDS_KEEP_ALIVE
    }

    /// True if requests are refused.
    pub(crate) fn refuses(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= REFUSES
    }

    /// In per cent.
    pub(crate) fn percent(&self) -> u64 {
        self.0.load(Ordering::Relaxed) / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_end_before_requests_are_refused() {
        let pressure = Pressure::default();
        for (held, ends, refuses) in [(0, false, false), (899, false, false), (900, true, false), (950, true, true)] {
            pressure.set(held, 1000);
            assert_eq!((pressure.ends_keep_alive(), pressure.refuses()), (ends, refuses), "{held}");
        }
        pressure.set(u64::MAX, 0);
        assert!(pressure.refuses());
    }
}
