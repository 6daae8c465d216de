//! When a run is cut short.

use super::running::{self, Allowed};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{AbortWhen, Alarm};
use crate::scenario::written::{self, Placed};
use std::path::Path;
use std::time::Duration;

/// Where it is not said.
const OVER: Duration = Duration::from_secs(1);

/// The conditions of a file; commands are looked for from its folder.
pub(super) fn conditions(
    written: &[Placed<written::AbortWhen>],
    folder: &Path,
    allowed: &Allowed<'_>,
    is_sweep: bool,
    problems: &mut Problems,
) -> Vec<AbortWhen> {
    if let Some(first) = written.first().filter(|_| is_sweep) {
        problems
            .error(code::SHAPE, first.place, "a sweep breaks nothing, and is not cut short")
            .help("`abort-when` goes with a `timeline`");
    }
    written.iter().filter_map(|one| condition(one, folder, allowed, problems)).collect()
}

fn condition(
    written: &Placed<written::AbortWhen>,
    folder: &Path,
    allowed: &Allowed<'_>,
    problems: &mut Problems,
) -> Option<AbortWhen> {
    let mut alarms: Vec<Alarm> = Vec::new();
    alarms.extend(written.success.map(|success| Alarm::Success { below: success.0 }));
    alarms.extend(written.p99.map(|p99| Alarm::P99 { above: p99.0.0 }));
    if let Some(url) = &written.probe {
        alarms.extend(probe(url, allowed, problems));
    }
    if let Some(command) = &written.command {
        if command.is_empty() {
            problems.error(code::SHAPE, command.place, "no program").expected("`[./is-all-well, --quietly]`");
        }
        alarms.push(Alarm::Command { command: command.value.clone(), folder: folder.to_owned() });
    }
    let said = [written.success.is_some(), written.p99.is_some(), written.probe.is_some(), written.command.is_some()];
    if said.into_iter().filter(|said| *said).count() != 1 {
        problems
            .error(code::SHAPE, written.place, "a condition is one thing")
            .expected("one of `success`, `p99`, `probe` and `command`, and `over`");
    }
    if let Some(over) = written.over.filter(|over| over.0.is_zero()) {
        problems.error(code::RANGE, over.place, "over no time at all").expected("`1s` or longer");
    }
    Some(AbortWhen { alarm: alarms.pop()?, over: written.over.map_or(OVER, |over| over.0) })
}

fn probe(url: &Placed<String>, allowed: &Allowed<'_>, problems: &mut Problems) -> Option<Alarm> {
    let Some(rest) = url.strip_prefix("http://") else {
        problems
            .error(code::RANGE, url.place, format!("`{}` cannot be asked", url.value))
            .expected("one such as `http://127.0.0.1:9000/health`");
        return None;
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = if host.rsplit_once(':').is_some() { host.to_owned() } else { format!("{host}:80") };
    let at = running::address(&Placed { value: host, place: url.place }, allowed, problems)?;
    Some(Alarm::Probe { at, path: format!("/{path}") })
}
