//! How many arms run side by side: as many as the processor carries without disturbing one another.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Share of the processors that arms may use together, so that the generators' timers stay exact.
const SHARE: f64 = 0.6;

/// Most arms at once by default, however idle the machine.
const MOST: u32 = 4;

/// Hands out processor time to arms.
#[derive(Debug)]
pub(super) struct Budget {
    processors: f64,
    most: u32,
    /// Processor time of one request over all our processes.
    cost: Duration,
    used: Mutex<Used>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Used {
    processors: f64,
    arms: u32,
}

/// A share of the budget, given back when dropped.
#[must_use = "dropping the share gives it back"]
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    processors: f64,
}

impl Budget {
    /// A budget over so many cores; `jobs` overrides the number of arms, not what the cores carry.
    pub(super) fn new(cores: u32, jobs: Option<u32>, cost: Duration) -> Self {
        Self {
            processors: SHARE * f64::from(cores),
            most: jobs.unwrap_or(MOST),
            cost,
            used: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits until an arm of this peak rate (requests a second) fits in. An arm that is too large for any budget runs alone.
    pub(super) fn take(&self, peak_rate: f64) -> Share<'_> {
        let wanted = (peak_rate * self.cost.as_secs_f64()).min(self.processors);
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |used: &Used| used.arms < self.most && used.processors + wanted <= self.processors + 1e-9;
        let mut used = self.freed.wait_while(used, |used| !fits(used)).unwrap_or_else(PoisonError::into_inner);
        used.arms += 1;
        used.processors += wanted;
        Share { budget: self, processors: wanted }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.arms -= 1;
        used.processors -= self.processors;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const COST: Duration = Duration::from_micros(300);

    /// The most arms that were ever running at once.
    fn most_at_once(budget: &Budget, rate: f64) -> u32 {
        let (running, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _share = budget.take(rate);
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    (0..100).for_each(|_| std::thread::yield_now());
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        most.into_inner()
    }

    #[test]
    fn arms_share_the_processors_and_a_large_one_runs_alone() {
        assert!(most_at_once(&Budget::new(2, None, COST), 100.0) <= 4);
        assert!(most_at_once(&Budget::new(2, None, COST), 1_300.0) <= 3);
        assert_eq!(most_at_once(&Budget::new(2, None, COST), 50_000.0), 1);
        assert_eq!(most_at_once(&Budget::new(64, Some(1), COST), 1.0), 1);
    }
}
