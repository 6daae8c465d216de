//! Requests that were added up where they were sent.

use super::{Requests, micros, outcome};
use crate::load::wire::{End, Sums};
use squall_reports::record::{LatencyKind, Population, SECOND};
use squall_reports::stats::Histogram;

impl Requests {
    /// Adds them in. No fault takes any of them over.
    pub(in crate::observe) fn sums(&mut self, sums: &Sums) {
        let flow = usize::from(sums.flow);
        if flow >= self.outcomes.len() {
            return;
        }
        let from = micros(sums.from);
        let phase = self.phase_at(from);
        let is_journey = self.journeys[flow];
        let (series, cell) = (&mut self.outcomes[flow], &mut self.cells[flow][phase]);
        let slots = series.planned.len();
        for (slot, end, status, count) in &sums.ended {
            let slot = (*slot as usize).min(slots.saturating_sub(1));
            let outcome = outcome(*end, *status);
            if !is_journey {
                self.changed = self.changed.min(slot);
                series.by_outcome.entry(outcome.clone()).or_insert_with(|| vec![0; slots])[slot] += count;
            }
            let count = u64::from(*count);
            if self.unplanned[flow] {
                series.planned[slot] += count as u32;
                cell.planned += count;
            }
            if *status > 0 && *end != End::Grpc {
                *cell.statuses.entry(*status).or_default() += count;
            }
            *cell.outcomes.entry(outcome).or_default() += count;
            self.ended[phase] += if is_journey { 0 } else { count };
        }
        if is_journey {
            cell.sent += sums.count();
        }
        for (slot, count) in &sums.sent {
            let slot = (*slot as usize).min(slots.saturating_sub(1));
            series.sent[slot] += count;
            cell.sent += u64::from(*count);
        }
        for latencies in &sums.latencies {
            // What our own worker has written is a histogram.
            let Ok(histogram) = Histogram::decode(&latencies.histogram) else { continue };
            match (latencies.kind, latencies.population) {
                (LatencyKind::Response, Population::All) if !is_journey => {
                    self.seconds[flow].entry(from / SECOND).or_default().add(&histogram);
                }
                (LatencyKind::PacerLag, _) if !is_journey => {
                    self.lags.entry(from / SECOND).or_default().add(&histogram);
                }
                _ => {}
            }
            cell.latencies.entry((latencies.kind, latencies.population)).or_default().add(&histogram);
        }
    }
}
