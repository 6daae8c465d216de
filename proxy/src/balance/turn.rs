//! Whose turn it is: what picks change, apart for each worker and cluster.

use super::schedule::Schedule;

/// One worker's place in one cluster's rotation. Keeps its place in the round when the rotation is built anew; weighted turns begin anew
/// then, in the middle, so that workers do not all begin with the same endpoint.
#[derive(Debug)]
pub(crate) struct Turn {
    seed: u32,
    version: Option<u64>,
    slots: Vec<Slot>,
}

/// The place in one list of endpoints.
#[derive(Debug)]
pub(super) struct Slot {
    /// In the round.
    pub position: usize,
    /// In the weighted turns.
    schedule: Schedule,
    filled: bool,
}

impl Turn {
    /// A place that a random number gives.
    pub(crate) fn new(seed: u32) -> Self {
        Self { seed, version: None, slots: Vec::new() }
    }

    /// Makes room for the lists of a rotation of this version.
    pub(super) fn follow(&mut self, version: u64, lists: usize) {
        if self.version == Some(version) {
            return;
        }
        self.version = Some(version);
        let position = self.seed as usize;
        self.slots.resize_with(lists, || Slot { position, schedule: Schedule::default(), filled: false });
        self.slots.iter_mut().for_each(|slot| slot.filled = false);
    }

    /// The place in a list.
    pub(super) fn slot(&mut self, list: usize) -> Option<&mut Slot> {
        self.slots.get_mut(list)
    }

    /// The next of `count` by weight.
    pub(super) fn next_weighted(&mut self, list: usize, count: usize, weight: impl Fn(usize) -> f64) -> Option<usize> {
        let picks = self.seed % (u32::MAX / 10);
        let slot = self.slots.get_mut(list)?;
        if !slot.filled {
            slot.schedule.fill(count, picks, &weight);
            slot.filled = true;
        }
        slot.schedule.pick(weight)
    }
}
