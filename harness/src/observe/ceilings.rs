//! Requests slower than an absolute limit, by slot: what says when a latency limit holds again, to 100 ms.
//!
//! A limit on a quantile is a limit on a count: `p99 <= 250 ms` holds in a window exactly if at most one request in a hundred took longer. So
//! no window needs a histogram of its own.

use crate::load::wire::Sample;
use squall_reports::record::{Flow, Micros, Outcomes};

/// An absolute latency limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// The service whose recovery it belongs to.
    pub service: String,
    /// The flow that it judges; absent: all that ask the service.
    pub flow: Option<String>,
    /// 0 to 1.
    pub quantile: f64,
    /// The limit, microseconds.
    pub limit: Micros,
}

/// A limit with what it was held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The service whose recovery it belongs to.
    pub service: String,
    /// 0 to 1.
    pub quantile: f64,
    /// Requests planned, and those that took longer, by slot of their due time.
    pub slots: Vec<(u32, u32)>,
}

/// Counts for all ceilings of an arm.
#[derive(Debug)]
pub(super) struct Ceilings {
    all: Vec<(Ceiling, Vec<usize>, Vec<u32>)>,
}

impl Ceilings {
    pub(super) fn new(ceilings: &[Ceiling], flows: &[Flow], slots: usize) -> Self {
        let concerned = |ceiling: &Ceiling, flow: &Flow| {
            flow.to == ceiling.service && ceiling.flow.as_ref().is_none_or(|wanted| *wanted == flow.name)
        };
        let of = |ceiling: &Ceiling| {
            let flows = flows.iter().enumerate().filter(|(_, flow)| concerned(ceiling, flow));
            (ceiling.clone(), flows.map(|(number, _)| number).collect(), vec![0; slots])
        };
        Self { all: ceilings.iter().map(of).collect() }
    }

    /// A request has ended, after `response` microseconds.
    pub(super) fn sample(&mut self, sample: &Sample, slot: usize, response: u64) {
        for (ceiling, flows, beyond) in &mut self.all {
            if response as Micros > ceiling.limit && flows.contains(&usize::from(sample.flow)) {
                beyond[slot] += 1;
            }
        }
    }

    pub(super) fn held(&self, outcomes: &[Outcomes]) -> Vec<Held> {
        let of = |(ceiling, flows, beyond): &(Ceiling, Vec<usize>, Vec<u32>)| {
            let planned = |slot: usize| flows.iter().map(|flow| outcomes[*flow].planned[slot]).sum();
            Held {
                service: ceiling.service.clone(),
                quantile: ceiling.quantile,
                slots: beyond.iter().enumerate().map(|(slot, beyond)| (planned(slot), *beyond)).collect(),
            }
        };
        self.all.iter().map(of).collect()
    }
}

impl Held {
    /// The limit holds over these slots.
    pub fn holds(&self, slots: std::ops::Range<usize>) -> bool {
        let window = self.slots.get(slots).unwrap_or_default();
        let (planned, beyond) = window.iter().fold((0, 0), |(p, b), (planned, beyond)| (p + planned, b + beyond));
        // Nearest rank: so many samples must be at or below the limit.
        let needed = (f64::from(planned) * self.quantile - 1e-9).ceil();
        f64::from(planned) - f64::from(beyond) >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_holds_while_no_more_than_its_share_is_slower() {
        let held = |quantile, beyond| Held { service: String::new(), quantile, slots: vec![(100, beyond), (100, 0)] };
        assert!(held(0.99, 2).holds(0..2));
        assert!(!held(0.99, 3).holds(0..2));
        assert!(!held(0.99, 2).holds(0..1));
        assert!(held(0.5, 100).holds(0..2));
        assert!(!held(1.0, 1).holds(0..2), "the maximum allows none");
        assert!(held(0.999, 0).holds(0..2));
    }
}
