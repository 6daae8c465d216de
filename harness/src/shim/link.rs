//! Writing at a bounded rate.

use crate::clock::Timer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Pieces a second in which bytes of a bounded link are sent.
const PIECES: u64 = 50;

/// Writes everything; with a bandwidth, in pieces no faster than that.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    bandwidth: Option<u64>,
    timer: &Timer,
) -> io::Result<()> {
    let Some(rate) = bandwidth else { return stream.write_all(bytes).await };
    let piece = (rate / PIECES).max(1) as usize;
    for piece in bytes.chunks(piece) {
        stream.write_all(piece).await?;
        timer.sleep(Duration::from_secs_f64(piece.len() as f64 / rate.max(1) as f64)).await;
    }
    Ok(())
}
