//! When instances get traffic and when not, as far as a second's counts can tell: the report measures it exactly.

use super::Tone;
use crate::run::events::{Outline, Tally};
use crate::slo::words::{count, seconds};
use squall_reports::record::{Micros, SECOND, SaidKind};

/// Expected offers in the shortest silence that means anything.
const EXPECTED: f64 = 20.0;
/// Share of its baseline that a service must have for a silence to mean anything.
const BUSY: f64 = 0.8;
/// Share of its baseline that an instance must have to be back.
const BACK: f64 = 0.5;

/// All instances of an arm.
#[derive(Debug, Clone, Default)]
pub(in crate::output) struct Watch {
    all: Vec<One>,
    /// Offers are counted under way.
    counted: bool,
    /// Services whose traffic is shifted on purpose: their instances may fall silent.
    released: Vec<String>,
}

/// One instance.
#[derive(Debug, Clone, Default)]
pub(in crate::output) struct One {
    pub(in crate::output) name: String,
    service: String,
    /// Offers and micros of the baseline.
    baseline: (u64, Micros),
    /// Offers a second, in the last stretch.
    pub(in crate::output) rate: f64,
    /// Was offered anything yet.
    seen: bool,
    /// Out since then.
    pub(in crate::output) out: Option<Micros>,
    outages: u32,
    /// A fault acts since then; lost until then.
    fault: Option<(Micros, u64)>,
    cleared: Option<Micros>,
    /// The proxy says that it is out since then.
    pub(in crate::output) said_out: Option<Micros>,
    disagreed: bool,
}

/// What can be said of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) enum State {
    NotStarted,
    NotCounted,
    In,
    /// No request in the last stretch, which may mean nothing.
    Silent {
        faulty: bool,
    },
    Out {
        faulty: bool,
    },
    FaultyReceiving,
}

impl One {
    /// Offers a second before anything was broken.
    fn usual(&self) -> f64 {
        self.baseline.0 as f64 / (self.baseline.1.max(1) as f64 / SECOND as f64)
    }

    /// Out by the proxy's word, and yet it gets its share.
    pub(in crate::output) fn is_disputed(&self) -> bool {
        self.said_out.is_some() && self.rate >= BACK * self.usual() && self.usual() > 0.0
    }
}

impl Watch {
    pub(super) fn new(outline: &Outline) -> Self {
        let one = |instance: &squall_reports::record::Instance| One {
            name: instance.name.clone(),
            service: instance.service.clone(),
            ..One::default()
        };
        Self { all: outline.instances.iter().map(one).collect(), counted: outline.counted, released: Vec::new() }
    }

    pub(in crate::output) fn all(&self) -> &[One] {
        &self.all
    }

    pub(in crate::output) fn state(&self, index: usize) -> State {
        let one = &self.all[index];
        let faulty = one.fault.is_some();
        match one {
            _ if !self.counted => State::NotCounted,
            One { seen: false, out: None, .. } => State::NotStarted,
            One { out: Some(_), .. } => State::Out { faulty },
            One { rate, .. } if *rate <= 0.0 => State::Silent { faulty },
            _ if faulty => State::FaultyReceiving,
            _ => State::In,
        }
    }

    pub(super) fn fault_on(&mut self, name: &str, at: Micros, lost: u64) {
        if let Some(one) = self.all.iter_mut().find(|one| one.name == name) {
            one.fault.get_or_insert((at, lost));
            one.cleared = None;
        }
    }

    pub(super) fn fault_off(&mut self, name: &str, at: Micros) {
        if let Some(one) = self.all.iter_mut().find(|one| one.name == name) {
            one.fault = None;
            one.cleared = Some(at);
        }
    }

    /// Traffic of a service is shifted on purpose.
    pub(super) fn release(&mut self, service: &str) {
        self.released.push(service.to_owned());
    }

    /// Its process is another one.
    pub(super) fn restarted(&mut self, name: &str) {
        if let Some(one) = self.all.iter_mut().find(|one| one.name == name) {
            (one.fault, one.cleared) = (None, None);
        }
    }

    /// Takes a stretch in, and tells who went out and who came back.
    pub(super) fn look(&mut self, tally: &Tally, in_baseline: bool, lost: u64) -> Vec<(Micros, String, Tone)> {
        for (one, arrivals) in self.all.iter_mut().zip(&tally.arrivals) {
            one.rate = arrivals.count as f64 / tally.seconds();
            one.seen |= arrivals.count > 0;
            if in_baseline {
                one.baseline = (one.baseline.0 + arrivals.count, one.baseline.1 + tally.to - tally.from);
            }
        }
        for said in &tally.said {
            let Some(one) = self.all.get_mut(said.instance) else { continue };
            one.said_out = (said.what == SaidKind::Ejected).then_some(said.at);
            one.disagreed &= one.said_out.is_some();
        }
        if !self.counted || in_baseline {
            return Vec::new();
        }
        let mut told = Vec::new();
        for index in 0..self.all.len().min(tally.arrivals.len()) {
            if self.released.contains(&self.all[index].service) {
                continue;
            }
            let busy = self.is_busy(index);
            told.extend(self.all[index].look(tally, index, busy, lost));
        }
        told
    }

    fn is_busy(&self, index: usize) -> bool {
        let siblings = || self.all.iter().filter(|one| one.service == self.all[index].service);
        siblings().map(|one| one.rate).sum::<f64>() >= BUSY * siblings().map(One::usual).sum::<f64>()
    }
}

impl One {
    fn look(&mut self, tally: &Tally, index: usize, busy: bool, lost: u64) -> Option<(Micros, String, Tone)> {
        let usual = self.usual();
        if usual <= 0.0 {
            return None;
        }
        let arrivals = tally.arrivals[index];
        if self.out.is_some() {
            if self.rate < BACK * usual {
                return None;
            }
            self.out = None;
            let (text, tone) = match (self.fault, self.cleared) {
                (Some(_), _) => (format!("{} back in, still faulty", self.name), Tone::Bad),
                (None, Some(cleared)) => {
                    let after = (arrivals.first.unwrap_or(tally.from) - cleared).max(0) as f64 / 1e6;
                    (format!("{} back in about {after:.0} s after its fault ended", self.name), Tone::Good)
                }
                (None, None) => (format!("{} back in", self.name), Tone::Good),
            };
            return Some((tally.to, text, tone));
        }
        let silent_for = tally.to - arrivals.last.unwrap_or(0);
        let means_it = SECOND.max((EXPECTED / usual * 1e6) as Micros);
        if silent_for >= means_it && busy {
            let since = arrivals.last.unwrap_or(0);
            self.out = Some(since);
            self.outages += 1;
            let text = match self.fault {
                Some((effect, before)) if self.outages == 1 => {
                    let after = seconds((since - effect).max(0) as f64 / 1e6);
                    let lost = count(lost.saturating_sub(before));
                    format!("{} out {after} after the fault took effect, {lost} lost", self.name)
                }
                Some((_, before)) => {
                    format!("{} out again, {} lost since its fault", self.name, count(lost.saturating_sub(before)))
                }
                None => format!("{} out, although no fault is on it", self.name),
            };
            let tone = if self.fault.is_some() { Tone::Good } else { Tone::Fault };
            return Some((tally.to, text, tone));
        }
        if self.is_disputed() && !self.disagreed && self.said_out.is_some_and(|at| at < tally.from) {
            self.disagreed = true;
            let text = format!("note: the proxy says {} is ejected, requests keep arriving", self.name);
            return Some((tally.to, text, Tone::Said));
        }
        None
    }
}
