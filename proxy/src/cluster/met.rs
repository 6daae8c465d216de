//! Endpoints that nobody lists: where clients were going.

use super::{Host, Member};
use crate::policy::Endpoint;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often those are forgotten that nobody has gone to meanwhile.
const CLEANUP: Duration = Duration::from_secs(5);

/// All that a cluster has met and not forgotten.
#[derive(Debug, Default)]
pub(super) struct Met {
    endpoints: HashMap<SocketAddr, Known>,
    cleaned: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    member: Arc<Member>,
    /// Somebody has gone there since the last cleanup.
    used: bool,
}

impl Met {
    /// The endpoint at an address, met for the first time or again.
    pub(super) fn meet(&mut self, address: SocketAddr, now: Instant) -> Arc<Member> {
        let known = self.endpoints.entry(address).or_insert_with(|| {
            let (host, endpoint) = (Arc::new(Host::new(now)), Endpoint::at(address));
            let member = Arc::new(Member { host, endpoint, priority: 0, locality: 0, leaving: false });
            Known { member, used: true }
        });
        known.used = true;
        Arc::clone(&known.member)
    }

    /// The numbers of all, once those are forgotten that nobody goes to and nobody has a connection to.
    pub(super) fn tidied(&mut self, now: Instant) -> impl Iterator<Item = u64> {
        let due = self.cleaned.is_none_or(|cleaned| now.duration_since(cleaned) >= CLEANUP);
        if due {
            self.cleaned = Some(now);
            self.endpoints.retain(|_, known| std::mem::take(&mut known.used) || known.is_held());
        }
        self.endpoints.values().map(|known| known.member.host.id)
    }
}

impl Known {
    /// True while a pool, a request or a connection holds it.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.member) > 1 || Arc::strong_count(&self.member.host) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_nobody_goes_to_and_nobody_holds_is_forgotten_at_the_second_cleanup() {
        let begin = crate::clock::now();
        let address = |port| SocketAddr::from(([10, 0, 0, 1], port));
        let mut met = Met::default();
        let tidied = |met: &mut Met, seconds| met.tidied(begin + Duration::from_secs(seconds)).count();
        assert_eq!(tidied(&mut met, 0), 0);
        let first = met.meet(address(1), begin).host.id;
        let held = Arc::clone(&met.meet(address(2), begin).host);
        assert_eq!(met.meet(address(1), begin).host.id, first, "it is known");
        // Used until then; then used no more; in between nothing is due.
        assert_eq!([4, 5, 9, 10, 15].map(|at| tidied(&mut met, at)), [2, 2, 2, 1, 1]);
        drop(held);
        assert_eq!([19, 20].map(|at| tidied(&mut met, at)), [1, 0]);
        assert_ne!(met.meet(address(1), begin).host.id, first, "it is met anew");
    }
}
