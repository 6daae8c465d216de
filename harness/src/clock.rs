//! Time, from one place: nanoseconds of `CLOCK_MONOTONIC`, which all processes of a machine share.

mod slice;
mod timer;

pub use slice::shortest_slices;
pub use timer::{Lag, Timer, bare_timer_lag, precise_thread};

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// An instant of `CLOCK_MONOTONIC`, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(pub u64);

impl Nanos {
    /// So much later.
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Time since `earlier`, 0 if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Now.
pub fn now() -> Nanos {
    // The clock exists on every Linux; there is no error that a caller could act upon.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or(nix::sys::time::TimeSpec::new(0, 0));
    Nanos(now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64)
}
