//! When requests are due: a pure function of the plan. Nothing accumulates, so nothing drifts.

use super::wire::{FlowPlan, Segment};

/// Arrivals of a segment. They stand in the middle of equal shares of it, so that neighbouring segments never collide.
///
/// A rate times a length that is no whole number is rounded to the nearest one.
pub fn planned(segment: &Segment) -> u64 {
    let seconds = (segment.to.saturating_sub(segment.from)) as f64 / 1e9;
    (segment.rate * seconds - 0.5 - 1e-9).ceil().max(0.0) as u64
}

/// When the `number`-th arrival (from 0) of a segment is due, in nanoseconds from the start of the plan.
fn due(segment: &Segment, number: u64) -> u64 {
    segment.from + ((number as f64 + 0.5) * 1e9 / segment.rate) as u64
}

/// Arrivals of all flows, in order of due time; those due together in the order of the flows.
#[derive(Debug)]
pub struct Arrivals {
    flows: Vec<Cursor>,
    next_id: u64,
}

/// One request to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Number over all flows, from 0.
    pub id: u64,
    /// Index of its flow.
    pub flow: usize,
    /// When it is due, nanoseconds from the start of the plan.
    pub due: u64,
}

#[derive(Debug)]
struct Cursor {
    segments: Vec<Segment>,
    segment: usize,
    number: u64,
}

impl Cursor {
    fn peek(&mut self) -> Option<u64> {
        while let Some(segment) = self.segments.get(self.segment) {
            if self.number < planned(segment) {
                return Some(due(segment, self.number));
            }
            self.segment += 1;
            self.number = 0;
        }
        None
    }
}

impl Arrivals {
    /// All arrivals of a plan.
    pub fn new(flows: &[FlowPlan]) -> Self {
        let cursor = |flow: &FlowPlan| Cursor { segments: flow.schedule.clone(), segment: 0, number: 0 };
        Self { flows: flows.iter().map(cursor).collect(), next_id: 0 }
    }

    /// When the next request is due.
    pub fn peek(&mut self) -> Option<u64> {
        self.flows.iter_mut().filter_map(Cursor::peek).min()
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let dues = self.flows.iter_mut().enumerate().filter_map(|(flow, cursor)| Some((cursor.peek()?, flow)));
        let (due, flow) = dues.min()?;
        self.flows[flow].number += 1;
        let id = self.next_id;
        self.next_id += 1;
        Some(Arrival { id, flow, due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn segment(from: u64, to: u64, rate: f64) -> Segment {
        Segment { from, to, rate }
    }

    #[test]
    fn whole_numbers_are_exact() {
        for (rate, seconds, expected) in [(500.0, 3, 1500), (1.0, 1, 1), (333.0, 7, 2331), (0.0, 5, 0), (0.4, 1, 0)] {
            assert_eq!(planned(&segment(0, seconds * SECOND, rate)), expected, "{rate}/s for {seconds} s");
        }
        assert_eq!(planned(&segment(0, 60 * SECOND, 5000.0)), 300_000);
    }

    proptest! {
        #[test]
        fn arrivals_stand_evenly_inside_their_segment(rate in 0.5_f64..20_000.0, from in 0_u64..1_000, millis in 1_u64..3_000) {
            let segment = segment(from * 1_000_000, (from + millis) * 1_000_000, rate);
            let count = planned(&segment);
            prop_assert!((count as f64 - rate * millis as f64 / 1e3).abs() <= 0.5 + 1e-6);
            for number in [0, count / 2, count.saturating_sub(1)].into_iter().filter(|number| *number < count) {
                let due = due(&segment, number);
                prop_assert!(due >= segment.from && due < segment.to, "{number} of {count} is due at {due}");
                // No drift: the last arrival is as exact as the first.
                let exact = segment.from as f64 + (number as f64 + 0.5) * 1e9 / rate;
                prop_assert!((due as f64 - exact).abs() <= 2.0);
            }
        }
    }
}
