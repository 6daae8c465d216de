//! Releases.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, Phase, Place, Release, Service};
use crate::scenario::written;
use crate::units::TimeSpan;
use std::time::Duration;

/// A release shifts weights of a VirtualService, which only the proxy obeys that clients ask.
pub(super) fn obeyed(timeline: &[Phase], mode: MeshMode, bootstrap: bool, problems: &mut Problems) {
    for release in timeline.iter().flat_map(Phase::releases) {
        if !mode.has_entrance() {
            problems
                .error(code::SHAPE, release.place, format!("nobody shifts traffic in mode `{}`", mode.word()))
                .expected("`mesh: {mode: client}`, `both` or `gateway`");
        } else if bootstrap {
            problems
                .error(code::SHAPE, release.place, "an Envoy bootstrap has no weights for a release to shift")
                .help("a release rewrites the VirtualService of its service");
        }
    }
}

/// Resolves a release of a phase that lasts so long.
pub(super) fn resolve(
    written: &written::Release,
    place: Place,
    lasting: Duration,
    services: &[Service],
    problems: &mut Problems,
) -> Option<Release> {
    let Some(service) = services.iter().find(|service| service.name == written.service.value) else {
        problems
            .error(code::UNKNOWN_NAME, written.service.place, format!("no service `{}`", written.service.value))
            .names(&written.service, services.iter().map(|service| service.name.as_str()));
        return None;
    };
    let versions: Vec<&str> = service.versions.iter().filter_map(|version| version.name.as_deref()).collect();
    match versions.iter().position(|version| *version == written.to.value) {
        Some(0) => {
            problems.error(
                code::UNKNOWN_NAME,
                written.to.place,
                format!("`{}` is the version that has the traffic already", written.to.value),
            );
        }
        Some(_) => {}
        None => {
            problems
                .error(
                    code::UNKNOWN_NAME,
                    written.to.place,
                    format!("`{}` has no version `{}`", service.name, written.to.value),
                )
                .names(&written.to, versions.into_iter().skip(1));
        }
    }
    let rising = written.steps.windows(2).all(|pair| pair[0] < pair[1]);
    if written.steps.is_empty() || !rising || written.steps.first().is_some_and(|first| first.0 == 0.0) {
        problems
            .error(code::RANGE, written.steps.place, "the steps of a release rise from more than 0%")
            .expected("shares such as `[10%, 50%, 100%]`");
    }
    let every = written.every.0;
    let needed = every.saturating_mul(u32::try_from(written.steps.len().saturating_sub(1)).unwrap_or(u32::MAX));
    if needed > lasting {
        problems
            .error(
                code::TIME,
                written.every.place,
                format!(
                    "{} steps, one every {}, take {}, but the phase lasts {}",
                    written.steps.len(),
                    written.every.value,
                    TimeSpan(needed),
                    TimeSpan(lasting)
                ),
            )
            .help("make the phase longer, or the steps fewer or faster");
    }
    let rule = written.roll_back_when.as_ref();
    Some(Release {
        place,
        service: service.name.clone(),
        to: written.to.value.clone(),
        steps: written.steps.value.clone(),
        every,
        roll_back_below: rule.map(|rule| rule.success.0),
        over: rule.map_or(Duration::from_secs(1), |rule| rule.over.0),
    })
}
