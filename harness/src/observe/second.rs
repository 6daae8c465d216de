//! What a second has brought, as it goes to the stream.

use super::offers::Offers;
use super::requests::Requests;
use squall_reports::record::stream::Line;

/// Everything up to slot `to` that has changed since `told`, the slot up to which it was told last.
pub(super) fn line(arm: usize, told: usize, to: usize, requests: &mut Requests, offers: &mut Offers) -> Line {
    let from = told.min(requests.take_changed()).min(offers.take_changed());
    Line::Second {
        arm,
        from,
        outcomes: requests.slots(from, to),
        offers: offers.slots(from, to),
        latencies: requests.seconds_since(),
        lost: requests.lost_since(),
    }
}
