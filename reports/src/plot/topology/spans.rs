//! The stretches of an arm in which the roads of the requests stayed the same: who was in, who was out, whether a fault was on.

use crate::plot::frame;
use crate::record::{Arm, EventKind, FaultSpan, Micros, Offers, SLOT};

/// Slots in which an instance is seen to get traffic, or to get none.
const WINDOW: usize = 5;
/// A stretch shorter than this is named by what comes next, unless an instance fell out at its end.
const SHORT: Micros = 300_000;

/// A named stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The phase.
    pub phase: String,
    /// What is particular about it: `before cart/1 is out`.
    pub state: Option<String>,
    /// Who is out: `cart/1`, `cart/1 and cart/2`, `3 instances`; and whether they are several.
    pub out: Option<(String, bool)>,
    /// First instant.
    pub from: Micros,
    /// First instant after it.
    pub to: Micros,
}

impl Span {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.to - self.from) as f64 / 1e6
    }

    /// Does a stretch cover at least half of it?
    pub fn within(&self, from: Micros, to: Micros) -> bool {
        2 * (to.min(self.to) - from.max(self.from)) >= self.to - self.from
    }
}

/// When a fault worked on its instance: a process that was started again is rid of what befell the one before.
pub(super) fn worked(arm: &Arm, fault: &FaultSpan) -> (Micros, Micros) {
    let (from, to) = frame::span(arm, fault);
    let name = arm.instances.get(fault.instance).map_or("", |instance| instance.name.as_str());
    let again = restarts(arm).filter(|(at, subject)| *subject == name && *at >= from).map(|(at, _)| at).min();
    match fault.kind.as_str() {
        "kill" | "pause" => (from, again.map_or(to, |at| at.min(to))),
        _ => (from, to),
    }
}

fn restarts(arm: &Arm) -> impl Iterator<Item = (Micros, &str)> {
    arm.events.iter().filter(|event| event.kind == EventKind::Restarted).map(|event| (event.at, event.subject.as_str()))
}

fn window(offers: &Offers, from: usize) -> u64 {
    offers.offered.iter().skip(from).take(WINDOW).map(|count| u64::from(*count)).sum()
}

/// What each other instance of the same service and version was offered in a window, on average. None: no others were counted.
fn peers(arm: &Arm, instance: usize, from: usize) -> Option<f64> {
    let own = &arm.instances[instance];
    let others: Vec<u64> = arm
        .offers
        .iter()
        .filter(|offers| offers.instance != instance)
        .filter(|offers| {
            arm.instances
                .get(offers.instance)
                .is_some_and(|other| other.service == own.service && other.version == own.version && !other.faulty)
        })
        .map(|offers| window(offers, from))
        .collect();
    (!others.is_empty()).then(|| others.iter().sum::<u64>() as f64 / others.len() as f64)
}

/// When an instance got no traffic: from when it was seen to fall out until it got its share again, and so on.
pub(crate) fn outs(arm: &Arm, instance: usize) -> Vec<(Micros, Micros)> {
    let name = arm.instances.get(instance).map_or("", |instance| instance.name.as_str());
    let seen = |kind: &str| -> Vec<Micros> {
        let all = arm.figures.healing.iter().filter(|one| one.kind == kind && one.subject == name);
        all.filter_map(|one| one.at).collect()
    };
    let (ejected, readmitted) = (seen("ejected"), seen("readmitted"));
    let end = frame::end(arm);
    let Some(first) = ejected.iter().min().copied() else { return Vec::new() };
    let Some(offers) = arm.offers.iter().find(|offers| offers.instance == instance) else {
        // Nobody counted: what was seen otherwise is all that is known.
        let back = |from: Micros| readmitted.iter().copied().filter(|at| *at > from).min().unwrap_or(end);
        return ejected.iter().map(|from| (*from, back(*from))).collect();
    };
    // What was measured more finely than in slots is taken instead.
    let finer = |at: Micros, known: &[Micros]| {
        known
            .iter()
            .copied()
            .filter(|one| (one - at).abs() <= 5 * SLOT)
            .min_by_key(|one| (one - at).abs())
            .unwrap_or(at)
    };
    let mut outs = Vec::new();
    let mut since = Some(first);
    for slot in (first.div_euclid(SLOT).max(0) as usize + 1)..offers.offered.len() {
        let at = slot as Micros * SLOT;
        let (own, Some(peers)) = (window(offers, slot) as f64, peers(arm, instance, slot)) else { break };
        let whole = slot + WINDOW <= offers.offered.len();
        match since {
            Some(from) if readmitted.iter().any(|back| *back > from && *back <= at) => {
                outs.push((from, readmitted.iter().copied().filter(|back| *back > from).min().unwrap_or(at)));
                since = None;
            }
            Some(from) if whole && offers.offered[slot] > 0 && own >= 0.5 * peers => {
                outs.push((from, finer(at, &readmitted).max(from)));
                since = None;
            }
            None if whole && peers >= WINDOW as f64 && own <= 0.1 * peers => since = Some(finer(at, &ejected)),
            _ => {}
        }
    }
    outs.extend(since.map(|from| (from, end)));
    outs.retain(|(from, to)| to - from >= SHORT);
    outs
}

/// All spans of an arm, in order of time.
pub fn spans(arm: &Arm) -> Vec<Span> {
    let outs: Vec<(usize, Vec<(Micros, Micros)>)> =
        (0..arm.instances.len()).map(|instance| (instance, outs(arm, instance))).collect();
    let taken_back: Vec<(Micros, &str)> = arm
        .figures
        .healing
        .iter()
        .filter(|one| one.kind == "rolled-back")
        .filter_map(|one| Some((one.at?, one.subject.as_str())))
        .collect();
    let mut spans = Vec::new();
    for phase in arm.phases.iter().filter(|phase| phase.judged && phase.to > phase.from) {
        let mut cuts = vec![phase.from];
        let inside = |at: Micros| at > phase.from && at < phase.to;
        cuts.extend(
            outs.iter().flat_map(|(_, outs)| outs).flat_map(|(from, to)| [*from, *to]).filter(|at| inside(*at)),
        );
        cuts.extend(taken_back.iter().map(|(at, _)| *at).filter(|at| inside(*at)));
        for fault in &arm.faults {
            let (on, off) = worked(arm, fault);
            cuts.extend([on, off].into_iter().filter(|at| inside(*at)));
        }
        cuts.push(phase.to);
        cuts.sort_unstable();
        cuts.dedup();
        for pair in cuts.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let decides = outs.iter().flat_map(|(_, outs)| outs).any(|(at, _)| *at == to);
            let acts = arm.faults.iter().map(|fault| worked(arm, fault)).any(|(on, off)| on <= from && off >= to);
            if to - from >= SHORT || (decides && acts && to > from) {
                let state = state(arm, &outs, &taken_back, (from, to), phase.to);
                spans.push(Span { phase: phase.name.clone(), state, out: who(arm, &outs, (from, to)), from, to });
            }
        }
    }
    joined(spans)
}

/// Neighbours of one phase that say the same are one.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.phase == span.phase && last.state == span.state => last.to = span.to,
            _ => joined.push(span),
        }
    }
    joined
}

fn list(names: &[&str]) -> String {
    match names {
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} and {other}"),
        _ => format!("{} instances", names.len()),
    }
}

fn who(arm: &Arm, outs: &[(usize, Vec<(Micros, Micros)>)], (from, to): (Micros, Micros)) -> Option<(String, bool)> {
    let out: Vec<&str> = outs
        .iter()
        .filter(|(_, outs)| outs.iter().any(|(since, back)| *since <= from && *back >= to))
        .map(|(instance, _)| arm.instances[*instance].name.as_str())
        .collect();
    (!out.is_empty()).then(|| (list(&out), out.len() > 1))
}

fn state(
    arm: &Arm,
    outs: &[(usize, Vec<(Micros, Micros)>)],
    taken_back: &[(Micros, &str)],
    (from, to): (Micros, Micros),
    end: Micros,
) -> Option<String> {
    let name = |instance: usize| arm.instances[instance].name.as_str();
    let acts = |fault: &FaultSpan| {
        let (on, off) = worked(arm, fault);
        2 * (off.min(to) - on.max(from)) >= to - from
    };
    let pick = |wanted: &dyn Fn(&(Micros, Micros)) -> bool| -> Vec<&str> {
        outs.iter().filter(|(_, outs)| outs.iter().any(wanted)).map(|(instance, _)| name(*instance)).collect()
    };
    let out = pick(&|(since, back)| *since <= from && *back >= to);
    let next = pick(&|(since, _)| *since == to);
    let soon = pick(&|(since, _)| *since >= to && *since < end);
    let back = pick(&|(_, back)| *back == from);
    let was = pick(&|(_, back)| *back <= from);
    let faulty: Vec<&str> = arm.faults.iter().filter(|fault| acts(fault)).map(|fault| name(fault.instance)).collect();
    if !out.is_empty() {
        let still = out.iter().any(|name| faulty.contains(name));
        return Some(format!("{} {}", list(&out), if still { "out" } else { "still out" }));
    }
    if !next.is_empty() {
        return Some(format!("before {} {} out", list(&next), if next.len() == 1 { "is" } else { "are" }));
    }
    if !faulty.is_empty() {
        let let_in: Vec<&str> = was.into_iter().filter(|name| faulty.contains(name)).collect();
        return Some(if !let_in.is_empty() {
            format!("{} let back in, still faulty", list(&let_in))
        } else if soon.is_empty() {
            "fault on, none out".to_owned()
        } else {
            format!("before {} {} out", list(&soon), if soon.len() == 1 { "is" } else { "are" })
        });
    }
    if !back.is_empty() {
        return Some(format!("{} back", list(&back)));
    }
    let began = arm.phases.iter().find(|phase| phase.from <= from && phase.to >= to).map_or(from, |phase| phase.from);
    if let Some((_, subject)) = restarts(arm).filter(|(at, _)| *at <= from && *at >= began).last() {
        return Some(format!("{subject} restarted"));
    }
    if let Some((_, subject)) = taken_back.iter().find(|(at, _)| *at <= from) {
        return Some(format!("{subject} taken back"));
    }
    taken_back
        .iter()
        .find(|(at, _)| *at >= to && *at < end)
        .map(|(_, subject)| format!("before {subject} is taken back"))
}
