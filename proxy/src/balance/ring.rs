//! A ring of hashes: an endpoint that leaves takes only its own keys along, and those that the others win who fill the ring in its place.

use super::hash;
use super::shares::Shares;
use std::fmt::Write as _;

/// Entries in order of their hashes. The same endpoints make the same ring as in Envoy.
#[derive(Debug, Default)]
pub(super) struct Ring(Vec<Entry>);

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    host: usize,
}

impl Ring {
    /// So many entries that the lightest endpoint has a whole number of them and all have `min_size` together, but at most `max_size`.
    pub(super) fn new(shares: &Shares<'_>, min_size: u64, max_size: u64) -> Self {
        let lightest = shares.lightest();
        let scale = ((lightest * min_size as f64).ceil() / lightest).min(max_size as f64);
        let mut entries = Vec::with_capacity(if shares.0.is_empty() { 0 } else { scale.ceil() as usize });
        let mut text = String::new();
        // Sums run over all endpoints, so that fractions of entries are not lost.
        let (mut made, mut due) = (0.0, 0.0);
        for share in &shares.0 {
            due += scale * share.weight;
            let mut own: u64 = 0;
            while made < due {
                text.clear();
                // Writing to a string cannot fail.
                let _ = write!(text, "{}_{own}", share.address);
                entries.push(Entry { hash: hash::key(text.as_bytes()), host: share.host });
                own += 1;
                made += 1.0;
            }
        }
        entries.sort_by_key(|entry| entry.hash);
        Self(entries)
    }

    /// The endpoint of a key; of the n-th entry behind it for the n-th further attempt.
    pub(super) fn pick(&self, key: u64, attempt: u32) -> Option<usize> {
        // Behind the last entry the ring begins again.
        let at = self.0.partition_point(|entry| entry.hash < key) + attempt as usize;
        let at = at.checked_rem(self.0.len())?;
        self.0.get(at).map(|entry| entry.host)
    }
}
