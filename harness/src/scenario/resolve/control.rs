//! The control: the same run with healing taken out, or under other policies.

use super::policies::{Facts, facts};
use super::sites::Sites;
use super::{entrance, ports, sources};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{
    Control, Entrance, Expectation, Flow, HealingKind, MeshMode, Metric, Phase, Place, PolicySource, Service, Subject,
};
use crate::scenario::written::{self, Placed, Until};
use squall_proxy::config::LoadOptions;
use squall_proxy::config::objects::Objects;
use squall_proxy::policy::Healing;
use std::path::Path;

/// What policies depend on that take the place of the scenario's own.
pub(super) struct Setting<'a> {
    /// Folder of the scenario.
    pub folder: &'a Path,
    pub reading: &'a LoadOptions,
    pub services: &'a [Service],
    /// The services as they are written.
    pub written: &'a [written::Service],
    /// Hosts that clients call.
    pub called: &'a [&'a str],
    pub mode: MeshMode,
    /// Zone of the proxy.
    pub zone: Option<&'a str>,
}

/// Policies in the place of the scenario's own.
pub(super) struct Other {
    pub sources: Vec<PolicySource>,
    /// The proxies under them; none if they cannot be read.
    pub sites: Option<Sites>,
    /// What they say.
    pub facts: Facts,
    place: Place,
}

impl Other {
    /// The proxy that clients ask under them.
    pub(super) fn entrance(
        &self,
        mode: MeshMode,
        services: &[Service],
        flows: &[Flow],
        problems: &mut Problems,
    ) -> Option<Entrance> {
        entrance::resolve((mode, self.place), self.sites.as_ref()?, services, flows, problems)
    }
}

/// Reads the control's own policies, if it has any. No advice is given about them: one of the two sets has the flaw on purpose.
pub(super) fn policies(
    written: Option<&Placed<written::Control>>,
    setting: &Setting<'_>,
    problems: &mut Problems,
) -> Option<Other> {
    const KEY: &str = "control.policies";
    let written = written?.policies.as_ref()?;
    if written.is_empty() {
        problems
            .error(code::CONTROL, written.place, "the control has no policies")
            .help("name those that take the place of the scenario's own, or leave `policies` out to keep them");
    }
    let sources = sources::sources(written, setting.folder, problems);
    let read = sources::read(KEY, &sources, setting.reading, problems);
    if let Some(policies) = &read {
        sources::unused(policies, setting.services, setting.called, problems);
        same_ports(policies, setting, (code::CONTROL, written.place), problems);
    }
    sources::place_inline(KEY, written, problems);
    let sites =
        read.as_ref().map(|policies| Sites::new(policies, setting.services, setting.zone, setting.reading.version));
    let facts = facts(setting.services, sites.as_ref(), setting.mode);
    Some(Other { sources, sites, facts, place: written.place })
}

/// There is one topology, so that the Services of all sets of policies have to say the same of its ports.
pub(super) fn same_ports(
    policies: &Objects,
    setting: &Setting<'_>,
    (code, place): (&'static str, Place),
    problems: &mut Problems,
) {
    for (service, written) in setting.services.iter().zip(setting.written) {
        // What is wrong with the ports themselves has been said.
        let mut said = Problems::new(problems.file());
        let ports = ports::resolve(written, Some(policies), &mut said);
        if ports != (service.ports.clone(), service.undeclared) {
            let message =
                format!("the ports of `{}` are not what they are under the scenario's own policies", service.name);
            problems.error(code, place, message).help("declare the same Service in both, or in neither");
        }
    }
}

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
    let empty = control.without.as_ref().filter(|without| without.is_empty()).map(|without| without.place);
    let nothing = (control.without.is_none() && control.policies.is_none()).then_some(control.place);
    if let Some(place) = empty.or(nothing) {
        problems
            .error(code::CONTROL, place, "the control takes nothing out")
            .names("", Healing::ALL.map(Healing::word))
            .help("write `without: [retries]`, or `policies:` that take the place of the scenario's own");
    }
    let mut without = Vec::new();
    for word in control.without.iter().flat_map(|without| &without.value) {
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
        policies: None,
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
        if never.is_some() && control.policies.is_none() {
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
            killed.into_iter().any(|fault| fault.fault.kind.is_restarted())
                || services.iter().any(|service| facts.restarts(&service.name))
        }
        Healing::Rollback => timeline.iter().flat_map(Phase::releases).any(|release| release.roll_back_below.is_some()),
        Healing::LastGood => timeline.iter().any(|phase| phase.applied().count() > 0),
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
        Healing::LastGood => "proxies go on with it when what a phase applies by `do: [{apply: …}]` is refused",
    }
}
