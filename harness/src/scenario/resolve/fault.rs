//! Faults: what each kind takes, and on which instances.

mod kind;
mod rhythm;

use super::{strikes, target};
use crate::fault::spec::{self, Delay, Direction, Kind, Part, Pick, Unit};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, PlannedFault, Service, Strikes};
use crate::scenario::written::{self, Aim, Fault, Placed, Selection, Target};
use crate::units::TimeSpan;
use kind::Meaning;
use std::time::Duration;

/// One planned fault for each instance that is hit.
pub(super) fn planned(
    written: &Placed<Fault>,
    phase: Duration,
    services: &[Service],
    mode: MeshMode,
    problems: &mut Problems,
) -> Vec<PlannedFault> {
    let Some(Meaning { kind, units, aim, selection, only_new }) = kind::meant(&written.value, problems) else {
        return Vec::new();
    };
    let struck = target::struck(&aim.target, services, problems);
    let mut planned = Vec::new();
    for (target, instances) in struck {
        let fault = spec::Fault {
            unit: unit(&kind, units, &target, services, &selection, problems),
            pick: selection.pick.map_or(Pick::All, |pick| picked(pick.value)),
            matching: matching(&kind, units, &selection, problems),
            direction: direction(&kind, &target, services, &selection, problems),
            existing: !only_new && selection.connections != Some(written::Which::New),
            rhythm: rhythm::resolve(&kind, &aim, &selection, problems),
            kind: kind.clone(),
        };
        check_pick(&fault, &selection, problems);
        let strikes = strikes::resolve(&fault, &target, &selection, (services, mode), problems);
        not_ours(&fault.kind, strikes, &target, services, problems);
        if fault.kind.is_listing() && !mode.has_entrance() {
            let message = format!("nobody is told of instances in mode `{}`", mode.word());
            problems.error(code::SHAPE, written.place, message).expected("`mesh: {mode: client}`, `both` or `gateway`");
        }
        let Some((at, lasting)) = time(&aim, phase, problems) else { continue };
        rhythm::check(&aim, lasting, problems);
        let what = kind::describe(&fault, aim.pulse.map(|pulse| pulse.value));
        let pick = selection.pick.map_or_else(String::new, |pick| format!(", {}", pick.value));
        planned.extend(instances.into_iter().map(|target| PlannedFault {
            place: written.place,
            what: format!("{what} on {}{pick}", strikes::said(&target, strikes)),
            target,
            strikes,
            fault: fault.clone(),
            at,
            lasting,
        }));
    }
    planned
}

/// Processes that run already are neither killed nor stopped.
fn not_ours(kind: &Kind, strikes: Strikes, target: &Placed<Target>, services: &[Service], problems: &mut Problems) {
    let name = &target.service;
    let running = services.iter().any(|service| service.name == *name && service.is_running());
    if running && strikes != Strikes::Sidecar && kind.is_process() {
        problems
            .error(code::PLATFORM, target.place, format!("`{name}` runs already, and is not ours to kill or to stop"))
            .help("what lies before it can be broken: `refuse`, `reset`, `hang`, `abort`, `latency`");
    }
}

fn unit(
    kind: &Kind,
    units: &[Unit],
    target: &Placed<Target>,
    services: &[Service],
    selection: &Selection,
    problems: &mut Problems,
) -> Unit {
    let tcp = services.iter().any(|service| service.name == target.service && service.is_tcp());
    let word = kind.word();
    let chosen = match selection.unit {
        Some(unit) if !units.contains(&unit.value) => {
            problems
                .error(code::SHAPE, unit.place, format!("`{word}` cannot take this unit"))
                .expected(if units.contains(&Unit::Request) { "`request`" } else { "`connection`" });
            unit.value
        }
        Some(unit) => unit.value,
        None if tcp && units.contains(&Unit::Connection) => Unit::Connection,
        None => units.first().copied().unwrap_or(Unit::Connection),
    };
    if tcp && chosen == Unit::Request {
        problems
            .error(code::SHAPE, target.place, format!("`{word}` counts requests, but `{}` is TCP", target.service))
            .help("bytes that are not read as HTTP have no requests");
    }
    chosen
}

fn matching(kind: &Kind, units: &[Unit], selection: &Selection, problems: &mut Problems) -> spec::Match {
    let Some(written) = &selection.matching else { return spec::Match::default() };
    if !units.contains(&Unit::Request) || selection.unit.is_some_and(|unit| unit.value == Unit::Connection) {
        problems
            .error(
                code::SHAPE,
                written.place,
                format!("this `{}` takes connections, which have no method or path", kind.word()),
            )
            .help("`match` goes with faults on requests");
    }
    if let Some(header) = written.header.as_ref().filter(|header| header.len() != 1) {
        problems.error(code::SHAPE, header.place, "`header` matches one field").expected("`{x-user: ann}`");
    }
    if let Some(path) = written.path.as_ref().filter(|path| !path.starts_with('/')) {
        problems
            .error(code::RANGE, path.place, format!("`{}` is no path", path.value))
            .expected("one that begins with `/`");
    }
    let header = written.header.as_ref().and_then(|header| header.first_key_value());
    spec::Match {
        method: written.method.clone(),
        path: written.path.as_ref().map(|path| path.value.clone()),
        header: header.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())),
        probes: written.probes.unwrap_or_default(),
    }
}

/// Which way bytes pass that it acts on; an error where it is not bytes that it acts on, or where only those of one way can be told apart.
fn direction(
    kind: &Kind,
    target: &Target,
    services: &[Service],
    selection: &Selection,
    problems: &mut Problems,
) -> Direction {
    let Some(written) = selection.direction else { return Direction::Both };
    let tcp = services.iter().any(|service| service.name == target.service && service.is_tcp());
    let of_bytes =
        matches!(kind, Kind::Blackhole { .. } | Kind::Bandwidth { .. } | Kind::Slicer(_) | Kind::SlowClose { .. });
    let of_unread = matches!(kind, Kind::Corrupt { .. } | Kind::Truncate { .. })
        || matches!(kind, Kind::Reset { after_bytes, .. } if *after_bytes > 0)
        || matches!(kind, Kind::Latency(Delay { part: Part::Pieces, .. }));
    if !(of_bytes || of_unread && tcp) {
        let message = format!("this `{}` has no direction", kind.word());
        let mut problem = problems.error(code::SHAPE, written.place, message);
        if of_unread {
            problem.help("on a service that is TCP it would have one; of HTTP it is the answer that is changed");
        } else {
            problem.help("`direction` goes with what holds or slows bytes");
        }
    }
    written.value
}

fn check_pick(fault: &spec::Fault, selection: &Selection, problems: &mut Problems) {
    let Some(pick) = selection.pick else { return };
    if fault.kind.is_process() || fault.kind.is_listing() || fault.kind == Kind::Refuse {
        problems
            .error(code::SHAPE, pick.place, format!("`{}` hits the instance as a whole", fault.kind.word()))
            .help("leave `pick` out");
    } else if fault.unit == Unit::Connection && matches!(pick.value, written::Pick::Attempt(_)) {
        problems
            .error(code::SHAPE, pick.place, "connections have no attempts")
            .expected("`30%`, `every 3rd` or `first 10`");
    }
}

/// From, and how long; none if it does not fit in the phase.
fn time(aim: &Aim, phase: Duration, problems: &mut Problems) -> Option<(Duration, Duration)> {
    let at = aim.at.map_or(Duration::ZERO, |at| at.0);
    let Some(rest) = phase.checked_sub(at).filter(|rest| !rest.is_zero()) else {
        let place = aim.at.map_or(aim.target.place, |at| at.place);
        problems.error(
            code::TIME,
            place,
            format!("the fault begins after {}, but the phase lasts {}", TimeSpan(at), TimeSpan(phase)),
        );
        return None;
    };
    let Some(lasting) = aim.lasting else { return Some((at, rest)) };
    if lasting.0 > rest {
        problems
            .error(
                code::TIME,
                lasting.place,
                format!("the fault lasts {}, but the phase ends {} after it begins", lasting.value, TimeSpan(rest)),
            )
            .help("leave `for` out, so that the fault ends with the phase");
    }
    if lasting.0.is_zero() {
        problems.error(code::RANGE, lasting.place, "a fault of no length");
    }
    Some((at, lasting.0.min(rest)))
}

fn picked(written: written::Pick) -> Pick {
    match written {
        written::Pick::Percent(percent) => Pick::Percent(percent.0),
        written::Pick::Every(n) => Pick::Every(n),
        written::Pick::First(n) => Pick::First(n),
        written::Pick::Attempt(n) => Pick::Attempt(n),
    }
}
