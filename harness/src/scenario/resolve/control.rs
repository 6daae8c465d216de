//! The control: the same run with healing taken out.

use super::policies::Facts;
use crate::fault::spec::Kind;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Action, Control, Expectation, HealingKind, Metric, Phase, Place, Service, Subject};
use crate::scenario::written::{self, Placed, Until};
use squall_proxy::policy::Healing;

/// Resolves the control, and warns where there should be one.
pub(super) fn resolve(
    written: Option<&Placed<written::Control>>,
    title: Place,
    services: &[Service],
    timeline: &[Phase],
    expectations: &[Expectation],
    facts: &Facts,
    problems: &mut Problems,
) -> Option<Control> {
    let Some(control) = written else {
        let heals = expectations.iter().any(|expectation| matches!(expectation.subject, Subject::Healing(_)));
        if heals || timeline.iter().any(eventful) {
            problems
                .warning(
                    code::NO_CONTROL,
                    title,
                    "without a control, nothing shows that the healing made the difference",
                )
                .help("add one, such as `control: {without: [outlier-detection, retries]}`");
        }
        return None;
    };
    if timeline.is_empty() && !problems.has_errors() {
        problems.error(code::CONTROL, control.place, "a sweep has no control");
    }
    if control.without.is_empty() {
        problems
            .error(code::CONTROL, control.without.place, "the control takes nothing out")
            .names("", Healing::ALL.map(Healing::word));
    }
    let mut without = Vec::new();
    for word in &control.without.value {
        let Ok(healing) = word.parse::<Healing>() else {
            problems
                .error(code::UNKNOWN_NAME, word.place, format!("`{}` is no healing that can be taken out", word.value))
                .names(word, Healing::ALL.map(Healing::word));
            continue;
        };
        if !present(healing, services, timeline, facts) {
            problems
                .error(code::CONTROL, word.place, format!("nothing to take out: this scenario has no {}", word.value))
                .help(where_it_comes_from(healing));
        }
        without.push(healing);
    }
    Some(Control {
        place: control.place,
        without,
        fails: fails(control, timeline, expectations, problems),
        whole_timeline: control.until == Some(Until::End),
    })
}

/// Ids of the expectations that the control must miss.
fn fails(
    control: &Placed<written::Control>,
    timeline: &[Phase],
    expectations: &[Expectation],
    problems: &mut Problems,
) -> Vec<String> {
    let Some(fails) = &control.fails else {
        let fails: Vec<String> =
            expectations.iter().filter(|expectation| by_default(expectation, timeline)).map(|e| e.id.clone()).collect();
        // What could not be read may be the very thing.
        if fails.is_empty() && !timeline.is_empty() && !problems.has_errors() {
            problems
                .error(
                    code::CONTROL,
                    control.place,
                    "the control can miss nothing: no phase with a fault or an action expects `success` or `lost`",
                )
                .help("expect one of them there, or name what it must miss: `fails: [healing.rolled-back(web@v2)]`");
        }
        return fails;
    };
    if fails.is_empty() {
        problems.error(code::CONTROL, fails.place, "the control must miss something, or it shows nothing");
    }
    let is_latency = |id: &str| {
        expectations.iter().any(|expectation| {
            let metric = match &expectation.subject {
                Subject::Phase { metric, .. } | Subject::Whole { metric, .. } => Some(metric),
                _ => None,
            };
            expectation.id == id && matches!(metric, Some(Metric::Response { .. }))
        })
    };
    if !fails.is_empty() && fails.iter().all(|id| is_latency(&id.value)) {
        problems
            .error(
                code::CONTROL,
                fails.place,
                "a control that misses nothing but latencies shows little: machines are slow now and then",
            )
            .help("name a `success`, a `lost` or a healing too");
    }
    for id in &fails.value {
        if !expectations.iter().any(|expectation| expectation.id == id.value) {
            problems
                .error(code::UNKNOWN_NAME, id.place, format!("no expectation `{}`", id.value))
                .names(id, expectations.iter().map(|expectation| expectation.id.as_str()));
        }
        let never = expectations.iter().find(|expectation| {
            expectation.id == id.value && matches!(expectation.subject, Subject::Healing(HealingKind::NotEjected(_)))
        });
        if never.is_some() {
            problems.error(
                code::CONTROL,
                id.place,
                "less healing cannot eject more: a control does not miss `not-ejected`",
            );
        }
    }
    fails.iter().map(|id| id.value.clone()).collect()
}

/// Acceptable requests of a phase in which something happens.
fn by_default(expectation: &Expectation, timeline: &[Phase]) -> bool {
    match &expectation.subject {
        Subject::Phase { phase, metric: Metric::Success | Metric::Lost, .. } => {
            timeline.iter().any(|candidate| candidate.name == *phase && eventful(candidate))
        }
        _ => false,
    }
}

/// True if a phase has a fault or an action.
fn eventful(phase: &Phase) -> bool {
    !phase.faults.is_empty() || !phase.actions.is_empty()
}

fn present(healing: Healing, services: &[Service], timeline: &[Phase], facts: &Facts) -> bool {
    match healing {
        Healing::Restart => {
            let killed = timeline.iter().flat_map(|phase| &phase.faults);
            killed.into_iter().any(|fault| matches!(fault.fault.kind, Kind::Kill { restart: true }))
                || services.iter().any(|service| facts.restarts(&service.name))
        }
        Healing::Rollback => timeline
            .iter()
            .flat_map(|phase| &phase.actions)
            .any(|Action::Release(release)| release.roll_back_below.is_some()),
        other => facts.present(other),
    }
}

fn where_it_comes_from(healing: Healing) -> &'static str {
    match healing {
        Healing::Retries => "retries come from a VirtualService, or from the mesh's default for services without one",
        Healing::OutlierDetection => "it comes from `outlierDetection` of a DestinationRule",
        Healing::ActiveChecks => "they come from a `squall.dev/v1` HealthCheck",
        Healing::Timeouts => "they come from `timeout` and `perTryTimeout` of a VirtualService",
        Healing::Breakers => "they come from `connectionPool` of a DestinationRule",
        Healing::Restart => "it comes from `restart: supervisor` of a `kill`, or from a liveness probe",
        Healing::Rollback => "it comes from `roll-back-when` of a release",
    }
}
