//! Writing at a bounded pace.

use super::change::Pace;
use super::relay::Relay;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Pieces a second in which bytes of a bounded link are sent.
const PIECES: u64 = 50;

/// Writes everything; where there is a pace, in pieces no faster than that. It is asked for before each piece, and a change acts at once.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    pace: impl Fn() -> Pace,
    relay: &Relay,
) -> io::Result<()> {
    let mut left = bytes;
    loop {
        let pace = pace();
        let size = pace.slices.map(|slices| relay.size_of(slices));
        let Some((len, pause)) = piece(pace, size, left.len()) else { break };
        let (piece, rest) = left.split_at(len);
        stream.write_all(piece).await?;
        relay.rest(pause).await;
        left = rest;
    }
    stream.write_all(left).await
}

/// The next piece of so many bytes, which is as long as slices are at most, and the pause behind it; none where nothing bounds them.
fn piece(pace: Pace, size: Option<usize>, left: usize) -> Option<(usize, Duration)> {
    if left == 0 || (pace.bandwidth, pace.slices) == (None, None) {
        return None;
    }
    let rate = pace.bandwidth.map(|rate| rate.max(1));
    let of_rate = rate.map_or(usize::MAX, |rate| (rate / PIECES).max(1) as usize);
    let len = of_rate.min(size.unwrap_or(usize::MAX)).min(left);
    let pause = rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(len as f64 / rate as f64));
    Some((len, pause.max(pace.slices.map_or(Duration::ZERO, |slices| slices.every))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::Slices;

    #[test]
    fn pieces_are_as_small_and_pauses_as_long_as_the_slower_asks() {
        let slices = Some(Slices { size: 4, every: Duration::from_millis(30), stray: 0 });
        for (bandwidth, slices, left, wanted) in [
            (None, None, 10, None),
            (Some(1_000), None, 0, None),
            (Some(1_000), None, 100, Some((20, 20))),
            (Some(1_000), None, 5, Some((5, 5))),
            (None, slices, 100, Some((4, 30))),
            (Some(100), slices, 100, Some((2, 30))),
        ] {
            let pace = Pace { bandwidth, slices, closes_late: None };
            let found = piece(pace, slices.map(|slices: Slices| slices.size), left);
            assert_eq!(
                found,
                wanted.map(|(len, millis)| (len, Duration::from_millis(millis))),
                "{bandwidth:?} {slices:?}"
            );
        }
    }
}
