//! How many instances faults may hit at the same time.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::Service;
use crate::scenario::written::{MaxAffected, Placed};

/// The smaller of what is said by number and by share.
pub(super) fn radius(most: &Placed<MaxAffected>, services: &[Service], problems: &mut Problems) -> Option<u32> {
    let all: u32 = services.iter().flat_map(|service| &service.versions).map(|version| version.instances).sum();
    let of_share = most.percent.map(|share| (share.0 / 100.0 * f64::from(all)) as u32);
    let least = [most.instances, of_share].into_iter().flatten().min();
    if least.is_none() {
        problems.error(code::SHAPE, most.place, "it bounds nothing").expected("`instances: 1`, `percent: 30%` or both");
    }
    least
}
