//! Healing, measured from what instances were offered and what clients got; never from the proxy's own word, except that it has refused
//! what it was given.

mod ceiling;

pub use ceiling::Ceiling;
use squall_reports::record::{EventKind, FaultSpan, Figure, Figures, Micros, Phase, SECOND, SLOT};
use std::collections::BTreeMap;

/// Share of its baseline traffic that a service must have while an instance is silent, for the silence to mean anything.
const SERVICE_SHARE: f64 = 0.8;
/// Share of its baseline that an instance must have to be back.
const BACK_SHARE: f64 = 0.5;
/// Expected offers in the shortest silence: the chance of a random gap is below 1e-8.
const EXPECTED: f64 = 20.0;
/// Shortest silence that can mean anything.
const SHORTEST: Micros = 1_000_000;
/// Resolution of times taken from single offers, and from slots.
const FINE: f64 = 0.001;
const COARSE: f64 = 0.1;

/// Everything that healing is measured from.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Phases, the warm-up first.
    pub phases: Vec<Phase>,
    /// Faults as asked and seen.
    pub faults: Vec<FaultSpan>,
    /// Name, service and version of each instance.
    pub instances: Vec<(String, String, Option<String>)>,
    /// Offers by instance in order of time, with the number of the attempt.
    pub offers: Vec<Vec<(Micros, u32)>>,
    /// Due times of lost requests, in order.
    pub lost: Vec<Micros>,
    /// Planned and lost by slot, over all flows.
    pub slots: Vec<(u32, u32)>,
    /// Events: when, what, about whom.
    pub events: Vec<(Micros, EventKind, String)>,
    /// The same by service, over the flows that ask it.
    pub slots_of: BTreeMap<String, Vec<(u32, u32)>>,
    /// Requests that were answered, whatever the status, by service and the slot in which they were due.
    pub answered: BTreeMap<String, Vec<u32>>,
    /// Lowest share of good requests that a phase with a fault on the service asks for, by service.
    pub success: BTreeMap<String, f64>,
    /// Latency limits that such phases set.
    pub ceilings: Vec<Ceiling>,
    /// Services with a release under way: their instances may fall silent on purpose.
    pub releases: Vec<String>,
}

impl Evidence {
    fn baseline(&self) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.judged)
    }

    fn end(&self) -> Micros {
        self.phases.last().map_or(0, |phase| phase.to)
    }

    /// Offers a second of an instance in the baseline.
    fn rate(&self, instance: usize) -> f64 {
        let Some(phase) = self.baseline() else { return 0.0 };
        self.count(instance, phase.from, phase.to) as f64 / ((phase.to - phase.from).max(1) as f64 / 1e6)
    }

    fn count(&self, instance: usize, from: Micros, to: Micros) -> usize {
        let offers = &self.offers[instance];
        offers.partition_point(|(at, _)| *at < to) - offers.partition_point(|(at, _)| *at < from)
    }

    fn siblings(&self, instance: usize) -> impl Iterator<Item = usize> + '_ {
        let service = &self.instances[instance].1;
        (0..self.instances.len()).filter(move |other| self.instances[*other].1 == *service)
    }

    /// The service as a whole has had its traffic in this window: at its instances, or answered without any of them, as where all are out.
    fn service_is_busy(&self, instance: usize, from: Micros, to: Micros) -> bool {
        let expected: f64 = self.siblings(instance).map(|one| self.rate(one)).sum::<f64>() * (to - from) as f64 / 1e6;
        let offered: usize = self.siblings(instance).map(|one| self.count(one, from, to)).sum();
        let slot = |at: Micros| usize::try_from(at / SLOT).unwrap_or(0);
        let answered = self.answered.get(&self.instances[instance].1).map_or(&[][..], Vec::as_slice);
        let answered: u32 = answered.iter().take(slot(to)).skip(slot(from)).sum();
        (offered as f64).max(answered.into()) >= SERVICE_SHARE * expected
    }

    /// Silence of so long means that an instance is out.
    pub fn silence(&self, instance: usize) -> Micros {
        let rate = self.rate(instance);
        if rate <= 0.0 { Micros::MAX / 4 } else { SHORTEST.max((EXPECTED / rate * 1e6) as Micros) }
    }

    /// First silence that begins in `[from, until)`: the last offer before it.
    fn silent_from(&self, instance: usize, from: Micros, until: Micros) -> Option<Micros> {
        let silence = self.silence(instance);
        let offers = &self.offers[instance];
        let mut last = from;
        let first = offers.partition_point(|(at, _)| *at < from);
        for at in offers[first..].iter().map(|(at, _)| *at).chain([Micros::MAX / 2]) {
            if last >= until {
                return None;
            }
            let long = at - last > silence && last + silence <= self.end();
            if long && self.service_is_busy(instance, last, last + silence) {
                return Some(last);
            }
            last = at;
        }
        None
    }

    /// Refused attempts reach nobody who counts: out is when for a silence's length nothing was lost and nothing tried again.
    fn untroubled_from(&self, instance: usize, from: Micros, until: Micros) -> Option<Micros> {
        let silence = self.silence(instance);
        let again = self.siblings(instance).flat_map(|one| &self.offers[one]).filter(|(_, attempt)| *attempt > 1);
        let mut troubles: Vec<Micros> = again.map(|(at, _)| *at).chain(self.lost.iter().copied()).collect();
        troubles.retain(|at| *at >= from);
        troubles.sort_unstable();
        let mut calm_since = from;
        for trouble in troubles.into_iter().chain([Micros::MAX / 2]) {
            if trouble - calm_since > silence {
                let within = calm_since < until && calm_since + silence <= self.end();
                return within.then_some(calm_since);
            }
            calm_since = trouble;
        }
        None
    }

    fn ejected(&self, fault: &FaultSpan) -> Figure {
        let from = fault.effect;
        let until = fault.cleared.unwrap_or_else(|| self.end());
        let refused = matches!(fault.kind.as_str(), "kill" | "refuse" | "misdirect");
        let at = from.and_then(|from| {
            if refused {
                self.untroubled_from(fault.instance, from, until)
            } else {
                self.silent_from(fault.instance, from, until)
            }
        });
        Self::figure("ejected", self.instances[fault.instance].0.clone(), from, at, FINE, None)
    }

    /// The first offer after the fault from which on the instance has, for a second, half of its baseline share; a trial is none.
    fn readmitted(&self, fault: &FaultSpan) -> Figure {
        let instance = fault.instance;
        let name = self.instances[instance].0.clone();
        let Some(cleared) = fault.cleared else {
            return Self::figure("readmitted", name, None, None, COARSE, Some("the fault was never cleared"));
        };
        let offers = &self.offers[instance];
        let after = offers.partition_point(|(at, _)| *at < cleared);
        let before = after.checked_sub(1).map_or(0, |last| offers[last].0);
        let next = offers.get(after).map_or(self.end(), |(at, _)| *at);
        if next - before < self.silence(instance) {
            return Self::figure("readmitted", name, Some(cleared), None, COARSE, Some("was not out"));
        }
        let needed = BACK_SHARE * self.rate(instance);
        let is_back = |at: &Micros| self.count(instance, *at, at + SECOND) as f64 >= needed;
        let mut offers = offers[after..].iter().map(|(at, _)| *at).take_while(|at| at + SECOND <= self.end());
        Self::figure("readmitted", name, Some(cleared), offers.find(is_back), FINE, None)
    }

    /// From the process being hit (stopped or gone) to a replacement that is ready.
    fn restarted(&self, fault: &FaultSpan) -> Option<Figure> {
        let name = &self.instances[fault.instance].0;
        let of = |wanted: EventKind| {
            let from = fault.effect.unwrap_or(fault.asked);
            let mut events =
                self.events.iter().filter(move |(at, kind, subject)| *kind == wanted && subject == name && *at >= from);
            events.next().map(|(at, _, _)| *at)
        };
        let gone = of(EventKind::Gone);
        let restarted = of(EventKind::Restarted);
        (gone.is_some() || restarted.is_some() || fault.kind == "kill")
            .then(|| Self::figure("restarted", name.clone(), fault.effect.or(gone), restarted, FINE, None))
    }

    /// First 5 s in a row, sliding by a slot, in which no more is lost or slow than the fault's phase allows.
    fn recovered(&self, service: &str, effect: Micros) -> Figure {
        const WINDOW: usize = 50;
        const ASKED_BY_DEFAULT: f64 = 0.999;
        let slots = self.slots_of.get(service).map_or(&[][..], Vec::as_slice);
        let success = self.success.get(service).copied().unwrap_or(ASKED_BY_DEFAULT);
        let ceilings = || self.ceilings.iter().filter(|ceiling| ceiling.service == service);
        let first = (effect.max(0) / SLOT) as usize;
        let good = |at: usize| {
            let window = &slots[at..at + WINDOW];
            let (planned, lost) = window.iter().fold((0, 0), |(p, l), (planned, lost)| (p + planned, l + lost));
            f64::from(lost) <= f64::from(planned) * (1.0 - success) + 1e-6
                && ceilings().all(|ceiling| ceiling.holds(at..at + WINDOW))
        };
        let last = slots.len().checked_sub(WINDOW);
        let mut windows = first..=last.unwrap_or(0);
        if last.is_none_or(|last| first > last) {
            return Self::figure(
                "recovered",
                service.to_owned(),
                Some(effect),
                None,
                COARSE,
                Some("too short to tell"),
            );
        }
        if windows.clone().all(good) {
            return Self::figure(
                "recovered",
                service.to_owned(),
                Some(effect),
                Some(effect),
                COARSE,
                Some("never missed"),
            );
        }
        let at = windows.find(|at| good(*at)).map(|at| (at as Micros * SLOT).max(effect));
        Self::figure("recovered", service.to_owned(), Some(effect), at, COARSE, None)
    }

    /// From the first bad answer of a release to the last offer to its version.
    fn rolled_back(&self) -> Vec<Figure> {
        let first_of = |subject: &str, kind: EventKind| {
            self.events.iter().find(|(_, one, about)| *one == kind && about == subject).map(|(at, _, _)| *at)
        };
        let mut subjects: Vec<String> = self
            .events
            .iter()
            .filter(|(_, kind, _)| *kind == EventKind::Release)
            .map(|(_, _, subject)| subject.clone())
            .collect();
        subjects.dedup();
        subjects.sort();
        subjects.dedup();
        subjects
            .into_iter()
            .map(|subject| {
                let (service, version) = subject.split_once('@').unwrap_or((&subject, ""));
                let of_version = |instance: &usize| {
                    let (_, own, own_version) = &self.instances[*instance];
                    own == service && own_version.as_deref() == Some(version)
                };
                let offers = (0..self.instances.len()).filter(of_version).flat_map(|instance| &self.offers[instance]);
                let last = offers.map(|(at, _)| *at).max();
                let bad = first_of(&subject, EventKind::BadAnswer).or_else(|| first_of(&subject, EventKind::Release));
                let done = first_of(&subject, EventKind::RolledBack);
                let at = done.map(|done| last.map_or(done, |last| last.max(bad.unwrap_or(done))));
                let begun = first_of(&subject, EventKind::Release).unwrap_or(0);
                let (planned, lost) = self.hurt(begun, done.unwrap_or_else(|| self.end()));
                let note = format!("{lost} of {planned} requests were lost while it was out");
                Self::figure("rolled-back", subject, bad, at, FINE, Some(&note))
            })
            .collect()
    }

    /// From policies being written to the last proxy's word that it goes on with what it has; that nobody noticed is a matter of what was lost.
    fn refused(&self) -> Vec<Figure> {
        let pushed = self.events.iter().filter(|(_, kind, _)| *kind == EventKind::Pushed);
        let figure = |(at, _, phase): &(Micros, EventKind, String)| {
            let mut answers = self.events.iter().filter(|(later, _, subject)| later >= at && subject == phase);
            let refused = answers.find(|(_, kind, _)| *kind == EventKind::Refused).map(|(refused, _, _)| *refused);
            Self::figure("refused", phase.clone(), Some(*at), refused, FINE, None)
        };
        pushed.map(figure).collect()
    }

    /// Requests planned and lost in between, over all flows.
    fn hurt(&self, from: Micros, to: Micros) -> (u64, u64) {
        let slot = |at: Micros| usize::try_from(at / SLOT).unwrap_or(0).min(self.slots.len());
        let within = &self.slots[slot(from)..slot(to + SLOT - 1).max(slot(from))];
        within.iter().fold((0, 0), |(planned, lost), (p, l)| (planned + u64::from(*p), lost + u64::from(*l)))
    }

    /// Share of requests lost from the first step of any release until it was taken back.
    fn release_hurt(&self) -> Option<f64> {
        let begun = self.events.iter().find(|(_, kind, _)| *kind == EventKind::Release)?.0;
        let done = self.events.iter().find(|(_, kind, _)| *kind == EventKind::RolledBack).map(|(at, _, _)| *at);
        let (planned, lost) = self.hurt(begun, done.unwrap_or_else(|| self.end()));
        (planned > 0).then(|| lost as f64 / planned as f64)
    }

    /// Healthy instances that fell silent although no fault hits them.
    fn false_ejections(&self) -> Vec<Figure> {
        let Some(begin) = self.baseline().map(|phase| phase.from) else { return Vec::new() };
        let hit = |instance: usize| self.faults.iter().any(|fault| fault.instance == instance);
        let released = |instance: usize| self.releases.contains(&self.instances[instance].1);
        let innocent = (0..self.instances.len()).filter(|instance| !hit(*instance) && !released(*instance));
        innocent
            .filter(|instance| self.rate(*instance) > 0.0)
            .filter_map(|instance| {
                let at = self.silent_from(instance, begin, self.end())?;
                Some(Self::figure("silent", self.instances[instance].0.clone(), Some(begin), Some(at), FINE, None))
            })
            .collect()
    }

    fn figure(
        kind: &str,
        subject: String,
        from: Option<Micros>,
        at: Option<Micros>,
        resolution: f64,
        note: Option<&str>,
    ) -> Figure {
        let seconds = from.zip(at).map(|(from, at)| (at - from).max(0) as f64 / 1e6);
        Figure { kind: kind.to_owned(), subject, from, at, seconds, resolution, note: note.map(str::to_owned) }
    }
}

/// All healing figures of an arm.
pub fn figures(evidence: &Evidence) -> Figures {
    let mut healing = Vec::new();
    // What is withheld harms nobody by itself.
    for fault in evidence.faults.iter().filter(|fault| fault.kind != "stale") {
        healing.push(evidence.ejected(fault));
        healing.push(evidence.readmitted(fault));
        healing.extend(evidence.restarted(fault));
        if let Some(effect) = fault.effect {
            let service = &evidence.instances[fault.instance].1;
            if !healing.iter().any(|figure: &Figure| figure.kind == "recovered" && figure.subject == *service) {
                healing.push(evidence.recovered(service, effect));
            }
        }
    }
    healing.extend(evidence.rolled_back());
    healing.extend(evidence.refused());
    Figures {
        healing,
        false_ejections: evidence.false_ejections(),
        silence: (0..evidence.instances.len()).map(|instance| evidence.silence(instance) as f64 / 1e6).collect(),
        attempts_per_request: None,
        release_hurt: evidence.release_hurt(),
    }
}

#[cfg(test)]
mod tests;
