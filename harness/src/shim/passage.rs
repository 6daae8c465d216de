//! A body of HTTP/2 on its way from one side to the other, frame by frame, with what faults do to it.

use super::change::Flips;
use super::relay::Relay;
use crate::fault::spec::Slices;
use bytes::Bytes;
use h2::{RecvStream, SendStream};
use std::future::poll_fn;
use std::time::Duration;

/// How a body passes.
pub(super) struct Passage<'a> {
    /// Each piece is held so long, and by which fault.
    pub(super) held: &'a [(u32, Duration)],
    /// In pieces, by this fault.
    pub(super) drip: Option<(u32, Slices)>,
    pub(super) flips: Option<Flips>,
    /// Bytes that still pass.
    pub(super) most: u64,
    pub(super) loses_trailers: bool,
}

impl Default for Passage<'_> {
    fn default() -> Self {
        Self { held: &[], drip: None, flips: None, most: u64::MAX, loses_trailers: false }
    }
}

impl Passage<'_> {
    /// A piece as it is sent on: shorter, if no more passes, and with its bits flipped.
    fn spoil(&mut self, mut piece: Bytes) -> Bytes {
        piece.truncate(usize::try_from(self.most).unwrap_or(usize::MAX));
        self.most -= piece.len() as u64;
        match &mut self.flips {
            Some(flips) => {
                let mut bytes = piece.to_vec();
                flips.pass(&mut bytes);
                bytes.into()
            }
            None => piece,
        }
    }
}

/// Passes a body on, frame by frame, and its trailers; true if it was cut short.
pub(super) async fn forward(
    relay: &Relay,
    mut from: RecvStream,
    mut to: SendStream<Bytes>,
    mut passage: Passage<'_>,
) -> Result<bool, h2::Error> {
    while passage.most > 0
        && let Some(piece) = from.data().await
    {
        let piece = piece?;
        // Taken in here, whatever becomes of it.
        let _ = from.flow_control().release_capacity(piece.len());
        for (fault, time) in passage.held {
            relay.hold(*fault, *time).await;
        }
        let mut piece = passage.spoil(piece);
        while !piece.is_empty() {
            let drip = passage.drip.filter(|(fault, _)| relay.is_on(*fault)).map(|(_, slices)| slices);
            let len = drip.map_or(piece.len(), |slices| slices.size.clamp(1, piece.len()));
            to.reserve_capacity(len);
            // None: the peer wants no more of it.
            let Some(room) = poll_fn(|context| to.poll_capacity(context)).await else { return Ok(false) };
            to.send_data(piece.split_to(room?.min(len)), false)?;
            if let Some(slices) = drip {
                relay.rest(slices.every).await;
            }
        }
    }
    let is_cut = passage.most == 0;
    let trailers = if is_cut { None } else { from.trailers().await?.filter(|_| !passage.loses_trailers) };
    match trailers {
        Some(trailers) => to.send_trailers(trailers)?,
        None => to.send_data(Bytes::new(), true)?,
    }
    Ok(is_cut)
}
