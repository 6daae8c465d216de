//! Endpoints that may be used and take nothing just now: another is picked in their place. Goes beyond Envoy, where there are none.

use super::{Cluster, Load, Member, Slot};
use crate::balance::{Pick, Rotation, Turn, Wish};
use crate::clock::now;
use crate::policy::{Beyond, Priority, UNLIMITED};
use rand::Rng;
use std::sync::atomic::{AtomicU32, Ordering};

/// How often to look for somebody else.
const RESELECTIONS: u32 = 32;

/// Which limits a pick is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Those of requests of a priority.
    Requests(Priority),
    /// That of connections, for bytes.
    Connections,
}

/// An endpoint has no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Cluster {
    /// Picks an endpoint that has room; if none has, any endpoint.
    pub(super) fn pick_open(
        &self,
        rotation: &Rotation,
        turn: &mut Turn,
        wish: &Wish<'_>,
        bound: Bound,
        rng: &mut impl Rng,
    ) -> Option<Pick> {
        let closed = |index: usize| self.is_closed(index, bound);
        let either = |index: usize| (wish.avoid)(index) || closed(index);
        let active = |index: usize| self.members.get(index).map_or(0, |member| member.host.active());
        let reselections = wish.reselections.max(RESELECTIONS);
        let mut again = |avoid| rotation.pick(turn, &Wish { avoid, reselections, ..*wish }, now(), rng, active);
        let picked = again(&either)?;
        if closed(picked.index) { again(&closed) } else { Some(picked) }
    }

    /// True if there may be any.
    pub(super) fn closes_any(&self) -> bool {
        let Beyond { half_open, per_instance_limits, .. } = self.policy.beyond;
        half_open || per_instance_limits
    }

    /// True if the endpoint is on trial by another request, or has no room.
    pub(super) fn is_closed(&self, index: usize, bound: Bound) -> bool {
        let Some(member) = self.members.get(index) else { return false };
        let Beyond { half_open, per_instance_limits, .. } = self.policy.beyond;
        (half_open && self.outlier().is_some() && member.host.counters.trial.is_taken())
            || (per_instance_limits && self.is_full(member, bound))
    }

    fn is_full(&self, member: &Member, bound: Bound) -> bool {
        let reached = |count: &AtomicU32, limit: u32| {
            let count = count.load(Ordering::Relaxed);
            count > 0 && count >= self.share(limit)
        };
        match bound {
            Bound::Requests(priority) => {
                let (load, limits) = (member.host.load(priority), self.policy.limits(priority));
                reached(&load.requests, limits.requests) || reached(&load.pending, limits.pending)
            }
            Bound::Connections => {
                let load = member.host.load(Priority::Default);
                reached(&load.connections, self.policy.limits.connections)
            }
        }
    }

    /// A place at an endpoint, in the cluster's count or by the endpoint's share of the limit.
    pub(super) fn place(
        &self,
        member: &Member,
        priority: Priority,
        count: fn(&Load) -> &AtomicU32,
        limit: u32,
    ) -> Option<Slot> {
        let place = self.load(priority).take(count, self.common(limit))?;
        if !self.policy.beyond.per_instance_limits {
            return Some(place);
        }
        place.also(member.host.load(priority), self.share(limit))
    }

    /// What of a limit holds for the cluster as a whole.
    pub(crate) fn common(&self, limit: u32) -> u32 {
        if self.policy.beyond.per_instance_limits { UNLIMITED } else { limit }
    }

    /// A place for a connection in the count of an endpoint itself, for who has one in the cluster's; none where that is all it takes.
    pub(crate) fn own_connection(&self, member: &Member) -> Result<Option<Slot>, Full> {
        if !self.policy.beyond.per_instance_limits {
            return Ok(None);
        }
        let limit = self.share(self.policy.limits.connections);
        member.host.load(Priority::Default).take(|load| &load.connections, limit).map(Some).ok_or(Full)
    }

    /// The share of a limit that each endpoint has, rounded up.
    fn share(&self, limit: u32) -> u32 {
        share(limit, self.members.len())
    }
}

fn share(limit: u32, endpoints: usize) -> u32 {
    if limit == UNLIMITED { UNLIMITED } else { limit.div_ceil(u32::try_from(endpoints).unwrap_or(UNLIMITED).max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_has_its_share_of_a_limit_rounded_up() {
        for (limit, endpoints, expected) in
            [(10, 3, 4), (9, 3, 3), (1, 3, 1), (0, 3, 0), (10, 1, 10), (10, 0, 10), (UNLIMITED, 3, UNLIMITED)]
        {
            assert_eq!(share(limit, endpoints), expected, "{limit} among {endpoints}");
        }
    }
}
