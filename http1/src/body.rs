//! Finding the payload in the bytes of a body.

use crate::headers::is_of_token;
use crate::{Framing, Headers, Refusal};
use std::ops::Range;

/// What the next bytes of a body are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with; they belong to this message.
    pub consumed: usize,
    /// Where in the input the payload stands; often empty.
    pub payload: Range<usize>,
}

/// Finds the payload of one body. Trailers are read and checked, and dropped unless they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyReader {
    state: State,
    /// Trailers so far, where they are asked for.
    trailers: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    Length(u64),
    UntilClose,
    /// Amid a size line: the size so far, digits seen, bytes of the line seen, whether the extensions have begun.
    Size {
        size: u64,
        digits: u8,
        line: u16,
        extension: bool,
    },
    /// LF of a size line is due.
    SizeEnd {
        size: u64,
    },
    Chunk(u64),
    /// CRLF after a chunk is due: how many of its two bytes are left.
    ChunkEnd(u8),
    /// Amid the trailers: bytes of the line so far, bytes of all lines so far, whether its name has ended, whether the last byte was CR.
    Trailers {
        line: u16,
        total: u16,
        value: bool,
        cr: bool,
    },
}

/// Longest size line with its extensions, in bytes.
const SIZE_LINE: u16 = 1024;

/// Most trailer bytes.
const TRAILERS: u16 = 16 * 1024;

const START_OF_SIZE: State = State::Size { size: 0, digits: 0, line: 0, extension: false };

impl BodyReader {
    /// A reader at the first byte of a body.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => START_OF_SIZE,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, trailers: None }
    }

    /// The same, with trailers to be had at the end.
    #[must_use]
    pub fn keeping_trailers(mut self) -> Self {
        self.trailers = Some(Vec::new());
        self
    }

    /// The trailers of a body that has been read, if it had any; once.
    pub fn take_trailers(&mut self) -> Option<Headers> {
        let text = self.trailers.take().filter(|text| !text.is_empty())?;
        Headers::of_trailers(&text)
    }

    /// True once the whole body has been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The peer has closed: fine only where that is what ends the body.
    pub fn closed(&mut self) -> Result<(), Refusal> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(Refusal::ClosedInBody),
        }
    }

    /// Looks at `input`: call again with what follows `consumed` until that is 0 or the body is done.
    pub fn step(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let mut at = 0;
        while at < input.len() {
            let left = input.len() - at;
            match self.state {
                State::Done => break,
                State::UntilClose => return Ok(Step { consumed: input.len(), payload: at..input.len() }),
                State::Length(length) => {
                    let taken = clamp(length, left);
                    self.state =
                        if taken as u64 == length { State::Done } else { State::Length(length - taken as u64) };
                    return Ok(Step { consumed: at + taken, payload: at..at + taken });
                }
                State::Chunk(size) => {
                    let taken = clamp(size, left);
                    self.state =
                        if taken as u64 == size { State::ChunkEnd(2) } else { State::Chunk(size - taken as u64) };
                    return Ok(Step { consumed: at + taken, payload: at..at + taken });
                }
                _ => {
                    self.state = self.framing_byte(input[at])?;
                    if let (State::Trailers { total: 1.., .. } | State::Done, Some(trailers)) =
                        (self.state, &mut self.trailers)
                    {
                        trailers.push(input[at]);
                    }
                    at += 1;
                }
            }
        }
        Ok(Step { consumed: at, payload: at..at })
    }

    /// One byte that is not payload. Bare LF is refused here, unlike in heads: a lenient chunk reader is a smuggler's tool.
    fn framing_byte(&self, byte: u8) -> Result<State, Refusal> {
        match (self.state, byte) {
            (State::Size { size, digits, .. }, b'\r') if digits > 0 => Ok(State::SizeEnd { size }),
            (State::Size { size, digits, line, extension: false }, b';') if digits > 0 => {
                Ok(State::Size { size, digits, line: line + 1, extension: true })
            }
            (State::Size { size, digits, line, extension: true }, _) if line < SIZE_LINE && byte != b'\n' => {
                Ok(State::Size { size, digits, line: line + 1, extension: true })
            }
            (State::Size { size, digits, line, extension: false }, _) if digits < 15 => {
                let digit = (byte as char).to_digit(16).ok_or(Refusal::BadChunk)?;
                let size = size * 16 + u64::from(digit);
                Ok(State::Size { size, digits: digits + 1, line: line + 1, extension: false })
            }
            (State::SizeEnd { size: 0 }, b'\n') => Ok(State::Trailers { line: 0, total: 0, value: false, cr: false }),
            (State::SizeEnd { size }, b'\n') => Ok(State::Chunk(size)),
            (State::ChunkEnd(2), b'\r') => Ok(State::ChunkEnd(1)),
            (State::ChunkEnd(1), b'\n') => Ok(START_OF_SIZE),
            (State::Trailers { line: 0, cr: true, .. }, b'\n') => Ok(State::Done),
            (State::Trailers { total, cr: true, .. }, b'\n') => {
                Ok(State::Trailers { line: 0, total, value: false, cr: false })
            }
            (State::Trailers { line, total, value, cr: false }, b'\r') if line == 0 || value => {
                Ok(State::Trailers { line, total, value, cr: true })
            }
            (State::Trailers { line, total, value, cr: false }, _) if total < TRAILERS => {
                let colon = !value && line > 0 && byte == b':';
                let fits = if value { is_of_value(byte) } else { colon || is_of_token(byte) };
                let next = State::Trailers { line: line + 1, total: total + 1, value: value || colon, cr: false };
                fits.then_some(next).ok_or(Refusal::BadChunk)
            }
            _ => Err(Refusal::BadChunk),
        }
    }
}

/// A byte that a field's value may have.
fn is_of_value(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

fn clamp(wanted: u64, available: usize) -> usize {
    usize::try_from(wanted).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Payload and bytes left over, with the input cut into pieces of a size.
    fn decode(framing: Framing, input: &[u8], pieces: usize) -> Result<(Vec<u8>, usize, bool), Refusal> {
        let mut reader = BodyReader::new(framing);
        let mut payload = Vec::new();
        let mut consumed = 0;
        for piece in input.chunks(pieces.max(1)) {
            let mut rest = piece;
            while !reader.is_done() && !rest.is_empty() {
                let step = reader.step(rest)?;
                payload.extend_from_slice(&rest[step.payload]);
                consumed += step.consumed;
                rest = &rest[step.consumed..];
            }
        }
        Ok((payload, input.len() - consumed, reader.is_done()))
    }

    #[test]
    fn a_length_ends_where_it_says() {
        assert_eq!(decode(Framing::Length(3), b"abcdef", 2), Ok((b"abc".to_vec(), 3, true)));
        assert_eq!(decode(Framing::Length(3), b"ab", 1), Ok((b"ab".to_vec(), 0, false)));
        assert_eq!(BodyReader::new(Framing::Length(3)).closed(), Err(Refusal::ClosedInBody));
        assert_eq!(BodyReader::new(Framing::UntilClose).closed(), Ok(()));
    }

    #[test]
    fn chunks_are_put_together_in_any_pieces() {
        let input = b"3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: v\r\n\r\nNEXT";
        for pieces in 1..input.len() {
            let (payload, left, done) = decode(Framing::Chunked, input, pieces).unwrap();
            assert_eq!((&payload[..], left, done), (&b"abc0123456789"[..], 4, true), "pieces of {pieces}");
        }
    }

    #[test]
    fn trailers_are_kept_where_they_are_asked_for_without_those_that_belong_ahead() {
        let input = b"0\r\nGrpc-Status: 0\r\nContent-Length: 3\r\n\r\n";
        let mut reader = BodyReader::new(Framing::Chunked).keeping_trailers();
        input.chunks(3).for_each(|piece| {
            let mut rest = piece;
            while !rest.is_empty() {
                rest = &rest[reader.step(rest).unwrap().consumed..];
            }
        });
        assert!(reader.is_done());
        let trailers = reader.take_trailers().unwrap();
        assert_eq!(trailers.iter().collect::<Vec<_>>(), [("grpc-status", &b"0"[..])]);
        let mut without = BodyReader::new(Framing::Chunked).keeping_trailers();
        without.step(b"0\r\n\r\n").unwrap();
        assert!(without.is_done() && without.take_trailers().is_none());
    }

    #[test]
    fn malformed_chunks_are_refused() {
        let long = |extension: &str, times: usize| format!("1;{}\r\n", extension.repeat(times));
        let (letters, semicolons, endless) = (long("x", 2000), long(";", 1100), long(";", 70_000));
        let trailers = format!("0\r\nA: {}\r\n\r\n", "x".repeat(17_000));
        for input in [
            "-1\r\n",
            "+1\r\n",
            " 1\r\n",
            "0x1\r\n",
            "g\r\n",
            "\r\n",
            ";a\r\n",
            "1\n",
            "1 \r\n",
            "fffffffffffffffff\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "1\r\na\r0",
            "0\r\nA: b\n\r\n",
            "1;a\n\r\n",
            "0\r\nnothing\r\n\r\n",
            "0\r\n: b\r\n\r\n",
            "0\r\nA : b\r\n\r\n",
            "0\r\nA: b\r\n folded\r\n\r\n",
            "0\r\nA: b\x7f\r\n\r\n",
            "0\r\nA: b\rc\r\n\r\n",
            letters.as_str(),
            semicolons.as_str(),
            endless.as_str(),
            trailers.as_str(),
        ] {
            assert_eq!(decode(Framing::Chunked, input.as_bytes(), 7), Err(Refusal::BadChunk), "{input:.40?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_chunks_is_read_back(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 0..6),
            pieces in 1_usize..50,
        ) {
            let mut wire = bytes::BytesMut::new();
            payloads.iter().for_each(|payload| crate::write::chunk(&mut wire, payload));
            crate::write::last_chunk(&mut wire, None);
            let (payload, left, done) = decode(Framing::Chunked, &wire, pieces).unwrap();
            prop_assert_eq!((payload, left, done), (payloads.concat(), 0, true));
        }

        /// Runs longer than any count of them has bits for.
        #[test]
        fn no_run_of_framing_bytes_makes_it_panic(
            runs in proptest::collection::vec((proptest::sample::select(&b"1;\r\n x:"[..]), 1_usize..70_000), 1..6),
        ) {
            let bytes: Vec<u8> = runs.iter().flat_map(|(byte, times)| std::iter::repeat_n(*byte, *times)).collect();
            let _ = decode(Framing::Chunked, &bytes, 4096);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), pieces in 1_usize..20) {
            let _ = decode(Framing::Chunked, &bytes, pieces);
        }
    }
}
