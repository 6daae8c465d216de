//! Which requests are kept one by one: what was lost, and what was about a mark, bounded as a run bounds it.

use squall_reports::record::{Micros, Offer, Single, Singles};
use std::collections::VecDeque;

/// Kept on either side of a mark.
const ABOUT: Micros = 300_000;
/// At most so many a mark.
const A_MARK: usize = 2_000;
/// At most so many an arm.
const AN_ARM: usize = 20_000;

/// Requests and offers, each with whether it is kept whatever happens.
#[derive(Debug, Default)]
pub(super) struct Kept {
    requests: Window<Single>,
    offers: Window<Offer>,
}

#[derive(Debug)]
struct Window<T> {
    recent: VecDeque<(Micros, T)>,
    kept: Vec<T>,
    until: Micros,
    room: usize,
    left_out: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { recent: VecDeque::new(), kept: Vec::new(), until: Micros::MIN, room: 0, left_out: 0 }
    }
}

impl<T> Window<T> {
    fn mark(&mut self, at: Micros) {
        self.until = at + ABOUT;
        self.room = A_MARK;
        for (_, one) in std::mem::take(&mut self.recent) {
            self.keep(one);
        }
    }

    fn keep(&mut self, one: T) {
        if self.room > 0 && self.kept.len() < AN_ARM {
            self.room -= 1;
            self.kept.push(one);
        } else {
            self.left_out += 1;
        }
    }

    fn add(&mut self, at: Micros, one: T, always: bool) {
        if at <= self.until {
            return self.keep(one);
        }
        if always {
            self.room = 1;
            return self.keep(one);
        }
        self.recent.push_back((at, one));
        while self.recent.front().is_some_and(|(before, _)| *before < at - ABOUT) {
            self.recent.pop_front();
        }
    }
}

impl Kept {
    /// A moment that decides.
    pub(super) fn mark(&mut self, at: Micros) {
        self.requests.mark(at);
        self.offers.mark(at);
    }

    pub(super) fn request(&mut self, single: Single) {
        let lost = single.outcome.is_lost();
        self.requests.add(single.due, single, lost);
    }

    pub(super) fn offer(&mut self, offer: Offer) {
        self.offers.add(offer.at, offer, false);
    }

    pub(super) fn singles(self) -> Singles {
        let mut singles =
            Singles { requests: self.requests.kept, offers: self.offers.kept, left_out: self.requests.left_out };
        singles.requests.sort_by_key(|single| (single.due, single.id));
        singles.offers.sort_by_key(|offer| offer.at);
        singles
    }
}
