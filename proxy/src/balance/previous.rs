//! Priorities that a request has been at: after so many tries the next goes elsewhere.

use super::loads::Priorities;

/// What one request has tried so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Previous {
    /// How many tries it takes until their priorities are left out; at least 1.
    every: u32,
    tried: u32,
    seen: Priorities,
    left_out: Priorities,
}

impl Previous {
    /// Nothing yet, by `RetryPolicy::previous_priorities`.
    pub(crate) fn new(every: u32) -> Self {
        Self { every: every.max(1), tried: 0, seen: Priorities::NONE, left_out: Priorities::NONE }
    }

    /// A try went to an endpoint of this priority.
    pub(crate) fn tried(&mut self, priority: u32) {
        self.tried += 1;
        self.seen = self.seen.with(priority);
    }

    /// Priorities that the next pick leaves out. `is_left` says whether anything is available outside of a set: if not, all begins anew.
    pub(crate) fn left_out(&mut self, is_left: impl FnOnce(Priorities) -> bool) -> Priorities {
        if self.tried >= self.every && self.tried.is_multiple_of(self.every) {
            self.left_out = self.left_out.and(self.seen);
            if !is_left(self.left_out) {
                *self = Self::new(self.every);
            }
        }
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Priorities = Priorities::NONE;

    #[test]
    fn priorities_are_left_out_after_every_so_many_tries() {
        let mut previous = Previous::new(2);
        let mut then = |priority: u32| {
            previous.tried(priority);
            previous.left_out(|_| true)
        };
        let (first, both) = (NONE.with(0), NONE.with(0).with(1));
        assert_eq!([then(0), then(0), then(1), then(1), then(2)], [NONE, first, first, both, both]);
    }

    #[test]
    fn when_nothing_is_left_all_begins_anew() {
        let mut previous = Previous::new(1);
        let is_left = |left_out: Priorities| !(left_out.has(0) && left_out.has(1));
        let mut then = |priority: u32| {
            previous.tried(priority);
            previous.left_out(is_left)
        };
        assert_eq!([then(0), then(1), then(0)], [NONE.with(0), NONE, NONE.with(0)]);
    }
}
