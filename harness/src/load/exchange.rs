//! One request and its answer, whatever they are spoken in.

use super::wire::{Accept, End, FlowPlan};
use crate::clock::{Nanos, now};
use std::io;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) end: End,
    pub(super) status: u16,
    pub(super) instance: Option<u16>,
    pub(super) sent: Option<Nanos>,
    pub(super) first_byte: Option<Nanos>,
    pub(super) done: Nanos,
    /// Its connection can take another request.
    pub(super) reusable: bool,
}

impl Answer {
    /// None, just now.
    pub(super) fn none(end: End) -> Self {
        Self { end, status: 0, instance: None, sent: None, first_byte: None, done: now(), reusable: false }
    }

    /// Notes what the head of the answer says.
    pub(super) fn head<'a>(&mut self, status: u16, names: &[String], field: impl Fn(&str) -> Option<&'a [u8]>) {
        self.status = status;
        self.instance = field("x-squall-instance").and_then(|name| {
            names.iter().position(|known| known.as_bytes() == name).and_then(|index| u16::try_from(index).ok())
        });
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Malformed,
    /// The stream was reset; its connection goes on.
    Reset,
}

impl Failure {
    pub(super) fn end(&self) -> End {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => End::Closed,
            Self::Io(_) | Self::Reset => End::Reset,
            Self::Malformed => End::Malformed,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<squall_http1::Refusal> for Failure {
    fn from(_: squall_http1::Refusal) -> Self {
        Self::Malformed
    }
}

/// Looks for what a body must hold, in pieces as they come.
#[derive(Debug)]
pub(super) struct Search<'a> {
    wanted: Option<&'a [u8]>,
    /// The end of what came before, where what is wanted may begin.
    tail: Vec<u8>,
    found: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(accept: &'a Accept) -> Self {
        let wanted = accept.body_contains.as_deref().map(str::as_bytes).filter(|wanted| !wanted.is_empty());
        Self { wanted, tail: Vec::new(), found: wanted.is_none() }
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        let Some(wanted) = self.wanted.filter(|_| !self.found) else { return };
        self.tail.extend_from_slice(piece);
        self.found = self.tail.windows(wanted.len()).any(|window| window == wanted);
        let kept = self.tail.len().min(wanted.len() - 1);
        self.tail.drain(..self.tail.len() - kept);
    }

    pub(super) fn is_found(&self) -> bool {
        self.found
    }
}

/// How a complete answer is judged.
pub(super) fn judged(flow: &FlowPlan, status: u16, degraded: bool, as_asked: bool) -> End {
    let accepted = flow.accept.status.iter().any(|(from, to)| (*from..=*to).contains(&status));
    match (accepted, as_asked, degraded) {
        (false, _, _) => End::Status,
        (true, false, _) => End::Unexpected,
        (true, true, true) => End::Degraded,
        (true, true, false) => End::Acceptable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_wanted_is_found_in_any_pieces(text in "[ab]{0,40}", wanted in "[ab]{0,5}", size in 1_usize..8) {
            let accept = Accept { body_contains: Some(wanted.clone()), ..Accept::default() };
            let mut search = Search::new(&accept);
            text.as_bytes().chunks(size).for_each(|piece| search.take(piece));
            prop_assert_eq!(search.is_found(), text.contains(&wanted));
        }
    }
}
