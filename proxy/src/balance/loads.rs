//! How load is dealt over priorities, and which of them panic.

use crate::policy::Cluster;

/// Endpoints of one priority, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// All, whatever their health.
    pub total: u32,
    /// Those that do not count.
    pub excluded: u32,
    /// Those that may be used.
    pub healthy: u32,
    /// Those that get what healthy ones cannot take.
    pub degraded: u32,
}

/// Which endpoints of a priority a pick is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    /// Healthy ones.
    Healthy,
    /// Degraded ones.
    Degraded,
}

/// A set of priorities, the first 128 of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Priorities(u128);

impl Priorities {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// With one more.
    pub(crate) fn with(self, priority: u32) -> Self {
        Self(self.0 | 1_u128.checked_shl(priority).unwrap_or(0))
    }

    /// With all of another set.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if it is in.
    pub(crate) fn has(self, priority: u32) -> bool {
        self.0 & 1_u128.checked_shl(priority).unwrap_or(0) != 0
    }
}

/// Load of each priority, in parts of what all are worth together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loads {
    priorities: Vec<Load>,
    /// Nobody is left but those in panic: load goes by how many endpoints there are.
    all_panic: bool,
    /// Where all load goes to one place, that: most clusters are well.
    sole: Option<(usize, Availability)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Load {
    total: u32,
    /// What healthy endpoints can take, in percent; at most 100.
    healthy: u32,
    /// What degraded ones can.
    degraded: u32,
    panics: bool,
}

impl Loads {
    /// Of endpoints by priority, by the cluster's overprovisioning and panic threshold.
    pub(super) fn new(counts: &[Counts], cluster: &Cluster) -> Self {
        let mut priorities: Vec<_> = counts.iter().map(|counts| counts.load(cluster.overprovisioning)).collect();
        let available: u32 = priorities.iter().map(|load| load.healthy + load.degraded).sum();
        // Whole percents, as Envoy reads them.
        let threshold = (cluster.panic_percent as u32).min(100);
        if available < 100 && threshold > 0 {
            for (load, counts) in priorities.iter_mut().zip(counts) {
                load.panics = counts.usable_percent() < f64::from(threshold);
            }
        }
        let all_panic = !priorities.is_empty() && priorities.iter().all(|load| load.panics);
        let mut loads = Self { priorities, all_panic, sole: None };
        // Draws are dealt in order, so what lies between the first and the last is theirs too.
        let (first, last) = (loads.choose(0, Priorities::NONE), loads.choose(99, Priorities::NONE));
        loads.sole = (first == last).then_some(first);
        loads
    }

    /// True if all endpoints of the priority are used, whatever their health.
    pub(super) fn panics(&self, priority: usize) -> bool {
        self.priorities.get(priority).is_some_and(|load| load.panics)
    }

    /// The priority that a number leads to, but for those that are left out; if there is no other that can take any, as if none were.
    pub(super) fn choose(&self, number: u64, left_out: Priorities) -> (usize, Availability) {
        let draw = (number % 100 + 1) as u32;
        if left_out != Priorities::NONE && self.is_left(left_out) {
            let left = |at: usize, load: &Load| {
                if left_out.has(at as u32) { (0, 0) } else { (load.healthy, load.degraded) }
            };
            return self.walk(draw, 100, left);
        }
        if let Some(sole) = self.sole {
            return sole;
        }
        if self.all_panic {
            self.walk(draw, u64::MAX, |_, load| (load.total, 0))
        } else {
            self.walk(draw, 100, |_, load| (load.healthy, load.degraded))
        }
    }

    /// True if anything is available outside of these.
    pub(super) fn is_left(&self, left_out: Priorities) -> bool {
        let mut rest = self.priorities.iter().enumerate().filter(|(at, _)| !left_out.has(*at as u32));
        rest.any(|(_, load)| load.healthy + load.degraded > 0)
    }

    /// Deals 100 from the first priority on, to healthy endpoints first, and stops where the draw falls. Who is worth `most` gets all.
    /// What rounding leaves over is the first's that is worth anything. If nobody is, the first priority is asked, and has nobody.
    fn walk(&self, draw: u32, most: u64, worth: impl Fn(usize, &Load) -> (u32, u32)) -> (usize, Availability) {
        let parts = || {
            let of = |availability| self.priorities.iter().enumerate().map(move |(at, load)| (at, availability, load));
            of(Availability::Healthy).chain(of(Availability::Degraded)).map(|(at, availability, load)| {
                let (healthy, degraded) = worth(at, load);
                (at, availability, if availability == Availability::Healthy { healthy } else { degraded })
            })
        };
        let sum: u64 = parts().map(|(_, _, worth)| u64::from(worth)).sum();
        let whole = sum.min(most);
        let share = |worth: u32, left: u32| (u64::from(worth) * 100 / whole.max(1)).min(u64::from(left)) as u32;
        let rest = parts().fold(100, |left, (_, _, worth)| left - share(worth, left));
        let (mut left, mut passed, mut rest) = (100, 0, rest);
        for (at, availability, worth) in parts().filter(|(_, _, worth)| *worth > 0) {
            let dealt = share(worth, left);
            left -= dealt;
            passed += dealt + std::mem::take(&mut rest);
            if draw <= passed {
                return (at, availability);
            }
        }
        (0, Availability::Healthy)
    }
}

impl Counts {
    fn load(self, overprovisioning: u32) -> Load {
        let counted = self.total - self.excluded;
        let percent = |some: u32| {
            let percent = u64::from(overprovisioning) * u64::from(some) / u64::from(counted.max(1));
            percent.min(100) as u32
        };
        Load { total: self.total, healthy: percent(self.healthy), degraded: percent(self.degraded), panics: false }
    }

    fn usable_percent(self) -> f64 {
        let counted = f64::from((self.total - self.excluded).max(1));
        100.0 * f64::from(self.healthy) / counted + 100.0 * f64::from(self.degraded) / counted
    }
}

#[cfg(test)]
mod tests;
