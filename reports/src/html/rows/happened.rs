//! What happened, with the numbers of the marks.

use crate::html::story;
use crate::plot::{healing, marks, number};
use crate::record::{Arm, EventKind, Flow, SaidKind, Witness};

/// A line of what happened.
pub(in crate::html) struct Happened {
    pub(in crate::html) at: i64,
    pub(in crate::html) number: Option<usize>,
    pub(in crate::html) text: String,
    pub(in crate::html) witness: &'static str,
    pub(in crate::html) evidence: String,
}

/// Most words of the proxy in the table.
const WORDS: usize = 40;

/// What is asked, and how often; a step of a journey goes without saying.
pub(in crate::html) fn loads(arm: &Arm) -> String {
    let of_journey = |name: &str| {
        let journeys = arm.flows.iter().filter(|flow| flow.journey);
        journeys.filter_map(|flow| name.strip_prefix(&flow.name)).any(|rest| rest.starts_with('/'))
    };
    let text = |flow: &Flow| {
        let rate = number::rate(flow.rate);
        match rate.strip_suffix("/s").filter(|_| flow.journey) {
            Some(users) => format!("{users} users/s, first to {}", flow.to),
            None => format!("{rate} to {}", flow.to),
        }
    };
    let asked: Vec<String> = arm.flows.iter().filter(|flow| !of_journey(&flow.name)).map(text).collect();
    asked.join(", ")
}

/// Everything that happened, with the numbers of the marks.
pub(in crate::html) fn happened(arm: &Arm) -> Vec<Happened> {
    let mut rows = Vec::new();
    let mut marks: Vec<(usize, &crate::record::Mark)> = arm.marks.iter().enumerate().collect();
    if !arm.events.iter().any(|event| event.kind == EventKind::Load) {
        let planned: u64 = arm.outcomes.iter().flat_map(|one| &one.planned).map(|count| u64::from(*count)).sum();
        rows.push(Happened {
            at: 0,
            number: None,
            text: format!("the load begins: {}, open loop", loads(arm)),
            witness: "client",
            evidence: format!("{} planned", number::count(planned)),
        });
        let end = crate::plot::frame::counted(arm);
        rows.push(Happened {
            at: end,
            number: None,
            text: if arm.generator.planned > 0 {
                "the load ends".to_owned()
            } else {
                "nothing is known from here".to_owned()
            },
            witness: "client",
            evidence: format!("{} lost", number::count(story::lost(arm).iter().sum())),
        });
    }
    let mut numbers: Vec<Option<usize>> = vec![None; arm.events.len()];
    marks.retain(|(number, mark)| {
        let near = arm
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.subject == mark.subject && (mark.at - event.at).abs() <= 1_000);
        let nearest = near.min_by_key(|(_, event)| (mark.at - event.at).abs()).map(|(at, _)| at);
        let taken = nearest.filter(|at| numbers[*at].is_none());
        if let Some(at) = taken {
            numbers[at] = Some(number + 1);
        }
        taken.is_none()
    });
    for (event, number) in arm.events.iter().zip(numbers) {
        rows.push(Happened {
            at: event.at,
            number,
            text: event.text.clone(),
            witness: witness(event.witness),
            evidence: evidence(arm, event),
        });
    }
    for (number, mark) in marks {
        let witness = if mark.label.starts_with("rolled") { "controller" } else { "relay" };
        rows.push(Happened {
            at: mark.at,
            number: Some(number + 1),
            text: with_subject(&mark.subject, &marks::label(arm, mark)),
            witness,
            evidence: confirmed(arm, mark),
        });
    }
    for word in arm.said.iter().take(WORDS) {
        let name = arm.instances.get(word.instance).map_or("an instance", |instance| instance.name.as_str());
        let what = if word.what == SaidKind::Ejected { "out" } else { "back in" };
        rows.push(Happened {
            at: word.at,
            number: None,
            text: format!("the proxy says: {name} is {what}"),
            witness: "proxy",
            evidence: word.reason.clone(),
        });
    }
    rows.sort_by_key(|row| (row.at, row.number));
    rows
}

/// Words of the proxy that are not in the table.
pub(in crate::html) fn words_left_out(arm: &Arm) -> usize {
    arm.said.len().saturating_sub(WORDS)
}

fn with_subject(subject: &str, label: &str) -> String {
    if label.starts_with(subject) { label.to_owned() } else { format!("{subject}: {label}") }
}

fn witness(witness: Witness) -> &'static str {
    match witness {
        Witness::Harness => "run",
        Witness::Client => "client",
        Witness::Relay => "relay",
        Witness::Supervisor => "supervisor",
        Witness::Controller => "controller",
        Witness::Proxy => "proxy",
    }
}

fn evidence(arm: &Arm, event: &crate::record::Event) -> String {
    let instance = arm.instances.iter().position(|instance| instance.name == event.subject);
    let fault = arm.faults.iter().find(|fault| {
        Some(fault.instance) == instance && (fault.effect == Some(event.at) || fault.cleared == Some(event.at))
    });
    match (event.kind, fault) {
        (EventKind::FaultEffect, Some(fault)) => {
            format!("{} after it was asked for", number::micros((event.at - fault.asked).max(0).unsigned_abs()))
        }
        (EventKind::FaultCleared, Some(fault)) => format!("{} harmed in all", number::count(fault.harmed)),
        _ => String::new(),
    }
}

/// What else speaks for a mark.
fn confirmed(arm: &Arm, mark: &crate::record::Mark) -> String {
    let instance = arm.instances.iter().position(|instance| instance.name == mark.subject);
    let spans = instance.map(|instance| healing::said_spans(arm, instance)).unwrap_or_default();
    let near = spans.iter().flat_map(|(from, to)| [*from, *to]).min_by_key(|at| (at - mark.at).abs());
    let resolution = arm.figures.healing.iter().find(|one| one.at == Some(mark.at) && one.subject == mark.subject);
    let resolution = resolution.map(|figure| format!("to {}", number::duration(figure.resolution)));
    let said = near
        .filter(|at| (at - mark.at).abs() < 1_000_000)
        .map(|at| format!("the proxy says so at {}", number::instant(at)));
    [resolution, said].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
