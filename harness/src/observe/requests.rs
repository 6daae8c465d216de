//! What clients got, by slot, second and phase.

mod sums;

use super::Setup;
use super::ceilings::{Ceiling, Ceilings};
use super::faults::may_harm_from;
use super::offers::Offers;
use super::singles::Kept;
use crate::load::schedule::Arrivals;
use crate::load::wire::{End, Health, Sample};
use squall_reports::record::{
    FaultSpan, GeneratorHealth, HealthSecond, Instance, Latency, LatencyKind, Mark, Micros, Outcome, Outcomes, Phase,
    PhaseTotals, Population, SECOND, SLOT, SecondLatency, Single, Singles,
};
use squall_reports::stats::Histogram;
use std::collections::BTreeMap;

/// Fewer samples make no 99th percentile of a second.
const FEWEST_FOR_P99: u64 = 100;

/// All requests of an arm.
#[derive(Debug)]
pub(super) struct Requests {
    phases: Vec<Phase>,
    faulty_phases: Vec<usize>,
    time_outs: Vec<Micros>,
    /// Flows that are paced by their answers.
    /// How many requests a flow sends is known only when they have ended.
    unplanned: Vec<bool>,
    /// A flow asks nothing itself: it counts users, who are none of the requests of all flows.
    journeys: Vec<bool>,
    names: Vec<String>,
    outcomes: Vec<Outcomes>,
    ceilings: Ceilings,
    /// Lowest slot that has changed since it was last asked.
    changed: usize,
    cells: Vec<Vec<Cell>>,
    seconds: Vec<BTreeMap<i64, Histogram>>,
    /// Samples of each flow and second that have been told.
    told_seconds: BTreeMap<(usize, i64), u64>,
    lags: BTreeMap<i64, Histogram>,
    healths: Vec<Health>,
    straddling: Vec<Sample>,
    kept: Kept,
    /// When each lost request was due and ended, and its flow: all of them, since healing is measured from it.
    lost_times: Vec<(Micros, Micros, usize)>,
    ended: Vec<u64>,
    open_at_edges: Vec<u64>,
}

/// One flow in one phase.
#[derive(Debug, Default, Clone)]
struct Cell {
    planned: u64,
    sent: u64,
    outcomes: BTreeMap<Outcome, u64>,
    statuses: BTreeMap<u16, u64>,
    latencies: BTreeMap<(LatencyKind, Population), Histogram>,
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.sent += other.sent;
        other.outcomes.iter().for_each(|(outcome, count)| *self.outcomes.entry(outcome.clone()).or_default() += count);
        other.statuses.iter().for_each(|(status, count)| *self.statuses.entry(*status).or_default() += count);
        other.latencies.iter().for_each(|(key, histogram)| self.latencies.entry(*key).or_default().add(histogram));
    }

    fn lost(&self) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| outcome.is_lost()).map(|(_, count)| count).sum()
    }
}

fn micros(nanos: u64) -> Micros {
    (nanos / 1000) as Micros
}

pub(super) fn outcome(end: End, status: u16) -> Outcome {
    match end {
        End::Acceptable => Outcome::Acceptable,
        End::Degraded => Outcome::Degraded,
        End::Status => Outcome::Status(status),
        End::Reset => Outcome::Reset,
        End::Closed => Outcome::Closed,
        End::Refused => Outcome::Refused,
        End::Malformed => Outcome::Malformed,
        End::TimeOut => Outcome::TimeOut,
        End::Dropped => Outcome::Dropped,
        End::Cut => Outcome::Cut,
        End::Unexpected => Outcome::Unexpected,
        End::Grpc => Outcome::Grpc(status),
    }
}

/// From when on a moment may decide: the first phase after the baseline.
fn decides_from(setup: &Setup) -> Micros {
    setup.phases.iter().filter(|phase| phase.judged).nth(1).map_or(0, |phase| phase.from)
}

fn second_latency(flow: usize, second: i64, histogram: &Histogram) -> SecondLatency {
    SecondLatency {
        flow,
        at: second * SECOND,
        count: histogram.count(),
        p50: histogram.quantile(0.5),
        p90: histogram.quantile(0.9),
        p99: (histogram.count() >= FEWEST_FOR_P99).then(|| histogram.quantile(0.99)),
        max: histogram.max(),
        histogram: histogram.encode(),
    }
}

impl Requests {
    pub(super) fn new(setup: &Setup) -> Self {
        let end = setup.phases.last().map_or(0, |phase| phase.to);
        let slots = (end / SLOT) as usize + usize::from(end % SLOT > 0);
        let flows = setup.flows.len();
        let mut requests = Self {
            phases: setup.phases.clone(),
            faulty_phases: setup.faulty_phases.clone(),
            time_outs: setup.flows.iter().map(|flow| flow.time_out).collect(),
            unplanned: setup.plans.iter().map(|plan| plan.pace.schedule().is_none()).collect(),
            journeys: setup.plans.iter().map(|plan| plan.journey.is_some()).collect(),
            names: setup.flows.iter().map(|flow| flow.name.clone()).collect(),
            outcomes: (0..flows)
                .map(|flow| Outcomes { flow, planned: vec![0; slots], sent: vec![0; slots], ..Outcomes::default() })
                .collect(),
            changed: usize::MAX,
            ceilings: Ceilings::new(&setup.ceilings, &setup.flows, slots),
            cells: vec![vec![Cell::default(); setup.phases.len()]; flows],
            seconds: vec![BTreeMap::new(); flows],
            told_seconds: BTreeMap::new(),
            lags: BTreeMap::new(),
            healths: Vec::new(),
            straddling: Vec::new(),
            kept: Kept::new(decides_from(setup), slots),
            lost_times: Vec::new(),
            ended: vec![0; setup.phases.len()],
            open_at_edges: vec![0; setup.phases.len()],
        };
        for arrival in Arrivals::new(&setup.plans, setup.seed) {
            let due = micros(arrival.due);
            let slot = requests.outcomes[arrival.flow].planned.get_mut((due / SLOT) as usize);
            if let Some(count) = slot.filter(|_| !requests.journeys[arrival.flow]) {
                *count += 1;
            }
            let phase = requests.phase_at(due);
            requests.cells[arrival.flow][phase].planned += 1;
        }
        requests
    }

    /// The phase of a moment; what is after the last counts in it.
    fn phase_at(&self, at: Micros) -> usize {
        self.phases.iter().position(|phase| at < phase.to).unwrap_or(self.phases.len().saturating_sub(1))
    }

    /// Requests planned in each phase, over all flows.
    pub(super) fn planned(&self) -> Vec<u64> {
        let planned = |phase: usize| self.asking().map(|flow| self.cells[flow][phase].planned).sum();
        (0..self.phases.len()).map(planned).collect()
    }

    /// True for a flow that counts users instead of requests.
    pub(super) fn is_journey(&self, flow: u16) -> bool {
        self.journeys.get(usize::from(flow)).copied().unwrap_or(false)
    }

    /// The flows that ask something.
    fn asking(&self) -> impl Iterator<Item = usize> {
        (0..self.cells.len()).filter(|flow| !self.journeys[*flow])
    }

    pub(super) fn health(&mut self, health: Health) {
        self.healths.push(health);
    }

    pub(super) fn sample(&mut self, sample: Sample) {
        let flow = usize::from(sample.flow);
        if flow >= self.outcomes.len() {
            return;
        }
        let (due, done) = (micros(sample.due), micros(sample.done));
        let due_phase = self.phase_at(due);
        if self.journeys[flow] {
            return self.place(sample, due_phase);
        }
        let series = &mut self.outcomes[flow];
        let slots = series.planned.len();
        let slot = ((due / SLOT) as usize).min(slots.saturating_sub(1));
        if self.unplanned[flow] {
            // Nobody knew before that it would be sent.
            series.planned[slot] += 1;
            self.cells[flow][due_phase].planned += 1;
        }
        self.changed = self.changed.min(slot);
        let outcome = outcome(sample.end, sample.status);
        series.by_outcome.entry(outcome.clone()).or_insert_with(|| vec![0; slots])[slot] += 1;
        if let Some(sent) = sample.sent.and_then(|sent| series.sent.get_mut((micros(sent) / SLOT) as usize)) {
            *sent += 1;
        }
        let response = self.response(&sample);
        self.seconds[flow].entry(due / SECOND).or_default().record(response);
        self.ceilings.sample(&sample, slot, response);
        let lag = sample.released.saturating_sub(sample.due) / 1000;
        self.lags.entry(due / SECOND).or_default().record(lag);

        let done_phase = self.phase_at(done);
        self.ended[done_phase] += 1;
        (due_phase + 1..=done_phase).for_each(|phase| self.open_at_edges[phase] += 1);
        self.remember(&sample, outcome);
        self.place(sample, due_phase);
    }

    /// Counts a request in the phase in which it was due, unless a fault may take it over.
    fn place(&mut self, sample: Sample, due_phase: usize) {
        let done_phase = self.phase_at(micros(sample.done));
        let may_move = done_phase > due_phase && self.faulty_phases.contains(&(due_phase + 1));
        if may_move {
            self.straddling.push(sample);
        } else {
            self.count(&sample, due_phase);
        }
    }

    /// Response time as limits are judged by it: a lost request counts as the flow's time-out.
    fn response(&self, sample: &Sample) -> u64 {
        if outcome(sample.end, sample.status).is_lost() {
            self.time_outs[usize::from(sample.flow)] as u64
        } else {
            sample.done.saturating_sub(sample.due) / 1000
        }
    }

    fn count(&mut self, sample: &Sample, phase: usize) {
        let response = self.response(sample);
        let outcome = outcome(sample.end, sample.status);
        let cell = &mut self.cells[usize::from(sample.flow)][phase];
        let lost = outcome.is_lost();
        *cell.outcomes.entry(outcome).or_default() += 1;
        if sample.status > 0 && sample.end != End::Grpc {
            *cell.statuses.entry(sample.status).or_default() += 1;
        }
        let mut record = |kind, population, value| {
            cell.latencies.entry((kind, population)).or_default().record(value);
        };
        let own = if lost { Population::Lost } else { Population::Acceptable };
        record(LatencyKind::Response, Population::All, response);
        record(LatencyKind::Response, own, sample.done.saturating_sub(sample.due) / 1000);
        record(LatencyKind::PacerLag, Population::All, sample.released.saturating_sub(sample.due) / 1000);
        if let Some(sent) = sample.sent {
            record(LatencyKind::Service, own, sample.done.saturating_sub(sent) / 1000);
            record(LatencyKind::ConnectionWait, Population::All, sent.saturating_sub(sample.released) / 1000);
            cell.sent += 1;
        } else if self.journeys[usize::from(sample.flow)] {
            // What a user begins.
            cell.sent += 1;
        }
    }

    fn remember(&mut self, sample: &Sample, outcome: Outcome) {
        let single = Single {
            id: sample.id,
            flow: usize::from(sample.flow),
            due: micros(sample.due),
            sent: sample.sent.map(micros),
            done: micros(sample.done),
            instance: sample.instance.map(usize::from),
            outcome,
        };
        if single.outcome.is_lost() {
            self.lost_times.push((single.due, single.done, single.flow));
        }
        self.kept.keep(single);
    }

    /// Requests that were due before a fault and open when it may have harmed them go to the fault's phase; all others stay where they were due.
    pub(super) fn settle(&mut self, faults: &[FaultSpan]) {
        for sample in std::mem::take(&mut self.straddling) {
            let phase = self.phase_at(micros(sample.due));
            let effects = faults.iter().filter(|fault| fault.phase == phase + 1).filter_map(may_harm_from);
            let open = effects.min().is_some_and(|effect| micros(sample.done) >= effect);
            if open {
                let flow = usize::from(sample.flow);
                self.phases[phase + 1].moved_in += u64::from(!self.journeys[flow]);
                self.cells[flow][phase].planned -= 1;
                self.cells[flow][phase + 1].planned += 1;
            }
            self.count(&sample, phase + usize::from(open));
        }
        // A request of which the worker has said nothing was cut with it.
        for cell in self.cells.iter_mut().flatten() {
            let told: u64 = cell.outcomes.values().sum();
            if let Some(missing) = cell.planned.checked_sub(told).filter(|missing| *missing > 0) {
                *cell.outcomes.entry(Outcome::Cut).or_default() += missing;
            }
        }
        for series in &mut self.outcomes {
            let told = |slot: usize| series.by_outcome.values().map(|counts| counts[slot]).sum::<u32>();
            let missing: Vec<u32> =
                (0..series.planned.len()).map(|slot| series.planned[slot].saturating_sub(told(slot))).collect();
            if missing.iter().any(|count| *count > 0) {
                let slots = series.planned.len();
                let cut = series.by_outcome.entry(Outcome::Cut).or_insert_with(|| vec![0; slots]);
                cut.iter_mut().zip(missing).for_each(|(count, more)| *count += more);
            }
        }
    }

    pub(super) fn beyond_ceilings(&self) -> Vec<(Ceiling, Vec<(u32, u32)>)> {
        self.ceilings.counts(&self.outcomes)
    }

    pub(super) fn phases(&self) -> Vec<Phase> {
        self.phases.clone()
    }

    pub(super) fn outcomes(&self) -> Vec<Outcomes> {
        self.outcomes.clone()
    }

    pub(super) fn slots(&self, from: usize, to: usize) -> Vec<Outcomes> {
        let cut = |series: &[u32]| (from..to).map(|at| series.get(at).copied().unwrap_or(0)).collect::<Vec<_>>();
        let one = |series: &Outcomes| Outcomes {
            flow: series.flow,
            planned: cut(&series.planned),
            sent: cut(&series.sent),
            by_outcome: series.by_outcome.iter().map(|(outcome, counts)| (outcome.clone(), cut(counts))).collect(),
        };
        self.outcomes.iter().map(one).collect()
    }

    pub(super) fn lost_since(&mut self) -> Vec<Single> {
        self.kept.lost_since()
    }

    pub(super) fn lost(&self) -> Vec<(Micros, Micros, usize)> {
        let mut lost = self.lost_times.clone();
        lost.sort_unstable();
        lost
    }

    pub(super) fn about(&self, marks: &[Mark], offers: &Offers) -> Singles {
        self.kept.about(marks, offers)
    }

    pub(super) fn seconds(&self) -> Vec<SecondLatency> {
        self.all_seconds().map(|(flow, second, histogram)| second_latency(flow, second, histogram)).collect()
    }

    fn all_seconds(&self) -> impl Iterator<Item = (usize, i64, &Histogram)> {
        let flows = self.seconds.iter().enumerate();
        flows.flat_map(|(flow, seconds)| seconds.iter().map(move |(second, histogram)| (flow, *second, histogram)))
    }

    /// Latencies of the seconds that have changed since the last time.
    pub(super) fn seconds_since(&mut self) -> Vec<SecondLatency> {
        let told = |flow, second| self.told_seconds.get(&(flow, second)).copied().unwrap_or(0);
        let changed: Vec<_> = self
            .all_seconds()
            .filter(|(flow, second, histogram)| histogram.count() > told(*flow, *second))
            .map(|(flow, second, histogram)| second_latency(flow, second, histogram))
            .collect();
        self.told_seconds.extend(changed.iter().map(|one| ((one.flow, one.at / SECOND), one.count)));
        changed
    }

    pub(super) fn take_changed(&mut self) -> usize {
        std::mem::replace(&mut self.changed, usize::MAX)
    }

    pub(super) fn latencies(&self) -> Vec<Latency> {
        let mut all = Vec::new();
        let mut push = |flow, phase, cell: &Cell| {
            all.extend(cell.latencies.iter().map(|(what, values)| Latency::of((flow, phase), *what, values)));
        };
        for phase in 0..self.phases.len() {
            push(None, Some(phase), &self.cell(None, &[phase]));
            for flow in (0..self.cells.len()).filter(|_| self.cells.len() > 1) {
                push(Some(flow), Some(phase), &self.cells[flow][phase]);
            }
        }
        push(None, None, &self.cell(None, &self.judged()));
        all
    }

    fn judged(&self) -> Vec<usize> {
        (0..self.phases.len()).filter(|phase| self.phases[*phase].judged).collect()
    }

    /// Some phases added up, of one flow or of all.
    fn cell(&self, flow: Option<usize>, phases: &[usize]) -> Cell {
        let mut sum = Cell::default();
        let flows: Vec<usize> = flow.map_or_else(|| self.asking().collect(), |flow| vec![flow]);
        for flow in flows {
            phases.iter().for_each(|phase| sum.add(&self.cells[flow][*phase]));
        }
        sum
    }

    pub(super) fn totals(&self, offers: &Offers, instances: &[Instance]) -> Vec<PhaseTotals> {
        let mut all = Vec::new();
        let single: Vec<(String, Vec<usize>)> =
            (0..self.phases.len()).map(|phase| (self.phases[phase].name.clone(), vec![phase])).collect();
        for (name, phases) in single.into_iter().chain([("whole".to_owned(), self.judged())]) {
            all.push(self.total(&name, None, &phases, offers, instances));
            for flow in (0..self.cells.len()).filter(|_| self.cells.len() > 1) {
                all.push(self.total(&name, Some(flow), &phases, offers, instances));
            }
        }
        all
    }

    fn total(
        &self,
        name: &str,
        flow: Option<usize>,
        phases: &[usize],
        offers: &Offers,
        instances: &[Instance],
    ) -> PhaseTotals {
        let cell = self.cell(flow, phases);
        let length: Micros = phases.iter().map(|phase| self.phases[*phase].to - self.phases[*phase].from).sum();
        let offered = |instance: usize| {
            let one = |phase: &usize| offers.between(instance, self.phases[*phase].from, self.phases[*phase].to);
            phases.iter().map(one).sum::<u64>()
        };
        let arrivals: BTreeMap<String, u64> =
            instances.iter().enumerate().map(|(number, instance)| (instance.name.clone(), offered(number))).collect();
        let histogram = cell.latencies.get(&(LatencyKind::Response, Population::All)).cloned().unwrap_or_default();
        let mut response: BTreeMap<String, f64> =
            histogram.told().into_iter().map(|(name, value)| (name, value as f64 / 1e3)).collect();
        response.insert("mean".to_owned(), histogram.mean() / 1e3);
        PhaseTotals {
            phase: name.to_owned(),
            flow: flow.map(|flow| self.names[flow].clone()),
            planned: cell.planned,
            lost: cell.lost(),
            rate: cell.sent as f64 / (length.max(1) as f64 / 1e6),
            attempts: arrivals.values().sum(),
            ended: phases.iter().map(|phase| self.ended[*phase]).sum(),
            open_at_edges: phases
                .iter()
                .map(|phase| self.open_at_edges[*phase] + self.open_at_edges.get(phase + 1).copied().unwrap_or(0))
                .sum(),
            arrivals,
            statuses: cell.statuses,
            outcomes: cell.outcomes,
            response,
        }
    }

    pub(super) fn generator(&self, bare_timer_p99: u64) -> GeneratorHealth {
        let mut lag = Histogram::default();
        self.lags.values().for_each(|second| lag.add(second));
        let shares = self.cpu_shares();
        let seconds = self.lags.iter().map(|(second, lag)| HealthSecond {
            at: second * SECOND,
            lag_p99: lag.quantile(0.99),
            lag_max: lag.max(),
            cpu_share: shares.get(second).copied().unwrap_or(0.0),
        });
        let cells = || self.asking().flat_map(|flow| &self.cells[flow]);
        let planned: u64 = cells().map(|cell| cell.planned).sum();
        let dropped: u64 = cells().filter_map(|cell| cell.outcomes.get(&Outcome::Dropped)).sum();
        GeneratorHealth {
            planned,
            offered: lag.count(),
            lag_p99: lag.quantile(0.99),
            lag_max: lag.max(),
            bare_timer_p99: Some(bare_timer_p99),
            cpu_share: shares.values().copied().fold(0.0, f64::max),
            steal_share: None,
            saturated: (dropped > 3.max(planned / 1000)).then(|| "connections".to_owned()),
            seconds: seconds.collect(),
        }
    }

    /// Share of a core that the pacing thread used, by second.
    fn cpu_shares(&self) -> BTreeMap<i64, f64> {
        let share = |pair: &[Health]| {
            let (from, to) = (pair[0], pair[1]);
            let share = (to.cpu.saturating_sub(from.cpu)) as f64 / (to.at.saturating_sub(from.at)).max(1) as f64;
            (micros(from.at) / SECOND, share)
        };
        self.healths.windows(2).map(share).collect()
    }
}
