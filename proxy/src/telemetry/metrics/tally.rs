//! Numbers under keys that turn up by and by, in a table that never grows.

use super::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something under each of up to `N` keys, and one more under which the rest falls together.
///
/// A key is placed once, by the only writer, at the first free place behind its own; a reader sees it or does not yet.
#[derive(Debug)]
pub(super) struct Tally<const N: usize, T = Cell> {
    keys: Box<[AtomicU64]>,
    values: Box<[T]>,
    rest: T,
}

impl<const N: usize, T: Default> Default for Tally<N, T> {
    fn default() -> Self {
        let keys = (0..N).map(|_| AtomicU64::new(0)).collect();
        Self { keys, values: (0..N).map(|_| T::default()).collect(), rest: T::default() }
    }
}

impl<const N: usize, T> Tally<N, T> {
    /// What stands under `key`, which is not the greatest number; the rest if there is no place left.
    pub(super) fn of(&self, key: u64) -> &T {
        // 0 is a free place.
        let key = key.wrapping_add(1);
        let start = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        for step in 0..N {
            let place = start.wrapping_add(step) % N;
            let found = self.keys[place].load(Ordering::Relaxed);
            if found == 0 {
                self.keys[place].store(key, Ordering::Release);
            }
            if found == 0 || found == key {
                return &self.values[place];
            }
        }
        &self.rest
    }

    /// Each key that turned up, and last, without one, the rest.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<u64>, &T)> {
        let keys = self.keys.iter().map(|key| key.load(Ordering::Acquire));
        let known = keys.zip(&self.values).filter(|(key, _)| *key != 0).map(|(key, value)| (Some(key - 1), value));
        known.chain([(None, &self.rest)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn counts<const N: usize>(tally: &Tally<N>) -> BTreeMap<Option<u64>, u64> {
        tally.iter().map(|(key, cell)| (key, cell.get())).collect()
    }

    #[test]
    fn each_key_has_its_own_number_until_the_table_is_full() {
        let tally = Tally::<4>::default();
        for key in [200, 503, 200, 0, 7, 8, 9, 503] {
            tally.of(key).add(1);
        }
        let expected = [(None, 2), (Some(0), 1), (Some(7), 1), (Some(200), 2), (Some(503), 2)];
        assert_eq!(counts(&tally), BTreeMap::from(expected));
    }
}
