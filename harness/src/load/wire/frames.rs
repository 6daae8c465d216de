//! The binary form of [`Frame`]s: a byte for the kind, then fixed little-endian fields.

use super::{End, Frame, Health, Sample};
use bytes::{Buf, BufMut, BytesMut};

const SAMPLE: u8 = 1;
const HEALTH: u8 = 2;
const DONE: u8 = 3;
const SUMS: u8 = 4;

/// Bytes of a sample after its kind.
const SAMPLE_BYTES: usize = 55;
/// Bytes of a health report after its kind.
const HEALTH_BYTES: usize = 24;
/// Bytes of the length of sums, which stands before them.
const LENGTH_BYTES: usize = 4;
/// More bytes of sums than a worker ever sends.
const MOST_SUMS: usize = 64 << 20;

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the load worker sent what is no frame")]
pub struct NoFrame;

impl Frame {
    /// Writes the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sample(sample) => {
                out.put_u8(SAMPLE);
                out.put_u64_le(sample.id);
                out.put_u16_le(sample.flow);
                out.put_u8(sample.end as u8);
                out.put_u16_le(sample.status);
                out.put_u16_le(sample.instance.unwrap_or(u16::MAX));
                out.put_u64_le(sample.due);
                out.put_u64_le(sample.released);
                out.put_u64_le(sample.sent.unwrap_or(u64::MAX));
                out.put_u64_le(sample.first_byte.unwrap_or(u64::MAX));
                out.put_u64_le(sample.done);
            }
            Self::Health(health) => {
                out.put_u8(HEALTH);
                out.put_u64_le(health.at);
                out.put_u64_le(health.cpu);
                out.put_u64_le(health.worst_gap);
            }
            Self::Sums(sums) => {
                // They hold nothing that JSON cannot.
                let json = serde_json::to_vec(sums).unwrap_or_default();
                out.put_u8(SUMS);
                out.put_u32_le(json.len() as u32);
                out.put_slice(&json);
            }
            Self::Done => out.put_u8(DONE),
        }
    }

    /// Takes one frame from the front of `buf`; none if more bytes are needed.
    pub fn decode(buf: &mut BytesMut) -> Result<Option<Self>, NoFrame> {
        let Some(kind) = buf.first().copied() else { return Ok(None) };
        let needed = match kind {
            SAMPLE => SAMPLE_BYTES,
            HEALTH => HEALTH_BYTES,
            DONE => 0,
            SUMS => match buf.get(1..=LENGTH_BYTES) {
                Some(mut length) => {
                    LENGTH_BYTES
                        + Some(length.get_u32_le() as usize).filter(|length| *length <= MOST_SUMS).ok_or(NoFrame)?
                }
                None => LENGTH_BYTES,
            },
            _ => return Err(NoFrame),
        };
        if buf.len() < 1 + needed {
            return Ok(None);
        }
        buf.advance(1);
        let present = |value: u64| (value != u64::MAX).then_some(value);
        Ok(Some(match kind {
            SAMPLE => Self::Sample(Sample {
                id: buf.get_u64_le(),
                flow: buf.get_u16_le(),
                end: End::from_byte(buf.get_u8()).ok_or(NoFrame)?,
                status: buf.get_u16_le(),
                instance: Some(buf.get_u16_le()).filter(|instance| *instance != u16::MAX),
                due: buf.get_u64_le(),
                released: buf.get_u64_le(),
                sent: present(buf.get_u64_le()),
                first_byte: present(buf.get_u64_le()),
                done: buf.get_u64_le(),
            }),
            HEALTH => Self::Health(Health { at: buf.get_u64_le(), cpu: buf.get_u64_le(), worst_gap: buf.get_u64_le() }),
            SUMS => {
                buf.advance(LENGTH_BYTES);
                let json = buf.split_to(needed - LENGTH_BYTES);
                Self::Sums(Box::new(serde_json::from_slice(&json).map_err(|_| NoFrame)?))
            }
            _ => Self::Done,
        }))
    }
}

impl End {
    fn from_byte(byte: u8) -> Option<Self> {
        const ALL: [End; 12] = [
            End::Acceptable,
            End::Status,
            End::Reset,
            End::Closed,
            End::Refused,
            End::Malformed,
            End::TimeOut,
            End::Dropped,
            End::Cut,
            End::Degraded,
            End::Unexpected,
            End::Grpc,
        ];
        ALL.get(usize::from(byte)).copied().filter(|end| *end as u8 == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sums;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_survive_the_pipe_in_any_pieces(
            id: u64, flow: u16, end in 0_u8..12, status: u16, instance in proptest::option::of(0..u16::MAX),
            due: u64, sent in proptest::option::of(0..u64::MAX), pieces in 1_usize..80,
        ) {
            let end = End::from_byte(end).unwrap();
            let sample = Sample { id, flow, end, status, instance, due, released: due, sent, first_byte: None, done: due };
            let sums = Sums { flow, from: due, ended: vec![(1, end, status, 2)], sent: vec![(1, 2)], latencies: Vec::new() };
            let frames = [
                Frame::Sample(sample),
                Frame::Health(Health { at: 1, cpu: 2, worst_gap: 3 }),
                Frame::Sums(Box::new(sums)),
                Frame::Sample(sample),
                Frame::Done,
            ];
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut bytes));
            let (mut buf, mut read) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(pieces) {
                buf.extend_from_slice(piece);
                while let Some(frame) = Frame::decode(&mut buf).unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut buf = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = Frame::decode(&mut buf) {}
        }
    }
}
