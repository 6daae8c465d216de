//! What is under way in a cluster, over all workers: the counts that circuit breakers compare.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Open connections, those being opened included.
    pub connections: AtomicU32,
    /// Requests that wait for a connection.
    pub pending: AtomicU32,
    /// Requests on a connection.
    pub requests: AtomicU32,
    /// Retries under way.
    pub retries: AtomicU32,
}

/// A place in one of the counts; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    load: Arc<Load>,
    /// Of the endpoint itself, where limits hold for each.
    own: Option<Arc<Load>>,
    count: fn(&Load) -> &AtomicU32,
}

impl Load {
    /// Takes a place unless `limit` are taken. Two workers at once may exceed the limit by one for a moment, as in Envoy.
    pub(crate) fn take(self: &Arc<Self>, count: fn(&Self) -> &AtomicU32, limit: u32) -> Option<Slot> {
        if count(self).load(Ordering::Relaxed) >= limit {
            return None;
        }
        count(self).fetch_add(1, Ordering::Relaxed);
        Some(Slot { load: Arc::clone(self), own: None, count })
    }
}

impl Slot {
    /// The same place in the endpoint's own count besides, unless `limit` are taken there.
    pub(super) fn also(mut self, own: &Arc<Load>, limit: u32) -> Option<Self> {
        let count = (self.count)(own);
        if count.load(Ordering::Relaxed) >= limit {
            return None;
        }
        count.fetch_add(1, Ordering::Relaxed);
        self.own = Some(Arc::clone(own));
        Some(self)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        for load in self.own.iter().chain([&self.load]) {
            (self.count)(load).fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_refused_at_the_limit_and_free_again_when_given_back() {
        let load = Arc::new(Load::default());
        let first = load.take(|load| &load.pending, 1);
        assert!(first.is_some());
        assert!(load.take(|load| &load.pending, 1).is_none());
        assert!(load.take(|load| &load.requests, 1).is_some());
        drop(first);
        assert!(load.take(|load| &load.pending, 1).is_some());
    }

    #[test]
    fn a_place_in_two_counts_is_given_back_in_both_and_taken_in_none_if_one_is_full() {
        let (all, own) = (Arc::new(Load::default()), Arc::new(Load::default()));
        let take = || all.take(|load| &load.requests, u32::MAX).and_then(|slot| slot.also(&own, 1));
        let first = take();
        assert!(first.is_some() && take().is_none());
        let counts = || (all.requests.load(Ordering::Relaxed), own.requests.load(Ordering::Relaxed));
        assert_eq!(counts(), (1, 1));
        drop(first);
        assert_eq!(counts(), (0, 0));
    }
}
