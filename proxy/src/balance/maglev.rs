//! A table of hashes that fills by turns: a pick is one look, and an endpoint that leaves moves few keys but its own.

use super::hash;
use super::shares::Shares;

/// Endpoints by slot. The same endpoints make the same table as in Envoy.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<usize>);

/// An endpoint while the table is filled.
struct Filling {
    host: usize,
    weight: f64,
    /// Its own order of slots: where it begins, how far it steps, how many steps it has made.
    offset: u64,
    skip: u64,
    steps: u64,
    /// What rounds times weight must reach before it is its turn again.
    target: f64,
}

impl Table {
    /// A table of `size` slots, a prime, so that each endpoint's order of slots has them all in it.
    pub(super) fn new(shares: &Shares<'_>, size: u64) -> Self {
        if shares.0.is_empty() {
            return Self::default();
        }
        let size = size.max(2);
        let heaviest = shares.heaviest();
        let mut by_address: Vec<_> = shares.0.iter().collect();
        by_address.sort_by_key(|share| share.address);
        let begin = |share: &&super::shares::Share<'_>| Filling {
            host: share.host,
            weight: share.weight,
            offset: hash::key(share.address.as_bytes()) % size,
            skip: hash::seeded(1, share.address.as_bytes()) % (size - 1) + 1,
            steps: 0,
            target: 0.0,
        };
        let mut all: Vec<_> = by_address.iter().map(begin).collect();
        let mut slots: Vec<Option<usize>> = vec![None; size as usize];
        let (mut filled, mut round) = (0, 0.0);
        while filled < size {
            round += 1.0;
            for filling in &mut all {
                // The heaviest has a turn in each round, one of half its weight in each second.
                if filled == size || round * filling.weight < filling.target {
                    continue;
                }
                filling.target += heaviest;
                filling.take(&mut slots);
                filled += 1;
            }
        }
        Self(slots.into_iter().flatten().collect())
    }

    /// The endpoint of a key; of another key that comes of it for each further attempt.
    pub(super) fn pick(&self, key: u64, attempt: u32) -> Option<usize> {
        // Most bits are turned round, so that attempts are not all led to the same endpoint.
        let key = if attempt > 0 { key ^ (u64::MAX - u64::from(attempt) + 1) } else { key };
        let slot = key.checked_rem(self.0.len() as u64)?;
        self.0.get(slot as usize).copied()
    }
}

impl Filling {
    /// Takes the first free slot of its order.
    fn take(&mut self, slots: &mut [Option<usize>]) {
        let size = slots.len() as u64;
        while self.steps <= 2 * size {
            let slot = (self.offset + self.skip * self.steps) % size;
            self.steps += 1;
            if let Some(free @ None) = slots.get_mut(slot as usize) {
                *free = Some(self.host);
                return;
            }
        }
        // Only where the size is no prime.
        if let Some(free) = slots.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(self.host);
        }
    }
}
