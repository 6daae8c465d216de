//! What instances were offered, and whether relays and ledgers explain each other.

use super::behind::Behind;
use crate::service::ledger::{self, Counts};
use crate::shim::wire::{Fate, Offer};
use squall_reports::record::{self, GroundTruth, Instance, Micros, SLOT};
use std::collections::{BTreeMap, HashSet};

/// What keeps attempts from an instance whose proxy answers in its place.
const SIDECAR: &str = "sidecar";

/// How soon after a refused attempt the next one is offered.
const FOLLOWS: Micros = 500_000;

/// Offers of all instances.
#[derive(Debug)]
pub(super) struct Offers {
    instances: Vec<OfInstance>,
    /// Words for what keeps an attempt from its instance.
    kinds: Vec<String>,
    /// Lowest slot that has changed since it was last asked.
    changed: usize,
    probes: u64,
    /// Attempts that no relay was offered and no single refusing instance explains.
    unplaced: u64,
}

/// One attempt; there may be millions.
#[derive(Debug)]
struct Attempt {
    at: Micros,
    id: Option<u64>,
    attempt: u32,
    /// Index into [`Offers::kinds`], or [`REACHED`].
    withheld: u16,
}

/// Nothing kept the attempt from its instance.
const REACHED: u16 = u16::MAX;

#[derive(Debug, Default)]
struct OfInstance {
    series: record::Offers,
    all: Vec<Attempt>,
    received: u64,
    behind: Option<Behind>,
    ledger_slots: Vec<u32>,
    has_ledger: bool,
    /// Attempts that its port refused, by when the next attempt of the same request was offered.
    inferred: Vec<Micros>,
}

/// The slot of a moment; what is before the load counts in the first.
fn slot(at: Micros) -> usize {
    (at.max(0) / SLOT) as usize
}

fn bump(series: &mut Vec<u32>, slot: usize) {
    if series.len() <= slot {
        series.resize(slot + 1, 0);
    }
    series[slot] += 1;
}

impl Offers {
    pub(super) fn new(instances: usize) -> Self {
        Self {
            instances: (0..instances).map(|_| OfInstance::default()).collect(),
            kinds: Vec::new(),
            changed: usize::MAX,
            probes: 0,
            unplaced: 0,
        }
    }

    pub(super) fn offer(&mut self, offer: &Offer, at: Micros, kind: impl Fn(u32) -> String) {
        if offer.probe {
            self.probes += 1;
            return;
        }
        let Some(instance) = self.instances.get_mut(offer.relay) else { return };
        let slot = slot(at);
        self.changed = self.changed.min(slot);
        bump(&mut instance.series.offered, slot);
        if offer.attempt > 1 {
            bump(&mut instance.series.retries, slot);
        }
        let kept = instance.behind.as_mut().and_then(|behind| behind.ended(offer.request));
        let withheld = match offer.fate {
            Fate::Relayed => None,
            Fate::Sidecar => Some(kept.unwrap_or_else(|| SIDECAR.to_owned())),
            Fate::Withheld(fault) => Some(kind(fault)),
            Fate::Unreachable => Some("unreachable".to_owned()),
            Fate::Cut => {
                bump(&mut instance.series.cut, slot);
                None
            }
        };
        if let Some(kind) = &withheld {
            bump(instance.series.withheld.entry(kind.clone()).or_default(), slot);
        }
        let withheld = withheld.map_or(REACHED, |kind| {
            let known = self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                self.kinds.push(kind);
                self.kinds.len() - 1
            });
            u16::try_from(known).unwrap_or(REACHED)
        });
        instance.all.push(Attempt { at, id: offer.request, attempt: offer.attempt, withheld });
    }

    /// An attempt was offered to a relay behind the proxy beside an instance; those are numbered on from the relays in front.
    pub(super) fn behind(&mut self, offer: &Offer, kind: impl Fn(u32) -> String) {
        let count = self.instances.len();
        let instance = offer.relay.checked_sub(count).and_then(|number| self.instances.get_mut(number));
        if let Some(instance) = instance.filter(|_| !offer.probe) {
            instance.behind.get_or_insert_default().offer(offer, kind);
        }
    }

    pub(super) fn ledger(&mut self, instance: usize, counts: &Counts, shift: Micros) {
        self.probes += counts.probes;
        let Some(instance) = self.instances.get_mut(instance) else { return };
        instance.received += counts.total();
        instance.has_ledger = true;
        for (number, count) in counts.received.iter().enumerate() {
            let at = shift + number as i64 * ledger::SLOT.as_micros() as i64;
            for _ in 0..*count {
                bump(&mut instance.ledger_slots, slot(at));
            }
        }
    }

    /// Where there are no relays, an attempt received stands for an attempt offered.
    pub(super) fn take_ledgers_for_offers(&mut self) {
        for instance in &mut self.instances {
            instance.series.offered.clone_from(&instance.ledger_slots);
        }
    }

    /// When each instance was offered an attempt, and the attempt's number, in order of time.
    pub(super) fn by_instance(&self) -> Vec<Vec<(Micros, u32)>> {
        let one = |instance: &OfInstance| {
            let mut offered: Vec<_> = instance.all.iter().map(|offer| (offer.at, offer.attempt)).collect();
            offered.sort_unstable();
            offered
        };
        self.instances.iter().map(one).collect()
    }

    pub(super) fn take_changed(&mut self) -> usize {
        std::mem::replace(&mut self.changed, usize::MAX)
    }

    /// Attempts of one instance offered in a stretch of time.
    pub(super) fn between(&self, instance: usize, from: Micros, to: Micros) -> u64 {
        let instance = &self.instances[instance];
        if instance.all.is_empty() {
            let slots = instance.series.offered.iter().enumerate();
            let inside = slots.filter(|(number, _)| (from..to).contains(&(*number as i64 * SLOT)));
            return inside.map(|(_, count)| u64::from(*count)).sum();
        }
        let offered = instance.all.iter().filter(|offer| (from..to).contains(&offer.at)).count();
        let inferred = instance.inferred.iter().filter(|at| (from..to).contains(*at)).count();
        (offered + inferred) as u64
    }

    /// Finds attempts that the kernel refused, which no relay could count: a later attempt of the same request gives them away. They belong to
    /// the one instance that refused at the time.
    pub(super) fn infer_refused(&mut self, refusing: &[(usize, Micros, Micros)]) {
        let all = || self.instances.iter().flat_map(|instance| &instance.all);
        let retried: HashSet<u64> = all().filter(|offer| offer.attempt > 1).filter_map(|offer| offer.id).collect();
        let mut attempts: BTreeMap<u64, BTreeMap<u32, Micros>> = BTreeMap::new();
        for offer in all() {
            if let Some(id) = offer.id.filter(|id| retried.contains(id)) {
                attempts.entry(id).or_default().insert(offer.attempt, offer.at);
            }
        }
        for seen in attempts.values() {
            let last = seen.keys().next_back().copied().unwrap_or(0);
            for missing in (1..last).filter(|attempt| !seen.contains_key(attempt)) {
                let Some((_, at)) = seen.range(missing..).next() else { continue };
                let mut candidates = refusing.iter().filter(|(_, from, to)| (*from..*to + FOLLOWS).contains(at));
                match (candidates.next(), candidates.next()) {
                    (Some((instance, ..)), None) => {
                        let instance = &mut self.instances[*instance];
                        instance.inferred.push(*at);
                        bump(&mut instance.series.inferred, slot(*at));
                    }
                    _ => self.unplaced += 1,
                }
            }
        }
    }

    /// All series, of one length.
    pub(super) fn series(&self, at_least: usize) -> Vec<record::Offers> {
        self.slots(0, at_least.max(self.longest()))
    }

    fn longest(&self) -> usize {
        self.instances.iter().map(|one| one.series.offered.len().max(one.ledger_slots.len())).max().unwrap_or(0)
    }

    /// Some slots of all series.
    pub(super) fn slots(&self, from: usize, to: usize) -> Vec<record::Offers> {
        let cut = |series: &[u32]| (from..to).map(|at| series.get(at).copied().unwrap_or(0)).collect::<Vec<_>>();
        let one = |(number, one): (usize, &OfInstance)| record::Offers {
            instance: number,
            offered: cut(&one.series.offered),
            retries: cut(&one.series.retries),
            withheld: one.series.withheld.iter().map(|(kind, series)| (kind.clone(), cut(series))).collect(),
            cut: cut(&one.series.cut),
            received: cut(&one.ledger_slots),
            inferred: cut(&one.series.inferred),
        };
        self.instances.iter().enumerate().map(one).collect()
    }

    /// Offers at moments that are near.
    pub(super) fn near(&self, near: &impl Fn(Micros) -> bool) -> impl Iterator<Item = record::Offer> {
        let kind = |withheld: u16| self.kinds.get(usize::from(withheld)).cloned();
        let of = move |(instance, one): (usize, &OfInstance)| {
            let offers = one.all.iter().filter(|offer| near(offer.at));
            let told = offers.map(|offer| record::Offer {
                at: offer.at,
                instance,
                id: offer.id,
                attempt: offer.attempt,
                withheld: kind(offer.withheld),
            });
            told.collect::<Vec<_>>()
        };
        self.instances.iter().enumerate().flat_map(of).collect::<Vec<_>>().into_iter()
    }

    /// Every offer was withheld, received, or open when its instance or its client went away.
    pub(super) fn truth(&self, names: &[Instance], relayed: bool) -> GroundTruth {
        let sum = |series: &[u32]| series.iter().map(|count| u64::from(*count)).sum::<u64>();
        let mut truth = GroundTruth { probes: self.probes, inferred: self.unplaced, ..GroundTruth::default() };
        for (instance, name) in self.instances.iter().zip(names) {
            let offered = sum(&instance.series.offered);
            let withheld = instance.series.withheld.values().map(|series| sum(series)).sum::<u64>();
            let cut = sum(&instance.series.cut);
            truth.offered += offered;
            truth.withheld += withheld;
            truth.cut += cut;
            truth.received += instance.received;
            truth.inferred += instance.inferred.len() as u64;
            if !relayed || !instance.has_ledger {
                continue;
            }
            // The proxy beside it may have answered for an instance that has the attempt all the same.
            let unsure = instance.series.withheld.get(SIDECAR).map_or(0, |series| sum(series));
            let (offered, withheld, cut) = match &instance.behind {
                Some(behind) => (behind.offered, behind.withheld, behind.cut),
                None => (offered, withheld - unsure, cut + unsure),
            };
            let passed = offered as i64 - withheld as i64;
            let (least, most) = (passed - cut as i64, passed);
            let received = instance.received as i64;
            let off = if received < least { least - received } else { (received - most).max(0) };
            if off > 0 {
                truth.unexplained += off;
                let name = &name.name;
                truth.disagreements.push(format!(
                    "{name}: {offered} offered, {withheld} withheld, {cut} cut, but {received} received"
                ));
            }
        }
        truth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(all: &[(usize, u64, u32, Micros)]) -> Offers {
        let mut offers = Offers::new(2);
        for (relay, request, attempt, at) in all.iter().copied() {
            let offer = Offer { at: 0, relay, request: Some(request), attempt, fate: Fate::Relayed, probe: false };
            offers.offer(&offer, at, |_| String::new());
        }
        offers
    }

    #[test]
    fn an_attempt_that_no_relay_was_offered_belongs_to_the_instance_that_refused() {
        let mut offers = offers(&[(1, 7, 2, 1_030_000), (1, 8, 1, 1_040_000), (0, 9, 1, 10), (1, 9, 2, 20)]);
        offers.infer_refused(&[(0, 1_000_000, 2_000_000)]);
        assert_eq!(offers.truth(&[], true).inferred, 0, "the sums are by name");
        assert_eq!(offers.instances[0].inferred, [1_030_000]);
        assert_eq!(offers.between(0, 1_000_000, 2_000_000), 1);
        assert_eq!(offers.unplaced, 0);
    }

    #[test]
    fn where_two_refuse_it_belongs_to_neither() {
        let mut offers = offers(&[(1, 7, 3, 1_030_000)]);
        offers.infer_refused(&[(0, 1_000_000, 2_000_000), (1, 1_000_000, 2_000_000)]);
        assert_eq!(offers.unplaced, 2);
    }
}
