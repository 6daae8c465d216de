//! Numbers of a local rate limit.

use super::names::{Name, Set, names};
use super::sample::{Sample, Scope};
use super::shards::{Shards, Worker};

names! {
    /// What is counted of a local rate limit.
    RateLimitCounter {
        Enabled = "enabled",
        Enforced = "enforced",
        RateLimited = "rate_limited",
        Ok = "ok",
    }
}

/// Everything that is counted of a local rate limit.
#[derive(Debug)]
pub(crate) struct RateLimitStats {
    shards: Shards<Set<RateLimitCounter>>,
}

impl RateLimitStats {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self { shards: Shards::new(workers) }
    }

    /// Counts one.
    pub(crate) fn count(&self, worker: Worker, counter: RateLimitCounter) {
        self.shards.of(worker).of(counter).add(1);
    }

    /// Adds everything up.
    pub(super) fn samples(&self, prefix: &str, samples: &mut Vec<Sample>) {
        let mut scope = Scope::behind(samples, "http_local_rate_limit", prefix, "envoy_local_http_ratelimit_prefix");
        for counter in RateLimitCounter::ALL {
            scope.counter(counter.text(), self.shards.iter().map(|shard| shard.of(*counter).get()).sum());
        }
    }
}
