//! What was lost, and what for: when, how it ended for clients, which fault was on, and whether anything was tried again.

use super::story::{lost, upper};
use crate::plot::arrivals::spells;
use crate::plot::{frame, number, outcomes, topology};
use crate::record::{Arm, Micros, Record, SLOT};

/// Kinds of loss that are told one by one.
const KINDS: usize = 3;

/// Spells of losses that are told one by one.
const SPELLS: usize = 3;

/// When requests were lost, and what clients saw; None if none was.
pub(super) fn losses(arm: &Arm) -> Option<String> {
    let lost = lost(arm);
    let spells = spells(&lost);
    let second = |slot: usize| number::instant(slot as i64 * SLOT);
    let (first, last) = (spells.first()?, spells.last()?);
    let count = number::count(lost.iter().sum());
    let when = match &spells[..] {
        [one] => format!("{count} requests were lost, all due from {} to {}", second(one.0), second(one.1)),
        few if few.len() <= SPELLS => {
            let each = |(from, to, sum): &(usize, usize, u64)| {
                format!("{} due from {} to {}", number::count(*sum), second(*from), second(*to))
            };
            format!("{count} requests were lost: {}", few.iter().map(each).collect::<Vec<_>>().join(", "))
        }
        many => format!(
            "{count} requests were lost in {} spells, the first due from {}, the last until {}",
            many.len(),
            second(first.0),
            second(last.1)
        ),
    };
    Some(format!("{when}; {}.", seen(arm)))
}

/// How it ended for clients: `clients saw 503 90 times, time-out 11 times`.
fn seen(arm: &Arm) -> String {
    let kinds = outcomes::kinds(arm);
    let times = |(kind, count): &(String, u64)| match count {
        1 => format!("{kind} once"),
        count => format!("{kind} {} times", number::count(*count)),
    };
    match &kinds[..] {
        [(kind, _)] => format!("clients saw {kind} each time"),
        kinds => {
            let told: Vec<String> = kinds.iter().take(KINDS).map(times).collect();
            let more = if kinds.len() > KINDS { " and others" } else { "" };
            format!("clients saw {}{more}", told.join(", "))
        }
    }
}

/// What was broken meanwhile, and what was done about it. Only where requests were lost under a fault.
pub(super) fn fault(record: &Record, arm: &Arm) -> Option<String> {
    let lost = lost(arm);
    let bands = frame::bands(arm);
    let (from, to) = (bands.iter().map(|band| band.from).min()?, bands.iter().map(|band| band.to).max()?);
    let within = |slot: usize| (from..=to).contains(&(slot as i64 * SLOT));
    let during: u64 = lost.iter().enumerate().filter(|(slot, _)| within(*slot)).map(|(_, count)| count).sum();
    if during == 0 {
        return None;
    }
    let spans: Vec<String> = bands
        .iter()
        .zip([" was on"].into_iter().chain(std::iter::repeat("")))
        .map(|(band, verb)| {
            format!("{}{verb} from {} to {}", band.label, number::instant(band.from), number::instant(band.to))
        })
        .collect();
    let again: u64 = arm
        .offers
        .iter()
        .flat_map(|offers| offers.retries.iter().enumerate())
        .filter(|(slot, _)| within(*slot))
        .map(|(_, count)| u64::from(*count))
        .sum();
    let again = match again {
        0 => format!("no request was tried again ({})", retrying(record)),
        1 => "1 request was tried again".to_owned(),
        many => format!("{} attempts were second tries", number::count(many)),
    };
    let harmed: u64 = frame::faults(arm).iter().map(|fault| fault.harmed).sum();
    let harmed = if harmed > 0 { format!(" and harmed {}", number::count(harmed)) } else { String::new() };
    Some(format!("{}{harmed}; meanwhile {again}.", upper(&spans.join(", "))))
}

/// What the policies say of retries, in their own words, where they say one thing.
fn retrying(record: &Record) -> String {
    let lines = || record.scenario.policies.iter().flat_map(|file| file.text.lines()).map(str::trim);
    let lines = || lines().filter(|line| !line.starts_with('#'));
    let mut conditions: Vec<String> =
        lines().filter_map(|line| Some(conditions(line.split_once("retryOn:")?.1))).collect();
    conditions.dedup();
    match &conditions[..] {
        [one] => format!("retryOn: {one}"),
        [] if lines().any(|line| line.contains("retries:")) => "the policies say nothing of retryOn".to_owned(),
        [] => "the policies ask for no retries".to_owned(),
        _ => "the policies' rules differ in retryOn".to_owned(),
    }
}

/// The value of `retryOn`, which may stand among other keys between braces.
fn conditions(rest: &str) -> String {
    let rest = rest.trim();
    if let Some(quote) = rest.chars().next().filter(|first| ['"', '\''].contains(first)) {
        return rest[1..].split(quote).next().unwrap_or_default().to_owned();
    }
    let own = rest.split('}').next().unwrap_or_default().split(',').take_while(|part| !part.contains(':'));
    own.map(str::trim).collect::<Vec<_>>().join(",")
}

/// An instance that was let in while its fault was still on.
pub(super) struct Trial<'a> {
    instance: &'a str,
    from: Micros,
    to: Micros,
}

/// All such, in order of time.
pub(super) fn trials(arm: &Arm) -> Vec<Trial<'_>> {
    let mut trials = Vec::new();
    for fault in frame::faults(arm) {
        let (on, off) = frame::span(arm, &fault);
        let Some(instance) = arm.instances.get(fault.instance) else { continue };
        for pair in topology::outs(arm, fault.instance).windows(2) {
            let (from, to) = (pair[0].1, pair[1].0);
            if from > on && to < off {
                trials.push(Trial { instance: &instance.name, from, to });
            }
        }
    }
    trials.sort_by_key(|trial| trial.from);
    trials
}

/// What letting them in has cost; None if nobody was, or nothing was lost by it.
pub(super) fn too_early(arm: &Arm) -> Option<String> {
    let lost = lost(arm);
    let slots = |trial: &Trial<'_>| (trial.from / SLOT).max(0) as usize..=(trial.to / SLOT).max(0) as usize;
    let cost = |trial: &Trial<'_>| slots(trial).filter_map(|slot| lost.get(slot)).sum::<u64>();
    let trials = trials(arm);
    let (first, all) = (trials.first()?, trials.iter().map(cost).sum::<u64>());
    if all == 0 {
        return None;
    }
    let more = match trials.len() - 1 {
        0 => String::new(),
        more => format!(", and {} more", crate::words::many(more, "time")),
    };
    Some(format!(
        "{} got traffic again while its fault was still on, from {} to {}{more}: {} were lost then.",
        first.instance,
        number::instant(first.from),
        number::instant(first.to),
        number::count(all)
    ))
}
