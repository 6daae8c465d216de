//! A second of an arm, as it goes to the stream.

use super::offers::Offers;
use super::requests::Requests;
use squall_reports::record::stream::Line;

/// Slots `from` up to `to`.
pub(super) fn line(arm: usize, from: usize, to: usize, requests: &Requests, offers: &Offers) -> Line {
    Line::Second {
        arm,
        outcomes: requests.slots(from, to),
        offers: offers.slots(from, to),
        latencies: Vec::new(),
        lost: requests.lost_between(from, to),
    }
}
