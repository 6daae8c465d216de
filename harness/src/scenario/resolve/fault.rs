//! Faults: what each kind takes, and on which instances.

use super::{strikes, target};
use crate::fault::spec::{self, Direction, Kind, Pick, Unit};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, PlannedFault, Service, Strikes};
use crate::scenario::written::{self, Aim, Fault, Placed, Selection};
use crate::units::TimeSpan;
use std::fmt::Write;
use std::time::Duration;

/// One planned fault for each instance that is hit.
pub(super) fn planned(
    written: &Placed<Fault>,
    phase: Duration,
    services: &[Service],
    mode: MeshMode,
    problems: &mut Problems,
) -> Vec<PlannedFault> {
    // Kinds that are not obeyed yet have been refused by name when the file was read.
    let Some((kind, units, aim, selection)) = parts(&written.value, problems) else { return Vec::new() };
    let tcp = services.iter().any(|service| service.name == aim.target.service && service.is_tcp());
    let fault = spec::Fault {
        unit: unit(&kind, units, tcp, &aim, &selection, problems),
        pick: selection.pick.map_or(Pick::All, |pick| picked(pick.value)),
        matching: matching(&kind, &selection, problems),
        existing: selection.connections != Some(written::Which::New),
        kind,
    };
    check_pick(&fault, &selection, problems);
    let strikes = strikes::resolve(&fault, &aim.target, &selection, (services, mode), problems);
    not_ours(&fault.kind, strikes, &aim, services, problems);
    let Some((at, lasting)) = time(&aim, phase, problems) else { return Vec::new() };
    let instances = target::instances(&aim.target, services, problems);
    instances
        .into_iter()
        .map(|target| PlannedFault {
            place: written.place,
            what: describe(&fault, &strikes::said(&target, strikes), selection.pick.map(|pick| pick.value)),
            target,
            strikes,
            fault: fault.clone(),
            at,
            lasting,
        })
        .collect()
}

/// Processes that run already are neither killed nor stopped.
fn not_ours(kind: &Kind, strikes: Strikes, aim: &Aim, services: &[Service], problems: &mut Problems) {
    let name = &aim.target.service;
    let running = services.iter().any(|service| service.name == *name && service.is_running());
    if running && strikes != Strikes::Sidecar && matches!(kind, Kind::Kill { .. } | Kind::Pause) {
        problems
            .error(
                code::PLATFORM,
                aim.target.place,
                format!("`{name}` runs already, and is not ours to kill or to stop"),
            )
            .help("what lies before it can be broken: `refuse`, `reset`, `hang`, `abort`, `latency`");
    }
}

/// The kind, the units that it can take (the first where the file does not say), and what all kinds have.
fn parts(written: &Fault, problems: &mut Problems) -> Option<(Kind, &'static [Unit], Aim, Selection)> {
    const REQUEST: &[Unit] = &[Unit::Request];
    const CONNECTION: &[Unit] = &[Unit::Connection];
    const EITHER: &[Unit] = &[Unit::Request, Unit::Connection];
    Some(match written {
        Fault::Latency(fault) => {
            let kind = Kind::Latency { base: fault.base.0, jitter: fault.jitter.unwrap_or_default().0 };
            (kind, EITHER, fault.aim(), fault.selection())
        }
        Fault::Abort(fault) => {
            if !(200..600).contains(&fault.status.value) {
                problems
                    .error(
                        code::RANGE,
                        fault.status.place,
                        format!("`{}` is no status to abort with", fault.status.value),
                    )
                    .expected("200 to 599");
            }
            let place = fault.place.unwrap_or(spec::AbortPlace::Before);
            (Kind::Abort { status: fault.status.value, place }, REQUEST, fault.aim(), fault.selection())
        }
        Fault::Reset(fault) => {
            let kind = Kind::Reset { after_bytes: fault.after_bytes.map_or(0, |bytes| bytes.0) };
            (kind, EITHER, fault.aim(), fault.selection())
        }
        Fault::Refuse(fault) => (Kind::Refuse, CONNECTION, fault.aim(), fault.selection()),
        Fault::Hang(fault) => (Kind::Hang, EITHER, fault.aim(), fault.selection()),
        Fault::Blackhole(fault) => {
            let kind = Kind::Blackhole { direction: fault.direction.unwrap_or(Direction::Both) };
            (kind, CONNECTION, fault.aim(), fault.selection())
        }
        Fault::Bandwidth(fault) => {
            if fault.rate.0 == 0 {
                problems
                    .error(code::RANGE, fault.rate.place, "a rate of 0 lets nothing pass")
                    .help("that is a `blackhole`");
            }
            let kind = Kind::Bandwidth { bytes_per_second: fault.rate.0.max(1) };
            (kind, CONNECTION, fault.aim(), fault.selection())
        }
        Fault::Kill(fault) => {
            (Kind::Kill { restart: fault.restart.is_some() }, CONNECTION, fault.aim(), fault.selection())
        }
        Fault::Pause(fault) => (Kind::Pause, CONNECTION, fault.aim(), fault.selection()),
        _ => return None,
    })
}

fn unit(kind: &Kind, units: &[Unit], tcp: bool, aim: &Aim, selection: &Selection, problems: &mut Problems) -> Unit {
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
            .error(
                code::SHAPE,
                aim.target.place,
                format!("`{word}` counts requests, but `{}` is TCP", aim.target.service),
            )
            .help("bytes that are not read as HTTP have no requests");
    }
    chosen
}

fn matching(kind: &Kind, selection: &Selection, problems: &mut Problems) -> spec::Match {
    let Some(written) = &selection.matching else { return spec::Match::default() };
    let requests = matches!(kind, Kind::Latency { .. } | Kind::Abort { .. } | Kind::Reset { .. } | Kind::Hang);
    if !requests || selection.unit.is_some_and(|unit| unit.value == Unit::Connection) {
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
    }
}

fn check_pick(fault: &spec::Fault, selection: &Selection, problems: &mut Problems) {
    let Some(pick) = selection.pick else { return };
    if fault.kind.is_process() || fault.kind == Kind::Refuse {
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

/// `abort 503 on cart/1, 30%`.
fn describe(fault: &spec::Fault, target: &str, pick: Option<written::Pick>) -> String {
    let mut text = fault.kind.word().to_owned();
    // Writing to a string never fails.
    let _ = match &fault.kind {
        Kind::Latency { base, jitter } if jitter.is_zero() => write!(text, " {}", TimeSpan(*base)),
        Kind::Latency { base, jitter } => write!(text, " {} ± {}", TimeSpan(*base), TimeSpan(*jitter)),
        Kind::Abort { status, .. } => write!(text, " {status}"),
        Kind::Bandwidth { bytes_per_second } => write!(text, " {}", crate::units::ByteRate(*bytes_per_second)),
        _ => Ok(()),
    };
    let _ = write!(text, " on {target}");
    if let Some(pick) = pick {
        let _ = write!(text, ", {pick}");
    }
    text
}
