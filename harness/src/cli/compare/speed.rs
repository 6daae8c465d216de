//! How fast the machine is just now.

use crate::clock::now;
use std::hint::black_box;
use std::time::Duration;

/// Steps of a piece of work: some milliseconds.
const STEPS: u64 = 4_000_000;
/// Pieces, of which the fastest counts: what disturbs makes slower, never faster.
const PIECES: usize = 5;

/// Time of a fixed piece of work.
pub(super) fn probe() -> Duration {
    let piece = || {
        let from = now();
        let sum = (0..black_box(STEPS))
            .fold(1_u64, |sum, step| (sum ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
        black_box(sum);
        now().since(from)
    };
    (0..PIECES).map(|_| piece()).min().unwrap_or_default()
}
