//! One request and its answer, whatever they are spoken in.

use super::errand::{Errand, Listener};
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

/// Bytes of a body in which values are looked for, at most.
const MOST_KEPT: usize = 1 << 20;

/// Reads an answer along, for what it must hold and what a journey wants of it.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    accept: &'a Accept,
    search: Search<'a>,
    listener: Option<Listener<'a>>,
    /// The body is looked at as a whole.
    keeps: bool,
    body: Vec<u8>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(accept: &'a Accept, errand: Option<&'a Errand>) -> Self {
        let keeps = !accept.json.is_empty() || errand.is_some_and(Errand::wants_body);
        let (search, listener) = (Search::new(accept), errand.map(Listener::new));
        Self { accept, search, listener, keeps, body: Vec::new() }
    }

    /// The fields of its head.
    pub(super) fn fields<'h>(&mut self, fields: impl Iterator<Item = (&'h str, &'h [u8])>) {
        if let Some(listener) = &mut self.listener {
            listener.fields(fields);
        }
    }

    /// The next piece of its body.
    pub(super) fn body(&mut self, piece: &[u8]) {
        self.search.take(piece);
        if self.keeps {
            let room = MOST_KEPT.saturating_sub(self.body.len());
            self.body.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    /// It is complete: true if it holds all that it must.
    pub(super) fn conclude(&mut self) -> bool {
        let heard = self.listener.as_mut().is_none_or(|listener| listener.conclude(&self.body));
        heard && self.search.is_found() && self.holds()
    }

    /// True if every place of its JSON has the value that it must have.
    fn holds(&self) -> bool {
        if self.accept.json.is_empty() {
            return true;
        }
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(&self.body) else { return false };
        self.accept.json.iter().all(|(pointer, value)| json.pointer(pointer) == Some(value))
    }
}

/// Looks for what a body must hold, in pieces as they come.
#[derive(Debug)]
struct Search<'a> {
    wanted: Option<&'a [u8]>,
    /// The end of what came before, where what is wanted may begin.
    tail: Vec<u8>,
    found: bool,
}

impl<'a> Search<'a> {
    fn new(accept: &'a Accept) -> Self {
        let wanted = accept.body_contains.as_deref().map(str::as_bytes).filter(|wanted| !wanted.is_empty());
        Self { wanted, tail: Vec::new(), found: wanted.is_none() }
    }

    fn take(&mut self, piece: &[u8]) {
        let Some(wanted) = self.wanted.filter(|_| !self.found) else { return };
        self.tail.extend_from_slice(piece);
        self.found = self.tail.windows(wanted.len()).any(|window| window == wanted);
        let kept = self.tail.len().min(wanted.len() - 1);
        self.tail.drain(..self.tail.len() - kept);
    }

    fn is_found(&self) -> bool {
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
    use super::super::errand::Capture;
    use super::super::wire::Source;
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

    #[test]
    fn places_of_a_json_body_have_the_values_that_they_must_have() {
        let body = br#"{"status": "ok", "items": [{"id": 7}], "left": null}"#;
        for (pointer, value, holds) in [
            ("/status", serde_json::json!("ok"), true),
            ("/status", serde_json::json!("no"), false),
            ("/items/0/id", serde_json::json!(7), true),
            ("/items/0/id", serde_json::json!("7"), false),
            ("/items/1/id", serde_json::json!(7), false),
            ("/left", serde_json::json!(null), true),
        ] {
            let accept = Accept { json: vec![(pointer.to_owned(), value)], ..Accept::default() };
            let mut reading = Reading::new(&accept, None);
            body.chunks(5).for_each(|piece| reading.body(piece));
            assert_eq!(reading.conclude(), holds, "{pointer}");
            let mut nonsense = Reading::new(&accept, None);
            nonsense.body(b"{\"status\": ");
            assert!(!nonsense.conclude());
        }
    }

    #[test]
    fn of_a_body_without_end_the_first_part_is_looked_at() {
        let regex = |text: &str| Capture::new(&Source::Regex(text.to_owned())).unwrap();
        let errand = Errand::new(None, &[regex("needle")].into());
        let accept = Accept::default();
        for (at, found) in [(0, true), (MOST_KEPT - 3, false), (MOST_KEPT + 10, false)] {
            let mut body = vec![b'x'; MOST_KEPT + 100];
            body[at..at + 6].copy_from_slice(b"needle");
            let mut reading = Reading::new(&accept, Some(&errand));
            body.chunks(1000).for_each(|piece| reading.body(piece));
            assert_eq!((reading.conclude(), reading.body.len()), (found, MOST_KEPT), "{at}");
        }
    }
}
