//! When a fault acts between its beginning and its end.

use crate::fault::spec::{self, Kind, Rhythm};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::written::{Aim, Pick, Selection};
use crate::units::TimeSpan;
use std::time::Duration;

/// Its pulse and its ramp, where its kind has them.
pub(super) fn resolve(kind: &Kind, aim: &Aim, selection: &Selection, problems: &mut Problems) -> Rhythm {
    let word = kind.word();
    if let Some(pulse) = aim.pulse {
        if kind.is_process() || kind.is_listing() {
            let what = if kind.is_process() { "strikes a process" } else { "is about what proxies are told" };
            problems
                .error(code::SHAPE, pulse.place, format!("`{word}` {what}, and does not pulse"))
                .help("`pulse` goes with faults on the way: `flap` refuses and serves in turn");
        } else if pulse.active.0.is_zero() || pulse.idle.0.is_zero() {
            problems
                .error(code::RANGE, pulse.place, "a pulse needs both its parts")
                .expected("`active` and `idle` longer than nothing");
        }
    }
    if let Some(ramp) = aim.ramp {
        let grows = matches!(kind, Kind::Latency(_) | Kind::Overload { .. })
            || selection.pick.is_some_and(|pick| matches!(pick.value, Pick::Percent(_)));
        if !grows {
            problems
                .error(code::SHAPE, ramp.place, format!("there is nothing in this `{word}` that could grow"))
                .help("`ramp` goes with delays, and with a percentage in `pick`");
        }
    }
    Rhythm {
        pulse: aim.pulse.map(|pulse| spec::Pulse { active: pulse.active.0, idle: pulse.idle.0 }),
        ramp: aim.ramp.map(|ramp| ramp.0),
    }
}

/// A rhythm that the fault has no time for is a mistake.
pub(super) fn check(aim: &Aim, lasting: Duration, problems: &mut Problems) {
    if let Some(ramp) = aim.ramp.filter(|ramp| ramp.0 > lasting) {
        problems.error(
            code::TIME,
            ramp.place,
            format!("the fault grows for {}, but lasts {}", ramp.value, TimeSpan(lasting)),
        );
    }
    if let Some(pulse) = aim.pulse.filter(|pulse| pulse.active.0 >= lasting) {
        problems
            .error(
                code::TIME,
                pulse.place,
                format!("the fault is active for {}, but lasts {}", pulse.active, TimeSpan(lasting)),
            )
            .help("without `pulse` it acts all the time");
    }
}
