//! When changes of endpoints' health reach the balancer: the first at once, those that follow closely together later. Pure.

use std::time::{Duration, Instant};

/// What is known of the changes of one cluster.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Merging {
    /// When the balancer was told last.
    told: Option<Instant>,
    /// When it is told of what waits.
    due: Option<Instant>,
}

impl Merging {
    /// Something has changed. True: the balancer is to be told now.
    pub(crate) fn changed(&mut self, now: Instant, window: Option<Duration>) -> bool {
        let Some(window) = window else { return true };
        if self.told.is_some_and(|told| now.saturating_duration_since(told) <= window) {
            self.due = self.due.or(Some(now + window));
            return false;
        }
        *self = Self { told: Some(now), due: None };
        true
    }

    /// True if what waits is to be told now.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        *self = Self { told: Some(now), due: None };
        true
    }

    /// The balancer was told of everything, for another reason.
    pub(crate) fn told(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn the_first_change_is_told_at_once_and_those_close_behind_it_together() {
        let start = now();
        let at = |millis| start + Duration::from_millis(millis);
        let window = Some(Duration::from_secs(1));
        let mut merging = Merging::default();
        assert!(merging.changed(at(0), window));
        assert!(!merging.changed(at(300), window));
        assert!(!merging.changed(at(900), window));
        assert!(!merging.is_due(at(1299)));
        assert!(merging.is_due(at(1300)), "a window after the first that waits");
        assert!(!merging.is_due(at(1301)), "nothing waits any more");
        assert!(!merging.changed(at(2300), window), "that counts as told");
        assert!(merging.changed(at(5000), window), "what waits is told with it");
        assert!(!merging.is_due(at(9000)));
    }

    #[test]
    fn without_a_window_every_change_is_told_at_once() {
        let mut merging = Merging::default();
        assert!(merging.changed(now(), None) && merging.changed(now(), None));
        assert!(!merging.is_due(now() + Duration::from_secs(9)));
    }

    #[test]
    fn what_was_told_anyway_does_not_wait() {
        let (start, window) = (now(), Some(Duration::from_secs(1)));
        let mut merging = Merging::default();
        assert!(merging.changed(start, window) && !merging.changed(start, window));
        merging.told();
        assert!(!merging.is_due(start + Duration::from_secs(9)));
    }
}
