//! Faults as asked and as seen.

use crate::scenario::resolved::PlannedFault;
use squall_reports::record::{FaultSpan, Micros};

/// From when on a fault may have harmed a request, if it has harmed anybody. A process that is killed fails its requests before anybody sees that it is gone.
pub(super) fn may_harm_from(span: &FaultSpan) -> Option<Micros> {
    let is_seen_late = matches!(span.kind.as_str(), "kill" | "terminate" | "crash-loop" | "pause");
    span.effect.map(|effect| if is_seen_late { span.asked.min(effect) } else { effect })
}

/// The faults of an arm, by their index over all phases.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) spans: Vec<FaultSpan>,
    indices: Vec<usize>,
}

impl Faults {
    pub(super) fn asked(&mut self, index: usize, fault: &PlannedFault, phase: usize, instance: usize, at: Micros) {
        self.indices.push(index);
        self.spans.push(FaultSpan {
            kind: fault.fault.kind.word().to_owned(),
            what: fault.what.clone(),
            instance,
            phase,
            asked: at,
            effect: None,
            cleared: None,
            harmed: 0,
            victims: Vec::new(),
        });
    }

    /// The word for a fault, for attempts that it withheld.
    pub(super) fn kind(&self, index: usize) -> String {
        let at = self.indices.iter().position(|known| *known == index);
        at.map_or_else(|| "fault".to_owned(), |at| self.spans[at].kind.clone())
    }

    /// Instances whose port refuses, from and until when.
    pub(super) fn refusing(&self) -> Vec<(usize, Micros, Micros)> {
        let refuses = self.spans.iter().filter(|span| matches!(span.kind.as_str(), "kill" | "refuse" | "misdirect"));
        let end = Micros::MAX / 2;
        refuses.map(|span| (span.instance, span.effect.unwrap_or(span.asked), span.cleared.unwrap_or(end))).collect()
    }

    /// The first effect counts; gives the span if this was it.
    pub(super) fn effect(&mut self, index: usize, at: Micros) -> Option<FaultSpan> {
        let span = self.of(index)?;
        if span.effect.is_some() {
            return None;
        }
        span.effect = Some(at);
        span.harmed = span.harmed.max(1);
        Some(span.clone())
    }

    pub(super) fn cleared(&mut self, index: usize, at: Micros) -> Option<FaultSpan> {
        let span = self.of(index)?;
        span.cleared = Some(at);
        Some(span.clone())
    }

    pub(super) fn harmed(&mut self, index: usize, units: u64, victims: Vec<u64>) {
        if let Some(span) = self.of(index) {
            span.harmed = units;
            span.victims = victims;
        }
    }

    fn of(&mut self, index: usize) -> Option<&mut FaultSpan> {
        let at = self.indices.iter().position(|known| *known == index)?;
        self.spans.get_mut(at)
    }
}
