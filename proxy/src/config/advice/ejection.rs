//! Shares of instances that let none be ejected.

use super::Advice;
use super::codes::EJECTS_NOBODY;
use super::view::{Upstream, View};
use super::words::{MAX_EJECTION, count};
use crate::policy::OutlierDetection;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.upstreams.iter().filter_map(of_upstream).collect()
}

fn of_upstream(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.detector()?;
    let written = &upstream.written;
    let percent = outlier.max_ejection_percent;
    let (field, name) = (written.name(MAX_EJECTION), &upstream.name);
    let (what, enough) = match (upstream.may_be_out(), upstream.instances) {
        (Some(0), Some(total @ 1..)) => (
            format!("{field} {percent} of {} is 0: no instance of {name} is ever ejected", count(total, "instance")),
            100_u32.div_ceil(total),
        ),
        // Nobody chose the default, and most services have fewer instances than it needs.
        (None, _) if !written.has(MAX_EJECTION) && !outlier.always_eject_one => {
            let needed = needed(outlier)?;
            let what = format!(
                "{field} is {percent} by default: with fewer than {needed} instances none of {name} is ever ejected"
            );
            (what, 50)
        }
        (None, _) if percent == 0 && !outlier.always_eject_one => {
            (format!("{field} 0: no instance of {name} is ever ejected"), 50)
        }
        _ => return None,
    };
    Some(written.advise(&EJECTS_NOBODY, MAX_EJECTION, what, &[(MAX_EJECTION, enough.to_string())]))
}

/// So many instances make one that may be out.
fn needed(outlier: &OutlierDetection) -> Option<u32> {
    (outlier.max_ejection_percent > 0)
        .then(|| 100_u32.div_ceil(outlier.max_ejection_percent))
        .filter(|needed| *needed > 1)
}
