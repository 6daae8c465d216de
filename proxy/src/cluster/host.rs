//! One endpoint as all workers see it.

use crate::health::outlier::{Counters, Standing};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An endpoint of a cluster. Survives reloads for as long as it is listed.
#[derive(Debug)]
pub(crate) struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    /// A number that no other endpoint of this process has.
    pub id: u64,
    /// Failures in a row, and whether it is out for them.
    pub counters: Counters,
    active: AtomicU32,
    ready: AtomicBool,
    failed_check: AtomicBool,
    /// Touched by the control task alone.
    standing: Mutex<Standing>,
    /// Requests sent to it.
    pub requests: AtomicU64,
}

/// A request under way at an endpoint; over when dropped.
#[derive(Debug)]
pub(crate) struct Active(Arc<Host>);

impl Host {
    /// An endpoint that nothing is known of.
    pub(crate) fn new(address: SocketAddr, ready: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            address,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            counters: Counters::default(),
            active: AtomicU32::new(0),
            ready: AtomicBool::new(ready),
            failed_check: AtomicBool::new(false),
            standing: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// Ready by its endpoints, not ejected, and not failing its active check.
    pub(crate) fn is_healthy(&self) -> bool {
        self.ready.load(Ordering::Relaxed) && !self.counters.is_ejected() && !self.failed_check.load(Ordering::Relaxed)
    }

    /// Ready by its endpoints.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Failing its active check.
    pub(crate) fn fails_check(&self) -> bool {
        self.failed_check.load(Ordering::Relaxed)
    }

    /// What its endpoints say now.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// What its active check says now.
    pub(crate) fn set_failed_check(&self, failed: bool) {
        self.failed_check.store(failed, Ordering::Relaxed);
    }

    /// Requests under way.
    pub(crate) fn active(&self) -> u32 {
        self.active.load(Ordering::Relaxed)
    }

    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Active(Arc::clone(self))
    }

    /// Its record of ejections.
    pub(crate) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
