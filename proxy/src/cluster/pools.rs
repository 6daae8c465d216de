//! All pools of one worker, by endpoint and by how it is spoken to.

use super::pool::HostPool;
use super::{Host, PoolKey};
use crate::clock::now;
use crate::telemetry::metrics::{ClusterStats, Worker};
use foldhash::HashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// All pools of one worker.
pub(crate) struct Pools {
    /// Whose numbers count what happens to them.
    pub(super) shard: Worker,
    hosts: RefCell<HashMap<u64, HostPools>>,
}

type HostPools = Vec<(PoolKey, Rc<HostPool>)>;

/// How long connections to an endpoint may idle and live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    /// Without a request.
    pub idle: Option<Duration>,
    /// At all.
    pub age: Option<Duration>,
}

impl Pools {
    /// None yet.
    pub(crate) fn new(shard: Worker) -> Self {
        Self { shard, hosts: RefCell::default() }
    }

    /// The pool for an endpoint and a way of speaking to it.
    pub(super) fn of(&self, host: &Arc<Host>, key: &PoolKey, stats: &Arc<ClusterStats>) -> Rc<HostPool> {
        let mut hosts = self.hosts.borrow_mut();
        let pools = hosts.entry(host.id).or_default();
        if let Some((_, pool)) = pools.iter().find(|(known, _)| known == key) {
            return Rc::clone(pool);
        }
        let pool = Rc::new(HostPool::new(Arc::clone(host), Arc::clone(stats), self.shard));
        pools.push((key.clone(), Rc::clone(&pool)));
        pool
    }

    /// Pools of an endpoint that have connections.
    pub(super) fn in_use(&self, host: &Host) -> usize {
        let hosts = self.hosts.borrow();
        hosts.get(&host.id).into_iter().flatten().filter(|(_, pool)| !pool.is_empty()).count()
    }

    /// Closes connections that have idled or lived too long, or whose peer has closed, and all that idle at endpoints that are no longer
    /// listed; forgets pools that nobody uses.
    pub(crate) fn tidy(&self, listed: impl Fn(u64) -> Option<Lifetime>) {
        self.hosts.borrow_mut().retain(|id, pools| {
            let lifetime = listed(*id);
            pools.retain(|(_, pool)| {
                match lifetime {
                    Some(lifetime) => pool.tidy(now(), lifetime),
                    None => pool.drain(),
                }
                pool.is_used()
            });
            !pools.is_empty()
        });
    }

    /// Closes what idles at an endpoint, and takes nothing more from the rest.
    pub(crate) fn close(&self, host: u64) {
        for (_, pool) in self.hosts.borrow().get(&host).into_iter().flatten() {
            pool.close(now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ConnectError;
    use crate::net::server_name;
    use crate::policy::{Priority, ProtocolChoice};
    use crate::telemetry::metrics::Registry;

    #[test]
    fn pools_that_nobody_uses_are_forgotten_whatever_name_they_were_for() {
        let pools = Pools::new(Worker::CONTROL);
        let (host, stats) = (Arc::new(Host::new(now())), Registry::new(1).cluster("cart"));
        let of = |name: &str| {
            let (protocol, priority) = (ProtocolChoice::Http1, Priority::Default);
            pools.of(&host, &PoolKey { protocol, server_name: server_name(name), priority }, &stats)
        };
        let known = || pools.hosts.borrow().get(&host.id).map_or(0, Vec::len);
        let lifetime = Lifetime { idle: None, age: None };
        (0..1000).for_each(|number| drop(of(&format!("{number}.example"))));
        let (open, held) = (of("open.example"), of("held.example"));
        open.opening();
        drop(open);
        assert_eq!(known(), 1002);
        pools.tidy(|_| Some(lifetime));
        assert_eq!((known(), pools.in_use(&host)), (2, 1));
        of("open.example").failed(&ConnectError::Timeout);
        drop(held);
        pools.tidy(|_| Some(lifetime));
        assert!(pools.hosts.borrow().is_empty());
    }
}
