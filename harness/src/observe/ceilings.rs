//! Requests slower than an absolute limit, by slot: what says when a latency limit holds again, to 100 ms.

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

    /// Requests planned, and those that took longer, by slot of their due time.
    pub(super) fn counts(&self, outcomes: &[Outcomes]) -> Vec<(Ceiling, Vec<(u32, u32)>)> {
        let of = |(ceiling, flows, beyond): &(Ceiling, Vec<usize>, Vec<u32>)| {
            let planned = |slot: usize| flows.iter().map(|flow| outcomes[*flow].planned[slot]).sum();
            (ceiling.clone(), beyond.iter().enumerate().map(|(slot, beyond)| (planned(slot), *beyond)).collect())
        };
        self.all.iter().map(of).collect()
    }
}
