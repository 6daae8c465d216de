//! Loads that would hide what the proxy does, or starve.

use crate::fault::spec::{Kind, Pick};
use crate::load::wire::Connections;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::load::Asked;
use crate::scenario::resolve::plan::Plan;
use crate::scenario::resolve::policies::Facts;
use crate::scenario::resolved::{Flow, Pace, Place, PlannedFault};
use crate::scenario::written;
use crate::units::TimeSpan;
use std::time::Duration;

/// Requests of an arm: an hour at 5,000/s fits, a mistyped number does not.
const MOST_REQUESTS: u64 = 20_000_000;

/// Checks each flow, and all together.
pub(in super::super) fn load(asked: &[Asked], plan: &Plan<'_>, facts: &Facts, problems: &mut Problems) {
    let requests = plan.planned(None, None);
    if requests > MOST_REQUESTS {
        let place = asked.first().map_or(Place::default(), |asked| asked.flow.to.place);
        problems
            .error(code::RANGE, place, format!("{requests} requests are planned"))
            .expected(format!("at most {MOST_REQUESTS}"))
            .help("each is recorded until the run ends: make the timeline shorter, or the rate lower");
    }
    for (flow, Asked { flow: written, .. }) in plan.flows.iter().zip(asked) {
        // What is wrong with the rate of a journey is not said again of its steps.
        if !matches!(flow.pace, Pace::Steps(_)) {
            nothing(flow, written, plan, problems);
            profile(flow, written, plan, problems);
        }
        if flow.journey.is_none() {
            time_out(flow, written, facts, problems);
            starving(flow, written, plan, problems);
        }
    }
}

/// A rate so low that none of its requests falls into the timeline.
fn nothing(flow: &Flow, written: &written::Flow, plan: &Plan<'_>, problems: &mut Problems) {
    if plan.timeline.is_empty() || !plan.is_planned(Some(&flow.name)) || plan.planned(None, Some(&flow.name)) > 0 {
        return;
    }
    let rate = written.rate.map(|rate| rate.place);
    let place = rate.or(written.profile.as_ref().map(|profile| profile.place)).unwrap_or(written.to.place);
    problems
        .error(code::RANGE, place, "no request is due in the whole timeline")
        .help("make the rate higher, or the timeline longer");
}

fn time_out(flow: &Flow, written: &written::Flow, facts: &Facts, problems: &mut Problems) {
    let Some(route) = facts.longest_route(&flow.to).filter(|route| *route >= flow.time_out) else { return };
    let place = written.time_out.map_or(written.to.place, |span| span.place);
    problems
        .error(
            code::TIME_OUT,
            place,
            format!(
                "the client gives up after {}, but a route to `{}` may take {}: the proxy's 504 would never be seen",
                TimeSpan(flow.time_out),
                flow.to,
                TimeSpan(route)
            ),
        )
        .help(format!("set `time-out` to more than {}", TimeSpan(route)));
}

/// A profile that goes on when the timeline has ended was mistyped, or the timeline was.
fn profile(flow: &Flow, written: &written::Flow, plan: &Plan<'_>, problems: &mut Problems) {
    let judged = plan.end().saturating_sub(plan.zero());
    let Some(written) = written.profile.as_ref().filter(|_| !plan.timeline.is_empty()) else { return };
    // Bursts go on for as long as there is time.
    let Some(profile) = flow.pace.profile().filter(|_| !matches!(written.value, written::Profile::Burst(_))) else {
        return;
    };
    let place = written.place;
    let last = profile.stretches.iter().rfind(|stretch| stretch.lasting != Duration::MAX);
    if let Some(ends) = last.map(|last| last.at.saturating_add(last.lasting)).filter(|ends| *ends > judged) {
        let text =
            format!("the profile ends {} after the warm-up, but the timeline {}", TimeSpan(ends), TimeSpan(judged));
        if matches!(written.value, written::Profile::Replay(_)) {
            problems.warning(code::TIME, place, text).help("what comes after the timeline is not sent");
        } else {
            problems.error(code::TIME, place, text);
        }
    }
}

/// Fixed connections all of which a fault can hold: then the load starves, and every instance looks silent.
fn starving(flow: &Flow, written: &written::Flow, plan: &Plan<'_>, problems: &mut Problems) {
    let Connections::Fixed(connections) = flow.connections else { return };
    let Some((fault, held)) = plan
        .faults()
        .filter(|(fault, _)| fault.target.service == flow.to)
        .filter_map(|(fault, _)| holds(fault, flow).map(|held| (fault, held)))
        .max_by(|one, other| one.1.cmp(&other.1))
    else {
        return;
    };
    let total: f64 = plan.offered(&fault.target);
    let share = match fault.fault.pick {
        Pick::Percent(percent) => percent / 100.0,
        _ => 1.0,
    };
    let stuck = total * share * held.as_secs_f64();
    if f64::from(connections) < stuck {
        let place = written.connections.map_or(written.to.place, |connections| connections.place);
        problems
            .warning(
                code::STARVING,
                place,
                format!(
                    "`{}` can hold {total:.0}/s x {share} x {} = {stuck:.0} requests at once, more than the {connections} connections: \
                     the whole load would stand still",
                    fault.what,
                    TimeSpan(held)
                ),
            )
            .help(format!("write `connections: {{up-to: {:.0}}}`, or leave it out", (2.0 * stuck).ceil()));
    }
}

/// How long a fault holds a request of the flow.
fn holds(fault: &PlannedFault, flow: &Flow) -> Option<Duration> {
    match &fault.fault.kind {
        Kind::Hang | Kind::Blackhole { .. } | Kind::AcceptStall | Kind::Pause => Some(flow.time_out.min(fault.lasting)),
        Kind::Latency(delay) => Some(delay.base.min(flow.time_out)),
        _ => None,
    }
}
