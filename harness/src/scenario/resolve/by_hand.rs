//! One fault by itself, in front of a service that runs already.

use super::running::{self, Allowed};
use super::{fault, topology};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{ByHand, MeshMode, Place, Program};
use crate::scenario::written::{self, Placed};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// As long as a fault is planned that is told to end: longer than any game day.
const ENDLESS: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Where an address leads, if it may be broken.
pub(in crate::scenario) fn address(text: &str, allow: &[String], problems: &mut Problems) -> Option<SocketAddr> {
    let placed = |text: &str| Placed { value: text.to_owned(), place: Place::default() };
    let allow: Vec<_> = allow.iter().map(|one| placed(one)).collect();
    let allowed = Allowed::new(&allow, problems);
    let found = running::address(&placed(text), &allowed, problems);
    found.filter(|_| !problems.has_errors())
}

/// The fault and whom it is in front of, unless `problems` has got an error.
pub(in crate::scenario) fn by_hand(written: &written::ByHand, problems: &mut Problems) -> Option<ByHand> {
    let allowed = Allowed::new(&written.allow, problems);
    let services = std::slice::from_ref(&written.service);
    let services = topology::services(services, Path::new(""), None, &allowed, |_, _| None, problems);
    if let Some(none) = written.r#for.filter(|lasting| lasting.0.is_zero()) {
        problems.error(code::RANGE, none.place, "a fault of no length");
        return None;
    }
    let lasting = written.r#for.map(|lasting| lasting.0);
    let planned = fault::planned(&written.fault, lasting.unwrap_or(ENDLESS), &services, MeshMode::None, problems);
    if problems.has_errors() {
        return None;
    }
    let (service, planned) = (services.into_iter().next()?, planned.into_iter().next()?);
    let Program::Running { at } = &service.program else { return None };
    let what = planned.what.replace(&format!(" on {}", planned.target), "");
    Some(ByHand { what, to: *at.first()?, tcp: service.is_tcp(), fault: planned.fault, lasting })
}
