//! What faults do to bytes on their way: how fast they pass, and what is changed in them.

use crate::fault::spec::{Rewrite, Slices};
use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// How bytes of a connection pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pace {
    /// Bytes a second.
    pub(super) bandwidth: Option<u64>,
    /// In pieces.
    pub(super) slices: Option<Slices>,
    /// What one side closes is closed so much later towards the other, and by which fault.
    pub(super) closes_late: Option<(u32, Duration)>,
}

impl Pace {
    /// Both at once: the slower of each.
    pub(super) fn and(self, other: Self) -> Self {
        let slower = |one: &Slices, other: &Slices| one.every.cmp(&other.every);
        Self {
            bandwidth: [self.bandwidth, other.bandwidth].into_iter().flatten().min(),
            slices: [self.slices, other.slices].into_iter().flatten().max_by(slower),
            closes_late: [self.closes_late, other.closes_late].into_iter().flatten().max_by_key(|(_, by)| *by),
        }
    }
}

/// What is done to a request and its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Changes {
    /// The answer's body is held for so long behind its head, and by which fault.
    pub(super) body_held: Vec<(u32, Duration)>,
    /// So is each piece of it.
    pub(super) pieces_held: Vec<(u32, Duration)>,
    /// The answer's body comes in pieces, by this fault.
    pub(super) drip: Option<(u32, Slices)>,
    /// A bit is flipped in the first byte of the answer's body, and in every so many behind it.
    pub(super) corrupt: Option<u64>,
    /// The answer's trailers are taken away.
    pub(super) lose_trailers: bool,
    /// Fields of the request.
    pub(super) request: Vec<Rc<Rewrite>>,
    /// Fields of the answer.
    pub(super) answer: Vec<Rc<Rewrite>>,
    /// The connection takes no more requests behind this one.
    pub(super) goodbye: bool,
}

impl Changes {
    /// Does these too.
    pub(super) fn take_in(&mut self, other: &Self) {
        self.body_held.extend_from_slice(&other.body_held);
        self.pieces_held.extend_from_slice(&other.pieces_held);
        self.drip = self.drip.or(other.drip);
        self.corrupt = self.corrupt.or(other.corrupt);
        self.lose_trailers |= other.lose_trailers;
        self.goodbye |= other.goodbye;
        self.request.extend_from_slice(&other.request);
        self.answer.extend_from_slice(&other.answer);
    }
}

/// Flips bits of what passes: the first byte, and each that lies so many behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flips {
    every: u64,
    /// Bytes that pass untouched before the next one.
    left: u64,
}

impl Flips {
    /// The first byte is next.
    pub(super) fn new(every: u64) -> Self {
        Self { every: every.max(1), left: 0 }
    }

    /// Passes over bytes, and flips those whose turn it is.
    pub(super) fn pass(&mut self, bytes: &mut [u8]) {
        let mut at = self.left;
        while let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1;
            at += self.every;
        }
        self.left = at - bytes.len() as u64;
    }
}

/// A head with some of its fields changed; everything else stays as it came, byte by byte.
pub(super) fn rewritten(head: &[u8], rewrites: &[Rc<Rewrite>]) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.len() + 256);
    let is_changed = |line: &[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        let is = |wanted: &str| wanted.as_bytes().eq_ignore_ascii_case(name);
        rewrites
            .iter()
            .any(|rewrite| rewrite.remove.iter().any(|name| is(name)) || rewrite.set.iter().any(|(name, _)| is(name)))
    };
    for (number, line) in lines(head).enumerate() {
        let line = &head[line];
        if line.trim_ascii().is_empty() {
            break;
        }
        // The first line is no field.
        if number == 0 || !is_changed(line) {
            out.extend_from_slice(line);
        }
    }
    for (name, value) in rewrites.iter().flat_map(|rewrite| &rewrite.set) {
        for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The same of fields that are no longer bytes.
pub(super) fn changed(mut fields: HeaderMap, rewrites: &[Rc<Rewrite>]) -> HeaderMap {
    for rewrite in rewrites {
        for name in &rewrite.remove {
            fields.remove(name.as_str());
        }
        for (name, value) in &rewrite.set {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                fields.insert(name, value);
            }
        }
    }
    fields
}

/// Lines with what ends them.
fn lines(head: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = head.get(begin..).filter(|rest| !rest.is_empty())?;
        let end = begin + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let line = begin..end;
        begin = end;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::Side;

    #[test]
    fn flips_are_where_they_are_however_bytes_come() {
        let mut flips = Flips::new(3);
        let mut all = Vec::new();
        for len in [1_usize, 1, 4, 0, 2] {
            let mut piece = vec![0; len];
            flips.pass(&mut piece);
            all.extend(piece);
        }
        assert_eq!(all, [1, 0, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn a_head_is_rewritten_field_by_field_and_stays_as_it_was_elsewhere() {
        let head = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nserver:  odd\tspacing\r\nretry-after: 9\r\nx-a: 2\r\n\r\n";
        let rewrite = Rewrite {
            of: Side::Answer,
            set: vec![("x-a".to_owned(), "3".to_owned()), ("x-new".to_owned(), "4".to_owned())],
            remove: vec!["retry-after".to_owned()],
        };
        assert_eq!(
            rewritten(head, &[Rc::new(rewrite)]),
            &b"HTTP/1.1 200 OK\r\nserver:  odd\tspacing\r\nx-a: 3\r\nx-new: 4\r\n\r\n"[..]
        );
    }

    #[test]
    fn of_two_paces_the_slower_holds() {
        let slices = |millis| Some(Slices { size: 1, every: Duration::from_millis(millis), stray: 0 });
        let one = Pace { bandwidth: Some(10), slices: slices(5), closes_late: None };
        let other = Pace { bandwidth: Some(20), slices: slices(9), closes_late: Some((1, Duration::from_secs(1))) };
        let both = one.and(other);
        assert_eq!((both.bandwidth, both.slices, both.closes_late), (Some(10), slices(9), other.closes_late));
    }
}
