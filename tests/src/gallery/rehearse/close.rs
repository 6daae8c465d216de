//! What is written when a second is over, and when the arm is: latencies, health, totals, healing, evidence.

use super::super::tally::Tally;
use super::{Now, Stage};
use squall_reports::record::{
    Arm, Figure, GeneratorHealth, GroundTruth, HealthSecond, Mark, Micros, Offers, PhaseTotals, SECOND, SaidKind,
    SecondLatency,
};
use squall_reports::stats::Histogram;

impl Stage<'_> {
    pub(super) fn begin_second(&mut self, at: Micros) {
        self.now = Now {
            at,
            by_flow: self.plan.streams.iter().map(|_| Histogram::default()).collect(),
            lags: Vec::new(),
            served: vec![0; self.plan.places.len()],
        };
    }

    pub(super) fn end_second(&mut self) {
        let mut now = std::mem::take(&mut self.now);
        for (flow, histogram) in now.by_flow.iter().enumerate().filter(|(_, histogram)| histogram.count() > 0) {
            self.arm.seconds.push(SecondLatency {
                flow,
                at: now.at,
                count: histogram.count(),
                p50: histogram.quantile(0.5),
                p90: histogram.quantile(0.9),
                p99: (histogram.count() >= 100).then(|| histogram.quantile(0.99)),
                max: histogram.max(),
                histogram: histogram.encode(),
            });
        }
        now.lags.sort_unstable();
        now.lags.iter().for_each(|lag| self.lags.record(*lag));
        let requests = now.lags.len() as u64;
        self.arm.generator.seconds.push(HealthSecond {
            at: now.at,
            lag_p99: now.lags.get(now.lags.len() * 99 / 100).copied().unwrap_or(0),
            lag_max: now.lags.last().copied().unwrap_or(0),
            cpu_share: (requests as f64 * 45e-6).min(1.0),
        });
        let served: u64 = now.served.iter().sum();
        let work = [served * 40, served * 52, requests * 45].into_iter().chain(now.served.iter().map(|one| one * 25));
        let phase = self.phase_at(now.at);
        let age = (now.at / SECOND) as u64;
        for (process, cpu) in self.arm.processes.iter_mut().zip(work) {
            process.cpu.push(cpu);
            process.memory.push(7_900_000 + age * 4_096);
            process.cpu_by_phase.resize(self.plan.phases.len(), 0);
            process.cpu_by_phase[phase] += cpu;
        }
        self.begin_second(now.at + SECOND);
    }

    pub(super) fn finish(mut self) -> Arm {
        self.end_second();
        let names: Vec<String> = self.plan.places.iter().map(|place| place.name.clone()).collect();
        let flows: Vec<String> = self.plan.streams.iter().map(|stream| stream.name.clone()).collect();
        let mut whole = vec![Tally::default(); flows.len()];
        let phases = self.arm.phases.clone();
        let mut seconds_judged = 0.0;
        for (index, phase) in phases.iter().enumerate() {
            let tallies = std::mem::take(&mut self.tallies[index]);
            let long = (phase.to - phase.from) as f64 / 1e6;
            self.write(&tallies, Some(index), &phase.name, long, &names, &flows);
            if phase.judged {
                seconds_judged += long;
                whole.iter_mut().zip(&tallies).for_each(|(sum, tally)| sum.join(tally));
            }
        }
        self.write(&whole, None, "whole", seconds_judged, &names, &flows);
        self.heal();
        self.evidence();
        self.arm.singles = self.kept.singles();
        self.arm.events.sort_by_key(|event| event.at);
        self.arm.marks.sort_by_key(|mark| mark.at);
        self.arm
    }

    fn write(
        &mut self,
        tallies: &[Tally],
        phase: Option<usize>,
        name: &str,
        long: f64,
        names: &[String],
        flows: &[String],
    ) {
        let mut all = Tally::default();
        tallies.iter().for_each(|tally| all.join(tally));
        self.arm.totals.push(all.totals(name, None, long, names));
        self.arm.latencies.extend(all.latencies(None, phase));
        if tallies.len() > 1 {
            for (flow, tally) in tallies.iter().enumerate() {
                self.arm.totals.push(tally.totals(name, Some(&flows[flow]), long, names));
                self.arm.latencies.extend(tally.latencies(Some(flow), phase));
            }
        }
    }

    /// When each broken instance was out, and when it was back after its fault.
    fn heal(&mut self) {
        for fault in self.arm.faults.clone() {
            let name = self.plan.places[fault.instance].name.clone();
            let said = |what, from: Micros| {
                let mut said = self.arm.said.iter().filter(|one| one.instance == fault.instance);
                said.find(|one| one.what == what && one.at >= from).map(|one| one.at)
            };
            let (effect, cleared) = (fault.effect, fault.cleared);
            let out = effect.and_then(|effect| said(SaidKind::Ejected, effect));
            let back = cleared.and_then(|cleared| out.and_then(|_| said(SaidKind::Readmitted, cleared)));
            let figure = |kind: &str, from: Option<Micros>, at: Option<Micros>, resolution| Figure {
                kind: kind.to_owned(),
                subject: name.clone(),
                from,
                at,
                seconds: from.zip(at).map(|(from, at)| (at - from) as f64 / 1e6),
                resolution,
                note: None,
            };
            let figures = [figure("ejected", effect, out, 0.001), figure("readmitted", cleared, back, 0.1)];
            self.arm.figures.healing.extend(figures);
            if let Some(back) = back {
                self.arm.marks.push(Mark { at: back, label: "back".to_owned(), subject: name });
            }
        }
        self.arm.figures.silence = vec![1.0; self.plan.places.len()];
    }

    fn evidence(&mut self) {
        let sum = |pick: fn(&Offers) -> &Vec<u32>| -> u64 {
            self.arm.offers.iter().flat_map(pick).map(|count| u64::from(*count)).sum()
        };
        let (offered, received, inferred) =
            (sum(|offers| &offers.offered), sum(|offers| &offers.received), sum(|offers| &offers.inferred));
        let withheld = offered - received;
        let requests = self.lags.count();
        self.arm.truth = GroundTruth { offered, withheld, received, inferred, ..GroundTruth::default() };
        self.arm.generator = GeneratorHealth {
            planned: requests,
            offered: requests,
            lag_p99: self.lags.quantile(0.99),
            lag_max: self.lags.max(),
            bare_timer_p99: Some(112),
            cpu_share: self.arm.generator.seconds.iter().map(|second| second.cpu_share).fold(0.0, f64::max),
            steal_share: Some(0.002),
            saturated: None,
            seconds: std::mem::take(&mut self.arm.generator.seconds),
        };
        let judged = |totals: &&PhaseTotals| totals.phase == "whole" && totals.flow.is_none();
        if let Some(whole) = self.arm.totals.iter().find(judged).filter(|whole| whole.ended > 0) {
            self.arm.figures.attempts_per_request = Some(whole.attempts as f64 / whole.ended as f64);
            if self.plan.rollout.is_some() {
                self.arm.figures.release_hurt = Some(self.release_lost as f64 / whole.planned as f64);
            }
        }
    }
}
