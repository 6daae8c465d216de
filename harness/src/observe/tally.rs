//! What an arm has done of late, for whoever watches it: told about once a second, and forgotten.

use super::Setup;
use super::requests::outcome;
use crate::load::wire::{Health, Sample, Sums};
use crate::shim::wire::Offer;
use squall_reports::record::{LatencyKind, Micros, Outcome, Outcomes, Phase, Population, SECOND, SLOT, Said};
use squall_reports::stats::Histogram;
use std::collections::BTreeMap;

/// Relays and load tell in batches: a slot is complete so long after its end.
const SETTLED: Micros = 200_000;
/// Shorter stretches are told with the next one.
const SHORTEST: Micros = 9 * SLOT;
/// Fewer samples make no 99th percentile.
const FEWEST_FOR_P99: usize = 100;

/// A stretch of an arm, about a second long.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// First instant of the stretch.
    pub from: Micros,
    /// First instant after it.
    pub to: Micros,
    /// Requests due in it.
    pub planned: u64,
    /// Requests written to a connection in it.
    pub sent: u64,
    /// Requests that ended in it, by outcome.
    pub ended: BTreeMap<Outcome, u64>,
    /// Median response time of those, microseconds; lost ones count as their time-out.
    pub p50: Option<u64>,
    /// 99th percentile; absent under 100 samples.
    pub p99: Option<u64>,
    /// What each instance was offered in it.
    pub arrivals: Vec<Arrivals>,
    /// Each phase so far.
    pub phases: Vec<PhaseCount>,
    /// 99th percentile of the generator's lag, microseconds.
    pub lag_p99: Option<u64>,
    /// Share of a core that the generator's pacing thread used.
    pub generator_cpu: Option<f64>,
    /// Share of the machine's time that the hypervisor took away.
    pub steal: Option<f64>,
    /// Share of a core that the proxy used, and its memory in bytes.
    pub proxy: Option<(f64, u64)>,
    /// What the proxy has said of its endpoints since the last tally.
    pub said: Vec<Said>,
}

impl Tally {
    /// Seconds from first to last instant.
    pub fn seconds(&self) -> f64 {
        (self.to - self.from).max(1) as f64 / SECOND as f64
    }

    /// Requests that were lost in it.
    pub fn lost(&self) -> u64 {
        self.ended.iter().filter(|(outcome, _)| outcome.is_lost()).map(|(_, count)| count).sum()
    }

    /// Requests that were answered in it.
    pub fn answered(&self) -> u64 {
        self.ended.values().sum::<u64>() - self.lost()
    }
}

/// What one instance was offered in a stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Attempts.
    pub count: u64,
    /// The first of them.
    pub first: Option<Micros>,
    /// The last one ever.
    pub last: Option<Micros>,
}

/// The requests that were due in a phase, as far as they have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseCount {
    /// Ended.
    pub ended: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Of those, degraded.
    pub degraded: u64,
    /// Ended in the next phase while that phase's fault was planned: they may come to count there.
    pub moving: u64,
    /// Of those, lost or degraded.
    pub moving_bad: u64,
}

impl PhaseCount {
    /// Counts one more request that was due in `phase` and ended in `done`, where a phase with a fault may take it over.
    pub(crate) fn add(counts: &mut [Self], phase: usize, done: usize, faulty: &[usize], outcome: &Outcome, times: u64) {
        let Some(count) = counts.get_mut(phase) else { return };
        count.ended += times;
        count.lost += if outcome.is_lost() { times } else { 0 };
        count.degraded += if *outcome == Outcome::Degraded { times } else { 0 };
        if done > phase && faulty.contains(&(phase + 1)) {
            count.moving += times;
            count.moving_bad += if *outcome == Outcome::Acceptable { 0 } else { times };
        }
    }
}

/// Samples and offers by the slot in which they happened, until they are told.
#[derive(Debug)]
pub(super) struct Tallies {
    phases: Vec<Phase>,
    faulty: Vec<usize>,
    time_outs: Vec<Micros>,
    counts: Vec<PhaseCount>,
    slots: BTreeMap<Micros, Slot>,
    last: Vec<Option<Micros>>,
    healths: [Option<Health>; 2],
    told: usize,
    said: usize,
}

#[derive(Debug, Default)]
struct Slot {
    ended: BTreeMap<Outcome, u64>,
    responses: Vec<u64>,
    lags: Vec<u64>,
    /// Response times, and the generator's lag, of requests that were added up where they were sent.
    summed: Option<Box<[Histogram; 2]>>,
    arrivals: BTreeMap<usize, (u64, Micros)>,
}

impl Tallies {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            phases: setup.phases.clone(),
            faulty: setup.faulty_phases.clone(),
            time_outs: setup.flows.iter().map(|flow| flow.time_out).collect(),
            counts: vec![PhaseCount::default(); setup.phases.len()],
            slots: BTreeMap::new(),
            last: vec![None; setup.instances.len()],
            healths: [None, None],
            told: 0,
            said: 0,
        }
    }

    pub(super) fn sample(&mut self, sample: &Sample) {
        let micros = |nanos: u64| (nanos / 1000) as Micros;
        let outcome = outcome(sample.end, sample.status);
        let (due, done) = (micros(sample.due), micros(sample.done));
        let at = |moment| phase_at(&self.phases, moment);
        PhaseCount::add(&mut self.counts, at(due), at(done), &self.faulty, &outcome, 1);
        let time_out = self.time_outs.get(usize::from(sample.flow)).copied().unwrap_or(0);
        let slot = self.slots.entry(done / SLOT).or_default();
        slot.responses.push(if outcome.is_lost() { time_out } else { done - due }.max(0) as u64);
        slot.lags.push(sample.released.saturating_sub(sample.due) / 1000);
        *slot.ended.entry(outcome).or_default() += 1;
    }

    /// Requests that were added up where they were sent; they are told with the slot in which the first of them was due.
    pub(super) fn sums(&mut self, sums: &Sums) {
        let from = (sums.from / 1000) as Micros;
        let phase = phase_at(&self.phases, from);
        let slot = self.slots.entry((from / SLOT).max(self.told as Micros)).or_default();
        for (_, end, status, count) in &sums.ended {
            let (outcome, count) = (outcome(*end, *status), u64::from(*count));
            PhaseCount::add(&mut self.counts, phase, phase, &self.faulty, &outcome, count);
            *slot.ended.entry(outcome).or_default() += count;
        }
        for latencies in &sums.latencies {
            let place = match (latencies.kind, latencies.population) {
                (LatencyKind::Response, Population::All) => 0,
                (LatencyKind::PacerLag, Population::All) => 1,
                _ => continue,
            };
            // What our own worker has written is a histogram.
            let _ = slot.summed.get_or_insert_default()[place].add_encoded(&latencies.histogram);
        }
    }

    pub(super) fn offer(&mut self, offer: &Offer, at: Micros) {
        let Some(last) = self.last.get_mut(offer.relay).filter(|_| !offer.probe) else { return };
        *last = (*last).max(Some(at));
        let arrivals = self.slots.entry(at.max(0) / SLOT).or_default().arrivals.entry(offer.relay).or_insert((0, at));
        *arrivals = (arrivals.0 + 1, arrivals.1.min(at));
    }

    pub(super) fn health(&mut self, health: Health) {
        self.healths = [self.healths[1], Some(health)];
    }

    /// The slots that are to be told now, if they are worth it: at the end of the load, however few.
    pub(super) fn due(&self, now: Micros) -> Option<(usize, usize)> {
        let to = ((now - SETTLED) / SLOT).max(0) as usize;
        let end = self.phases.last().map_or(0, |phase| phase.to);
        let long = (to.saturating_sub(self.told) as Micros) * SLOT >= SHORTEST;
        (to > self.told && (long || now >= end)).then_some((self.told, to))
    }

    /// Tells the stretch and forgets it. `outcomes` are its slots, `said` is all that the proxy has said so far.
    pub(super) fn take(&mut self, (from, to): (usize, usize), outcomes: &[Outcomes], said: Vec<Said>) -> Tally {
        let later = self.slots.split_off(&(to as Micros));
        let slots = std::mem::replace(&mut self.slots, later);
        self.told = to;
        let sum = |series: fn(&Outcomes) -> &Vec<u32>| {
            outcomes.iter().flat_map(series).map(|count| u64::from(*count)).sum::<u64>()
        };
        let mut tally = Tally {
            from: from as Micros * SLOT,
            to: to as Micros * SLOT,
            planned: sum(|outcomes| &outcomes.planned),
            sent: sum(|outcomes| &outcomes.sent),
            arrivals: self.last.iter().map(|last| Arrivals { last: *last, ..Arrivals::default() }).collect(),
            phases: self.counts.clone(),
            generator_cpu: self.generator_cpu(),
            ..Tally::default()
        };
        let (mut responses, mut lags) = (Vec::new(), Vec::new());
        let mut summed = <[Histogram; 2]>::default();
        for slot in slots.into_values() {
            summed.iter_mut().zip(slot.summed.iter().flat_map(|of| &**of)).for_each(|(sum, one)| sum.add(one));
            slot.ended.into_iter().for_each(|(outcome, count)| *tally.ended.entry(outcome).or_default() += count);
            for (instance, (count, first)) in slot.arrivals {
                let arrivals = &mut tally.arrivals[instance];
                arrivals.count += count;
                arrivals.first = Some(arrivals.first.map_or(first, |known| known.min(first)));
            }
            responses.extend(slot.responses);
            lags.extend(slot.lags);
        }
        let of = |summed: &Histogram, share| Some(summed.quantile(share)).filter(|_| summed.count() > 0);
        let enough = responses.len() + summed[0].count() as usize >= FEWEST_FOR_P99;
        tally.p50 = quantile(&mut responses, 0.5).or_else(|| of(&summed[0], 0.5));
        tally.p99 = quantile(&mut responses, 0.99).or_else(|| of(&summed[0], 0.99)).filter(|_| enough);
        tally.lag_p99 = quantile(&mut lags, 0.99).or_else(|| of(&summed[1], 0.99));
        let known = std::mem::replace(&mut self.said, said.len());
        tally.said = said.into_iter().skip(known).collect();
        tally
    }

    fn generator_cpu(&self) -> Option<f64> {
        let (from, to) = (self.healths[0]?, self.healths[1]?);
        Some(to.cpu.saturating_sub(from.cpu) as f64 / to.at.saturating_sub(from.at).max(1) as f64)
    }
}

/// The phase of a moment; what is after the last counts in it.
fn phase_at(phases: &[Phase], at: Micros) -> usize {
    phases.iter().position(|phase| at < phase.to).unwrap_or(phases.len().saturating_sub(1))
}

/// Nearest rank.
fn quantile(values: &mut [u64], quantile: f64) -> Option<u64> {
    let rank = (values.len() as f64 * quantile).ceil() as usize;
    let at = rank.checked_sub(1)?;
    Some(*values.select_nth_unstable(at).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Nanos;
    use crate::load::wire::End;
    use crate::shim::wire::Fate;
    use squall_reports::record::{Flow, Instance};

    fn setup() -> Setup {
        let phase = |name: &str, from: Micros, to: Micros| Phase {
            name: name.to_owned(),
            from: from * SECOND,
            to: to * SECOND,
            judged: true,
            moved_in: 0,
        };
        let flow = Flow {
            name: "load".to_owned(),
            to: "cart".to_owned(),
            journey: false,
            rate: 100.0,
            connections: "4".to_owned(),
            time_out: 5 * SECOND,
        };
        let instance = Instance {
            name: "cart/1".to_owned(),
            service: "cart".to_owned(),
            version: None,
            address: String::new(),
            faulty: true,
        };
        Setup {
            start: Nanos(0),
            phases: vec![phase("baseline", 0, 2), phase("fault", 2, 4)],
            faulty_phases: vec![1],
            flows: vec![flow],
            plans: Vec::new(),
            seed: 0,
            instances: vec![instance],
            bare_timer_p99: 0,
            relayed: true,
            ceilings: Vec::new(),
        }
    }

    fn sample(due_ms: u64, done_ms: u64, end: End) -> Sample {
        let nanos = |ms: u64| ms * 1_000_000;
        Sample {
            id: due_ms,
            flow: 0,
            due: nanos(due_ms),
            released: nanos(due_ms),
            sent: Some(nanos(due_ms)),
            first_byte: None,
            done: nanos(done_ms),
            end,
            status: 200,
            instance: None,
        }
    }

    #[test]
    fn a_stretch_is_told_once_it_is_complete_and_only_once() {
        let mut tallies = Tallies::new(&setup());
        assert_eq!(tallies.due(900_000), None);
        (0..120).for_each(|ms| tallies.sample(&sample(ms, ms + 7, End::Acceptable)));
        tallies.sample(&sample(500, 950, End::TimeOut));
        let offer = |at| Offer { at, relay: 0, request: Some(1), attempt: 1, fate: Fate::Relayed, probe: false };
        tallies.offer(&offer(0), 30_000);
        tallies.offer(&offer(0), 980_000);
        let stretch = tallies.due(1_100_000).unwrap();
        assert_eq!(stretch, (0, 9));
        let tally = tallies.take(stretch, &[], Vec::new());
        assert_eq!((tally.answered(), tally.lost()), (120, 0), "what ended after the stretch is told with the next");
        assert_eq!((tally.p50, tally.p99), (Some(7_000), Some(7_000)));
        assert_eq!(tally.arrivals, [Arrivals { count: 1, first: Some(30_000), last: Some(980_000) }]);
        assert_eq!(tallies.due(1_150_000), None);
        let tally = tallies.take((9, 19), &[], Vec::new());
        assert_eq!((tally.lost(), tally.p50, tally.p99), (1, Some(5_000_000), None));
    }

    #[test]
    fn the_last_stretch_is_told_however_short() {
        let mut tallies = Tallies::new(&setup());
        tallies.take((0, 38), &[], Vec::new());
        assert_eq!(tallies.due(3_990_000), None);
        assert_eq!(tallies.due(4_100_000), Some((38, 39)));
    }

    #[test]
    fn a_request_that_a_fault_may_take_over_is_told_apart() {
        let mut tallies = Tallies::new(&setup());
        tallies.sample(&sample(1_990, 2_010, End::Reset));
        tallies.sample(&sample(1_000, 1_001, End::Reset));
        tallies.sample(&sample(3_000, 4_500, End::Degraded));
        let counts = tallies.take((0, 40), &[], Vec::new()).phases;
        assert_eq!(counts[0], PhaseCount { ended: 2, lost: 2, degraded: 0, moving: 1, moving_bad: 1 });
        assert_eq!(counts[1], PhaseCount { ended: 1, lost: 0, degraded: 1, moving: 0, moving_bad: 0 });
    }
}
