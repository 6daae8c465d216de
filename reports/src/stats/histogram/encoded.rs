//! Reads histograms as they are written, count by count. The library unfolds all 23,000 slots of each; of a second's few are used.
//!
//! The form is `HdrHistogram` V2: a header of 40 bytes, then for each slot its count, or the negative number of empty slots from here;
//! both zigzagged, seven bits a byte.

use super::LONGEST;

/// `V2` with counts of varying length.
const COOKIE: u32 = 0x1c84_9313;
const HEADER: usize = 40;
/// Slots of the first bucket, which are one microsecond wide; half as many in each later one, each time twice as wide.
const FIRST: u64 = 2048;

/// More slots than any histogram has.
const SLOTS: u64 = 1 << 16;

/// Values and counts of a histogram with our bounds and digits; None for any other.
pub(super) fn counts(bytes: &[u8]) -> Option<Counts<'_>> {
    let header = bytes.get(..HEADER)?;
    let word = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_be_bytes(header.get(at..at + 8)?.try_into().ok()?));
    let ours = word(0)? == COOKIE && word(8)? == 0 && word(12)? == 3 && long(16)? == 1 && long(24)? == LONGEST;
    let end = HEADER.checked_add(word(4)? as usize)?;
    let rest = bytes.get(HEADER..end)?;
    ours.then_some(Counts { rest, slot: 0 })
}

/// Each used slot: the smallest value in it, and its count. An error for what is no such histogram.
#[derive(Debug)]
pub(super) struct Counts<'a> {
    rest: &'a [u8],
    slot: u64,
}

/// The bytes are cut, or count more than there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

impl Iterator for Counts<'_> {
    type Item = Result<(u64, u64), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let Some(number) = self.number() else { return Some(self.damaged()) };
            let slot = self.slot;
            if number > 0 {
                self.slot += 1;
                let value = smallest(slot);
                // The last slot is that of all that was longer, and begins beyond.
                return Some(if value < 2 * LONGEST { Ok((value, number.unsigned_abs())) } else { self.damaged() });
            }
            let skipped = number.unsigned_abs().max(1);
            if skipped > SLOTS {
                return Some(self.damaged());
            }
            self.slot = slot + skipped;
        }
        None
    }
}

impl Counts<'_> {
    fn damaged(&mut self) -> Result<(u64, u64), Damaged> {
        self.rest = &[];
        Err(Damaged)
    }

    fn number(&mut self) -> Option<i64> {
        let mut value = 0;
        for place in 0..9 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let byte = u64::from(*byte);
            // The ninth byte has eight bits.
            if place == 8 || byte < 0x80 {
                value |= byte << (7 * place);
                break;
            }
            value |= (byte & 0x7f) << (7 * place);
        }
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

/// The smallest value of a slot.
fn smallest(slot: u64) -> u64 {
    if slot < FIRST {
        return slot;
    }
    let half = FIRST / 2;
    (slot % half + half) << (slot / half - 1).min(40)
}
