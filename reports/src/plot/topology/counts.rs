//! What went over each edge in a span: from slots where the span holds some, else from requests kept one by one.

use super::spans::Span;
use crate::record::{Arm, Micros, SLOT};

/// Requests are kept one by one so far about a mark.
const KEPT: Micros = 300_000;
/// Whole slots that a rate is counted in, at least.
const SLOTS: usize = 5;

/// A count, and over how many seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Count {
    /// Requests or attempts.
    pub all: u64,
    /// Of those, lost, or kept from their instance.
    pub bad: u64,
    /// Seconds.
    pub seconds: f64,
}

impl Count {
    /// A second.
    pub(super) fn rate(&self) -> f64 {
        self.all as f64 / self.seconds.max(1e-6)
    }

    /// Share that was bad.
    pub(super) fn share(&self) -> f64 {
        if self.all == 0 { 0.0 } else { self.bad as f64 / self.all as f64 }
    }

    /// Two together, over the same time.
    pub(super) fn plus(self, other: Self) -> Self {
        Self { all: self.all + other.all, bad: self.bad + other.bad, seconds: self.seconds }
    }
}

/// The slots that lie in a span as a whole; None if they are too few to count in.
fn slots(span: &Span, length: usize) -> Option<std::ops::Range<usize>> {
    let first = usize::try_from((span.from + SLOT - 1).div_euclid(SLOT)).ok()?;
    let last = usize::try_from(span.to.div_euclid(SLOT)).ok()?.min(length);
    (last >= first + SLOTS).then_some(first..last)
}

/// Is every request in the span known one by one?
fn kept(arm: &Arm, span: &Span) -> bool {
    let near = |at: Micros| arm.marks.iter().any(|mark| (mark.at - at).abs() <= KEPT);
    let middle = span.from + (span.to - span.from) / 2;
    arm.singles.left_out == 0 && near(span.from) && near(middle) && near(span.to)
}

/// The slots that lie in a span as a whole, however few, and those that it touches.
fn about(span: &Span) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let slot = |at: Micros| usize::try_from(at.div_euclid(SLOT)).unwrap_or(0);
    let (first, last) = (slot(span.from), slot(span.to));
    let inside = slot(span.from + SLOT - 1);
    (inside..last.max(inside), first..slot(span.to + SLOT - 1).max(first))
}

fn sum(series: &[u32], slots: &std::ops::Range<usize>) -> u64 {
    series.iter().take(slots.end).skip(slots.start).map(|count| u64::from(*count)).sum()
}

/// Requests due in a span, and those of them lost; None if that is not known.
pub(super) fn asked(arm: &Arm, span: &Span) -> Option<Count> {
    let length = arm.outcomes.iter().map(|outcomes| outcomes.planned.len()).max().unwrap_or(0);
    if let Some(slots) = slots(span, length) {
        let count = |pick: &dyn Fn(&crate::record::Outcomes) -> u64| arm.outcomes.iter().map(pick).sum();
        return Some(Count {
            all: count(&|outcomes| sum(&outcomes.planned, &slots)),
            bad: count(&|outcomes| sum(&outcomes.lost(), &slots)),
            seconds: slots.len() as f64 / 10.0,
        });
    }
    let due = || arm.singles.requests.iter().filter(|one| one.due >= span.from && one.due < span.to);
    // Fewer one by one than in the slots: some were not kept, and nothing is known.
    let counted: u64 = arm.outcomes.iter().map(|outcomes| sum(&outcomes.planned, &about(span).0)).sum();
    (kept(arm, span) && due().count() as u64 >= counted).then(|| Count {
        all: due().count() as u64,
        bad: due().filter(|one| one.outcome.is_lost()).count() as u64,
        seconds: span.seconds(),
    })
}

/// Attempts made at an instance in a span, and those of them kept from it; None if they were not counted.
pub(super) fn offered(arm: &Arm, span: &Span, instance: usize) -> Option<Count> {
    let offers = arm.offers.iter().find(|offers| offers.instance == instance)?;
    if let Some(slots) = slots(span, offers.offered.len()) {
        let refused = sum(&offers.inferred, &slots);
        let withheld: u64 = offers.withheld.values().map(|series| sum(series, &slots)).sum();
        return Some(Count {
            all: sum(&offers.offered, &slots) + refused,
            bad: withheld + sum(&offers.cut, &slots) + refused,
            seconds: slots.len() as f64 / 10.0,
        });
    }
    let made =
        || arm.singles.offers.iter().filter(|one| one.instance == instance && one.at >= span.from && one.at < span.to);
    let (inside, touched) = about(span);
    // What the kernel refused was inferred by slot, and is not among those kept one by one.
    let whole = made().count() as u64 >= sum(&offers.offered, &inside) && sum(&offers.inferred, &touched) == 0;
    (kept(arm, span) && whole).then(|| Count {
        all: made().count() as u64,
        bad: made().filter(|one| one.withheld.is_some()).count() as u64,
        seconds: span.seconds(),
    })
}
