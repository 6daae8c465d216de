//! Policies that a phase gives the proxies in the place of what they have.

use super::control::{self, Setting};
use super::sources;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Apply, MeshMode, Phase, Place};
use crate::scenario::written::{self, Applied, Placed, Policy};

/// What pushes are read by.
pub(super) struct Pushes<'a> {
    /// What policies depend on.
    pub setting: &'a Setting<'a>,
    /// Phases whose push is expected to be refused.
    pub refused: Vec<&'a str>,
}

/// The phases of which `expect` says that what they apply is refused.
pub(super) fn to_be_refused(expect: &written::Expect) -> Vec<&str> {
    expect.healing.iter().filter_map(|healing| healing.refused.as_ref()).map(|phase| phase.value.as_str()).collect()
}

/// Resolves what a phase applies: it must be in order, unless the phase is there to see it refused.
pub(super) fn resolve(
    applied: &Applied,
    place: Place,
    phase: &str,
    pushes: &Pushes<'_>,
    problems: &mut Problems,
) -> Apply {
    let Setting { folder, reading, services, called, .. } = pushes.setting;
    let written = match applied {
        Applied::One(policy) => vec![Placed { value: policy.clone(), place }],
        Applied::Many(policies) => policies.clone(),
    };
    if written.is_empty() {
        problems.error(code::SHAPE, place, "nothing is applied").expected("a policy, such as `policies/next.yaml`");
    }
    let key = format!("timeline.{phase}.apply");
    let sources = sources::sources(&written, folder, problems);
    if pushes.refused.contains(&phase) {
        let mut faults = Problems::new(problems.file());
        if sources::read(&key, &sources, reading, &mut faults).is_some() && !problems.has_errors() {
            problems
                .error(code::SHAPE, place, format!("nothing in {} would be refused", what(&written)))
                .help(format!("leave `refused: {phase}` out of `expect.healing`, or apply what is wrong"));
        }
    } else {
        if let Some(policies) = sources::read(&key, &sources, reading, problems) {
            sources::unused(&policies, services, called, problems);
            control::same_ports(&policies, pushes.setting, (code::SHAPE, place), problems);
        }
        sources::place_inline(&key, &written, problems);
    }
    Apply { place, what: what(&written), policies: sources }
}

/// Policies are for proxies that read them.
pub(super) fn obeyed(timeline: &[Phase], mode: MeshMode, bootstrap: bool, problems: &mut Problems) {
    for apply in timeline.iter().flat_map(Phase::applied) {
        if mode == MeshMode::None {
            problems
                .error(code::SHAPE, apply.place, "nobody reads policies in mode `none`")
                .expected("`mesh: {mode: client}`, `server`, `both` or `gateway`");
        } else if bootstrap {
            problems
                .error(code::SHAPE, apply.place, "an Envoy bootstrap is not changed under way")
                .help("write the policies as objects of Istio, Kubernetes or Squall");
        }
    }
}

/// The policies by name, for people.
fn what(written: &[Placed<Policy>]) -> String {
    let name = |policy: &Placed<Policy>| match &policy.value {
        Policy::Path(path) => path.clone(),
        Policy::Inline(object) => {
            let word = |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str()).map(str::to_owned);
            let named = word(object.get("metadata").and_then(|metadata| metadata.get("name")));
            let kind = word(object.get("kind")).unwrap_or_else(|| "an object".to_owned());
            named.map_or(kind.clone(), |name| format!("{kind} {name}"))
        }
    };
    written.iter().map(name).collect::<Vec<_>>().join(", ")
}
