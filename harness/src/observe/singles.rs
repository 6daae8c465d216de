//! Requests that are kept one by one, in bounded number: what was lost, and what happened about the moments that decide.

use super::offers::Offers;
use squall_reports::record::{Mark, Micros, SLOT, Single, Singles};

/// Requests and offers of an arm that a record holds one by one.
const AN_ARM: usize = 20_000;
/// Of these, lost requests.
const LOST: usize = AN_ARM / 2;
/// Requests, and offers, about one mark.
const A_MARK: usize = 1_000;
/// How near a mark they must be.
const NEAR: Micros = 300_000;
/// Requests that are remembered in case a mark turns out to be near.
const REMEMBERED: usize = 400_000;

/// Requests of an arm, one by one.
#[derive(Debug)]
pub(super) struct Kept {
    /// Before this nothing decides.
    from: Micros,
    lost: Vec<Single>,
    /// Lost requests that have been streamed.
    told: usize,
    left_out: u64,
    remembered: Vec<Single>,
    /// Requests that were not remembered, by slot.
    forgotten: Vec<u32>,
}

impl Kept {
    /// Nothing is broken, and nothing decides, before `from`.
    pub(super) fn new(from: Micros, slots: usize) -> Self {
        Self {
            from: from - NEAR,
            lost: Vec::new(),
            told: 0,
            left_out: 0,
            remembered: Vec::new(),
            forgotten: vec![0; slots],
        }
    }

    pub(super) fn keep(&mut self, single: Single) {
        if single.outcome.is_lost() {
            if self.lost.len() < LOST {
                self.lost.push(single);
            } else {
                self.left_out += 1;
            }
        } else if single.done >= self.from {
            if self.remembered.len() < REMEMBERED {
                self.remembered.push(single);
            } else if let Some(count) = self.forgotten.get_mut((single.due / SLOT) as usize) {
                *count += 1;
            }
        }
    }

    /// Lost requests since the last time.
    pub(super) fn lost_since(&mut self) -> Vec<Single> {
        let lost = self.lost[self.told..].to_vec();
        self.told = self.lost.len();
        lost
    }

    /// All lost requests, and everything near a mark as far as there is room: marks in order of time.
    pub(super) fn about(&self, marks: &[Mark], offers: &Offers) -> Singles {
        let mut left_out = self.left_out;
        let mut requests = self.lost.clone();
        let mut attempts = Vec::new();
        for mark in marks {
            let near = |at: Micros| (at - mark.at).abs() <= NEAR;
            let mut room = AN_ARM.saturating_sub(requests.len() + attempts.len()) / 2;
            let mut take = |found: usize| {
                let taken = found.min(A_MARK).min(room);
                left_out += (found - taken) as u64;
                room -= taken / 2;
                taken
            };
            let about: Vec<_> = self.remembered.iter().filter(|single| near(single.due) || near(single.done)).collect();
            let offered: Vec<_> = offers.near(&near).collect();
            let (requests_taken, offers_taken) = (take(about.len()), take(offered.len()));
            requests.extend(about.into_iter().take(requests_taken).cloned());
            attempts.extend(offered.into_iter().take(offers_taken));
            let forgotten = self.forgotten.iter().enumerate().filter(|(slot, _)| near(*slot as Micros * SLOT));
            left_out += forgotten.map(|(_, count)| u64::from(*count)).sum::<u64>();
        }
        requests.sort_by_key(|single| (single.due, single.id));
        requests.dedup_by_key(|single| single.id);
        attempts.sort_by_key(|offer| (offer.at, offer.instance, offer.id));
        attempts.dedup();
        Singles { requests, offers: attempts, left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_reports::record::Outcome;

    fn single(id: u64, due: Micros, outcome: Outcome) -> Single {
        Single { id, flow: 0, due, sent: Some(due), done: due + 1_000, outcome, instance: None }
    }

    fn mark(at: Micros) -> Mark {
        Mark { at, label: "out".to_owned(), subject: "cart/1".to_owned() }
    }

    #[test]
    fn what_is_lost_and_what_is_near_a_mark_is_kept_and_the_rest_is_counted() {
        let mut kept = Kept::new(1_000_000, 100);
        for number in 0..30_000 {
            // 300 s of requests each 10 ms: 60 lie about a mark.
            kept.keep(single(number, number as Micros * 10_000, Outcome::Acceptable));
        }
        (0..LOST as u64 + 7).for_each(|number| kept.keep(single(100_000 + number, 2_000_000, Outcome::Reset)));
        let singles = kept.about(&[mark(5_000_000)], &Offers::new(1));
        assert_eq!(singles.requests.len(), LOST + 61);
        assert_eq!(singles.left_out, 7);
    }

    #[test]
    fn an_arm_holds_no_more_than_its_share_however_many_marks_there_are() {
        let mut kept = Kept::new(0, 10_000);
        (0..200_000).for_each(|number| kept.keep(single(number, number as Micros * 100, Outcome::Acceptable)));
        let marks: Vec<_> = (1..=18).map(|second| mark(second * 1_000_000)).collect();
        let singles = kept.about(&marks, &Offers::new(1));
        assert!(singles.requests.len() <= AN_ARM, "{}", singles.requests.len());
        assert_eq!(singles.requests.len() as u64 + singles.left_out, 18 * 6_011, "all about a mark, kept or counted");
    }
}
