//! Writing at a bounded rate.

use crate::clock::Timer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Pieces a second in which bytes of a bounded link are sent.
const PIECES: u64 = 50;

/// Writes everything; while there is a bandwidth, in pieces no faster than that. It is asked for before each piece, so that a change acts at once.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    bandwidth: impl Fn() -> Option<u64>,
    timer: &Timer,
) -> io::Result<()> {
    let mut left = bytes;
    while let Some(rate) = bandwidth().filter(|_| !left.is_empty()) {
        let len = ((rate / PIECES).max(1) as usize).min(left.len());
        let (piece, rest) = left.split_at(len);
        stream.write_all(piece).await?;
        timer.sleep(Duration::from_secs_f64(len as f64 / rate.max(1) as f64)).await;
        left = rest;
    }
    stream.write_all(left).await
}
