//! What happened in one arm, added up while it happens.
//!
//! [`Recorder`] takes samples of the load, offers of the relays, events and measurements, and makes an [`Arm`] of them. It judges nothing. Its
//! memory is sums and histograms, a bounded number of single requests, and 32 bytes for each attempt, which healing is measured from.

mod behind;
mod ceilings;
mod faults;
mod offers;
mod processes;
mod requests;
mod second;
mod singles;
mod tally;

pub use ceilings::Ceiling;
pub use tally::{Arrivals, PhaseCount, Tally};

use crate::clock::Nanos;
use crate::load::wire::{FlowPlan, Health, Sample, Sums};
use crate::process::proc::Usage;
use crate::scenario::resolved::PlannedFault;
use crate::service::ledger::Counts;
use crate::shim::wire::Offer;
use faults::Faults;
use offers::Offers;
use processes::Processes;
use requests::Requests;
use squall_reports::record::stream::Line;
use squall_reports::record::{Arm, Event, EventKind, Flow, Instance, Mark, Micros, Phase, Said, Singles, Witness};
use tally::Tallies;

/// What is known of an arm before its load begins.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Instant 0.
    pub start: Nanos,
    /// Phases, the warm-up first.
    pub phases: Vec<Phase>,
    /// Phases with a fault: a request that is open when it takes effect belongs to it.
    pub faulty_phases: Vec<usize>,
    /// Flows as they are recorded.
    pub flows: Vec<Flow>,
    /// Flows as the load worker has them.
    pub plans: Vec<FlowPlan>,
    /// The seed that it was given.
    pub seed: u64,
    /// Instances, in the order of the relays.
    pub instances: Vec<Instance>,
    /// 99th percentile of a bare timer loop just before, microseconds.
    pub bare_timer_p99: u64,
    /// Offers are counted by relays; otherwise what the ledgers say stands in their place.
    pub relayed: bool,
    /// Latency limits that recovery is measured by.
    pub ceilings: Vec<Ceiling>,
}

impl Setup {
    /// True if it is known before how many requests will be sent.
    pub fn is_planned(&self) -> bool {
        self.plans.iter().all(|plan| plan.journey.is_some() || plan.pace.schedule().is_some())
    }
}

/// Adds up one arm.
#[derive(Debug)]
pub struct Recorder {
    setup: Setup,
    requests: Requests,
    offers: Offers,
    faults: Faults,
    processes: Processes,
    /// Ticks of the whole machine, stolen and all.
    ticks: Vec<(u64, u64)>,
    events: Vec<Event>,
    told_events: usize,
    said: Vec<Said>,
    /// Slots that have been streamed.
    streamed: usize,
    tallies: Tallies,
    /// Events that have been shown.
    shown_events: usize,
}

impl Recorder {
    /// A recorder at the beginning of an arm.
    pub fn new(setup: Setup) -> Self {
        Self {
            requests: Requests::new(&setup),
            offers: Offers::new(setup.instances.len()),
            faults: Faults::default(),
            processes: Processes::default(),
            ticks: Vec::new(),
            events: Vec::new(),
            told_events: 0,
            said: Vec::new(),
            streamed: 0,
            tallies: Tallies::new(&setup),
            shown_events: 0,
            setup,
        }
    }

    /// Microseconds since the load began.
    pub fn micros(&self, at: Nanos) -> Micros {
        (at.0 as i64 - self.setup.start.0 as i64) / 1000
    }

    /// A request has ended.
    pub fn sample(&mut self, sample: Sample) {
        if !self.requests.is_journey(sample.flow) {
            self.tallies.sample(&sample);
        }
        self.requests.sample(sample);
    }

    /// Requests have ended, and were added up where they were sent.
    pub fn sums(&mut self, sums: &Sums) {
        if !self.requests.is_journey(sums.flow) {
            self.tallies.sums(sums);
        }
        self.requests.sums(sums);
    }

    /// The load worker about itself.
    pub fn health(&mut self, health: Health) {
        self.tallies.health(health);
        self.requests.health(health);
    }

    /// An attempt was offered to an instance.
    pub fn offer(&mut self, offer: &Offer) {
        let at = self.micros(Nanos(offer.at));
        if offer.relay >= self.setup.instances.len() {
            let kind = |fault: u32| self.faults.kind(fault as usize);
            return self.offers.behind(offer, kind);
        }
        self.tallies.offer(offer, at);
        let kind = |fault: u32| self.faults.kind(fault as usize);
        self.offers.offer(offer, at, kind);
    }

    /// Something happened.
    pub fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn happened(&mut self, at: Nanos, kind: EventKind, subject: &str, witness: Witness, text: String) {
        let at = self.micros(at);
        self.events.push(Event { at, kind, subject: subject.to_owned(), witness, text });
    }

    /// A fault was asked for.
    pub fn fault_asked(&mut self, index: usize, fault: &PlannedFault, phase: usize, instance: usize, at: Nanos) {
        let micros = self.micros(at);
        self.faults.asked(index, fault, phase, instance, micros);
        self.happened(at, EventKind::FaultAsked, &fault.target.to_string(), Witness::Harness, fault.what.clone());
    }

    /// A fault has harmed its first unit.
    pub fn fault_effect(&mut self, index: usize, at: Nanos, witness: Witness) {
        let micros = self.micros(at);
        if let Some(span) = self.faults.effect(index, micros) {
            let (subject, text) =
                (self.setup.instances[span.instance].name.clone(), format!("{} takes effect", span.kind));
            self.happened(at, EventKind::FaultEffect, &subject, witness, text);
        }
    }

    /// A fault has ended.
    pub fn fault_cleared(&mut self, index: usize, at: Nanos) {
        let micros = self.micros(at);
        if let Some(span) = self.faults.cleared(index, micros) {
            let (subject, text) =
                (self.setup.instances[span.instance].name.clone(), format!("{} is cleared", span.kind));
            self.happened(at, EventKind::FaultCleared, &subject, Witness::Harness, text);
        }
    }

    /// What a fault has harmed.
    pub fn fault_harmed(&mut self, index: usize, units: u64, victims: Vec<u64>) {
        self.faults.harmed(index, units, victims);
    }

    /// The proxy's own word.
    pub fn said(&mut self, said: Said) {
        self.said.push(said);
    }

    /// What one generation of an instance has counted.
    pub fn ledger(&mut self, instance: usize, counts: &Counts) {
        let shift = self.micros(counts.start);
        self.offers.ledger(instance, counts, shift);
    }

    /// What a process has taken so far.
    pub fn process(&mut self, name: &str, at: Nanos, usage: Usage) {
        let at = self.micros(at);
        self.processes.sample(name, at, usage);
    }

    /// Processor time of the whole machine, now: stolen and all, in ticks.
    pub fn machine(&mut self, stolen: u64, all: u64) {
        self.ticks.push((stolen, all));
    }

    /// When each instance was offered an attempt, and the attempt's number: what healing is measured from.
    pub fn offered(&self) -> Vec<Vec<(Micros, u32)>> {
        self.offers.by_instance()
    }

    /// Faults so far.
    pub fn fault_spans(&self) -> Vec<squall_reports::record::FaultSpan> {
        self.faults.spans.clone()
    }

    /// Requests ended but not well, in order of their due time, as due, done and flow.
    pub fn lost(&self) -> Vec<(Micros, Micros, usize)> {
        self.requests.lost()
    }

    /// The latency limits that recovery is measured by: requests planned, and those that took longer, by slot.
    pub fn beyond_ceilings(&self) -> Vec<(Ceiling, Vec<(u32, u32)>)> {
        self.requests.beyond_ceilings()
    }

    /// Lines for the stream: what is complete and has not been told.
    pub fn second(&mut self, arm: usize, now: Nanos) -> Vec<Line> {
        let mut lines: Vec<Line> =
            self.events[self.told_events..].iter().map(|event| Line::Event { arm, event: event.clone() }).collect();
        self.told_events = self.events.len();
        let until = (self.micros(now) / squall_reports::record::SLOT).max(0) as usize;
        if until > self.streamed {
            lines.push(second::line(arm, self.streamed, until, &mut self.requests, &mut self.offers));
            self.streamed = until;
        }
        lines
    }

    /// Requests planned in each phase, over all flows.
    pub fn planned(&self) -> Vec<u64> {
        self.requests.planned()
    }

    /// Events that have not been shown yet.
    pub fn fresh_events(&mut self) -> Vec<Event> {
        let fresh = self.events[self.shown_events..].to_vec();
        self.shown_events = self.events.len();
        fresh
    }

    /// What is complete since the last time, once it is about a second. `said` is all that the proxy has said so far.
    pub fn tally(&mut self, now: Nanos, said: Vec<Said>) -> Option<Tally> {
        let stretch = self.tallies.due(self.micros(now))?;
        let outcomes = self.requests.slots(stretch.0, stretch.1);
        let mut tally = self.tallies.take(stretch, &outcomes, said);
        tally.steal = processes::worst_steal(&self.ticks[self.ticks.len().saturating_sub(2)..]);
        tally.proxy = self.processes.of_proxies();
        Some(tally)
    }

    /// Everything, added up; and what single requests can still be taken from, once it is known which moments decide.
    pub fn finish(mut self, mut arm: Arm) -> (Arm, Remembered) {
        if !self.setup.relayed {
            self.offers.take_ledgers_for_offers();
        }
        self.offers.infer_refused(&self.faults.refusing());
        self.requests.settle(&self.faults.spans);
        arm.phases = self.requests.phases();
        arm.truth = self.offers.truth(&self.setup.instances, self.setup.relayed);
        arm.totals = self.requests.totals(&self.offers, &self.setup.instances);
        arm.outcomes = self.requests.outcomes();
        arm.offers = self.offers.series(arm.outcomes.first().map_or(0, |outcomes| outcomes.planned.len()));
        arm.seconds = self.requests.seconds();
        arm.latencies = self.requests.latencies();
        arm.generator = self.requests.generator(self.setup.bare_timer_p99);
        arm.generator.steal_share = processes::worst_steal(&self.ticks);
        arm.processes = self.processes.finish(&arm.phases);
        arm.faults = self.faults.spans;
        arm.flows = self.setup.flows;
        arm.instances = self.setup.instances;
        self.events.sort_by_key(|event| event.at);
        arm.events = self.events;
        arm.said = self.said;
        (arm, Remembered { requests: self.requests, offers: self.offers })
    }
}

/// Requests and offers that were kept one by one.
#[derive(Debug)]
pub struct Remembered {
    requests: Requests,
    offers: Offers,
}

impl Remembered {
    /// Every lost request, and everything about these moments.
    pub fn about(&self, marks: &[Mark]) -> Singles {
        self.requests.about(marks, &self.offers)
    }
}
