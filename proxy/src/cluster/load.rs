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
    count: fn(&Load) -> &AtomicU32,
}

impl Load {
    /// Takes a place unless `limit` are taken. Two workers at once may exceed the limit by one for a moment, as in Envoy.
    pub(crate) fn take(self: &Arc<Self>, count: fn(&Self) -> &AtomicU32, limit: u32) -> Option<Slot> {
        if count(self).load(Ordering::Relaxed) >= limit {
            return None;
        }
        count(self).fetch_add(1, Ordering::Relaxed);
        Some(Slot { load: Arc::clone(self), count })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        (self.count)(&self.load).fetch_sub(1, Ordering::Relaxed);
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
}
