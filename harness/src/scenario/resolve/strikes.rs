//! What of an instance a fault strikes, where a proxy stands beside it.

use crate::fault::spec::{Fault, Kind, Unit};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, Service, Strikes};
use crate::scenario::written::{Placed, Selection, Target};
use crate::topology::InstanceName;

/// The part that a fault strikes; an error if there is none, or if this kind cannot strike it.
pub(super) fn resolve(
    fault: &Fault,
    target: &Placed<Target>,
    selection: &Selection,
    (services, mode): (&[Service], MeshMode),
    problems: &mut Problems,
) -> Strikes {
    let word = fault.kind.word();
    let place = match (target.sidecar, selection.behind) {
        (false, None) => return Strikes::Instance,
        (_, Some(behind)) => behind.place,
        (true, None) => target.place,
    };
    if !mode.has_sidecars() {
        problems
            .error(code::SHAPE, place, format!("mode `{}` has no proxy beside an instance", mode.word()))
            .help("`mesh: {mode: server}` or `{mode: both}` has one beside each");
        return Strikes::Instance;
    }
    if target.sidecar {
        let message = match (&fault.kind, selection.behind) {
            (_, Some(_)) => "a proxy is not behind itself".to_owned(),
            (kind, _) if kind.is_restarted() => {
                "the supervisor restarts instances with the proxies beside them".to_owned()
            }
            (Kind::Terminate { .. } | Kind::CrashLoop { .. }, _) => {
                format!(
                    "`{word}` is of an instance, whose proxy goes with it: `proxy of` is for `kill`, `pause` and `limit`"
                )
            }
            (kind, None) if !kind.is_process() => {
                format!("`{word}` is on the way to an instance: `proxy of` is for `kill`, `pause` and `limit`")
            }
            _ => return Strikes::Sidecar,
        };
        let help = format!("write `target: {}`", Target { sidecar: false, ..target.value.clone() });
        problems.error(code::SHAPE, place, message).help(help);
        return Strikes::Sidecar;
    }
    if fault.kind.is_process() || fault.unit == Unit::Connection {
        let what = match &fault.kind {
            kind if kind.is_process() => "strikes processes",
            kind if kind.is_listing() => "is about what proxies are told",
            _ => "takes connections",
        };
        problems
            .error(code::SHAPE, place, format!("this `{word}` {what}: `behind: sidecar` is for faults on requests"))
            .help("leave `behind` out: it breaks in front of the proxy");
    }
    let service = services.iter().find(|service| service.name == target.service);
    if service.is_some_and(|service| service.ports.iter().any(|port| port.tcp)) {
        problems
            .error(
                code::SHAPE,
                place,
                format!("`{}` has a port for bytes, so requests are not read behind its proxy", target.service),
            )
            .help("leave `behind` out");
    }
    Strikes::BehindSidecar
}

/// What is struck, for people.
pub(super) fn said(target: &InstanceName, strikes: Strikes) -> String {
    match strikes {
        Strikes::Instance => target.to_string(),
        Strikes::BehindSidecar => format!("{target} behind its proxy"),
        Strikes::Sidecar => format!("the proxy of {target}"),
    }
}
