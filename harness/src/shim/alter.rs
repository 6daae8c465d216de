//! An answer whose bytes are changed on their way back. No sockets: bytes in, bytes out.

use super::change::{Changes, Flips, rewritten};
use bytes::BytesMut;
use squall_http1::{Framing, write};
use std::ops::Range;
use std::time::Duration;

/// Changes one answer, part by part as it comes.
pub(super) struct Alterer<'a> {
    changes: &'a Changes,
    flips: Option<Flips>,
    /// Where the head stands in this part, if it does.
    head: Option<Range<usize>>,
    /// Where payload stands in this part.
    payloads: Vec<Range<usize>>,
    chunked: bool,
    /// Something of the body has been let through.
    body_begun: bool,
}

impl<'a> Alterer<'a> {
    /// None where nothing is to be changed.
    pub(super) fn of(changes: &'a Changes) -> Option<Self> {
        (*changes != Changes::default()).then(|| Self {
            changes,
            flips: changes.corrupt.map(Flips::new),
            head: None,
            payloads: Vec::new(),
            chunked: false,
            body_begun: false,
        })
    }

    /// The head stands there in the next part.
    pub(super) fn head(&mut self, at: Range<usize>, framing: Framing) {
        self.head = Some(at);
        self.chunked = framing == Framing::Chunked;
    }

    /// Payload stands there in the next part.
    pub(super) fn payload(&mut self, at: Range<usize>) {
        self.payloads.push(at);
    }

    /// What becomes of a part that begins with so many bytes of heads: these, and what follows them.
    pub(super) fn alter(&mut self, part: &[u8], heads: usize, is_last: bool) -> (BytesMut, BytesMut) {
        let head = match self.head.take().filter(|_| !self.changes.answer.is_empty()) {
            Some(at) => {
                let mut interim = BytesMut::from(&part[..at.start]);
                interim.extend_from_slice(&rewritten(&part[at], &self.changes.answer));
                interim
            }
            None => BytesMut::from(&part[..heads]),
        };
        let mut part = BytesMut::from(part);
        for payload in &self.payloads {
            self.flips.iter_mut().for_each(|flips| flips.pass(&mut part[payload.clone()]));
        }
        let rest = if self.chunked && self.changes.lose_trailers {
            let mut chunks = BytesMut::new();
            self.payloads.iter().for_each(|payload| write::chunk(&mut chunks, &part[payload.clone()]));
            if is_last {
                write::last_chunk(&mut chunks, None);
            }
            chunks
        } else {
            part.split_off(heads)
        };
        self.payloads.clear();
        (head, rest)
    }

    /// How long the next part of the body is held, and by which faults.
    pub(super) fn holds(&mut self) -> Vec<(u32, Duration)> {
        let first = if self.body_begun { &[][..] } else { &self.changes.body_held };
        self.body_begun = true;
        [first, &self.changes.pieces_held].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::{Rewrite, Side};
    use squall_http1::{BodyReader, HeadReader, Response};
    use std::rc::Rc;

    /// An answer through its changes, in parts of so many bytes.
    fn altered(changes: &Changes, answer: &[u8], size: usize) -> Vec<u8> {
        let mut alterer = Alterer::of(changes).expect("there are changes");
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        let head = reader.response_at(answer, &mut response).unwrap().unwrap();
        let framing = response.framing("GET").unwrap();
        let mut body = BodyReader::new(framing);
        alterer.head(0..head, framing);
        let (begun, _) = alterer.alter(&answer[..head], head, false);
        let mut out = begun.to_vec();
        let mut parts = answer[head..].chunks(size).peekable();
        while let Some(part) = parts.next() {
            let mut at = 0;
            while at < part.len() {
                let step = body.step(&part[at..]).unwrap();
                alterer.payload(at + step.payload.start..at + step.payload.end);
                at += step.consumed;
            }
            let (none, rest) = alterer.alter(part, 0, parts.peek().is_none());
            assert!(none.is_empty());
            out.extend_from_slice(&rest);
        }
        out
    }

    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n, a\r\n0\r\ngrpc-status: 0\r\n\r\n";

    fn payload(answer: &[u8]) -> (Vec<u8>, bool) {
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        let mut at = reader.response_at(answer, &mut response).unwrap().unwrap();
        let mut body = BodyReader::new(response.framing("GET").unwrap()).keeping_trailers();
        let mut payload = Vec::new();
        while at < answer.len() {
            let step = body.step(&answer[at..]).unwrap();
            payload.extend_from_slice(&answer[at..][step.payload]);
            at += step.consumed;
        }
        assert!(body.is_done());
        let trailers = body.take_trailers().is_some();
        (payload, trailers)
    }

    #[test]
    fn a_flipped_bit_harms_the_payload_and_never_the_framing() {
        for size in [1, 3, 100] {
            let out = altered(&Changes { corrupt: Some(4), ..Changes::default() }, CHUNKED, size);
            // The first byte, and each fourth behind it.
            let harmed: Vec<u8> =
                b"hello, a".iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 4 == 0)).collect();
            assert_eq!(payload(&out), (harmed, true), "parts of {size}");
        }
    }

    #[test]
    fn lost_trailers_leave_the_body_as_it_was() {
        for size in [1, 3, 100] {
            let out = altered(&Changes { lose_trailers: true, ..Changes::default() }, CHUNKED, size);
            assert_eq!(payload(&out), (b"hello, a".to_vec(), false), "{size}");
        }
    }

    #[test]
    fn fields_of_the_answer_are_rewritten() {
        let rewrite = Rewrite {
            of: Side::Answer,
            set: vec![("retry-after".to_owned(), "3".to_owned())],
            remove: vec!["server".to_owned()],
        };
        let changes = Changes { answer: vec![Rc::new(rewrite)], ..Changes::default() };
        let out = altered(&changes, b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 2\r\n\r\nok", 1);
        assert_eq!(out, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nretry-after: 3\r\n\r\nok");
    }

    #[test]
    fn the_body_is_held_once_and_pieces_each_time() {
        let time = Duration::from_secs(1);
        let changes = Changes { body_held: vec![(1, time)], pieces_held: vec![(2, time)], ..Changes::default() };
        let mut alterer = Alterer::of(&changes).expect("there are changes");
        assert_eq!(alterer.holds(), [(1, time), (2, time)]);
        assert_eq!(alterer.holds(), [(2, time)]);
    }
}
