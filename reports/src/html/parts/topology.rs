//! Where the requests went.

use super::{Key, Pair};
use crate::plot;
use crate::plot::topology::{self, MOST, Sign, Span};
use crate::record::Arm;
use askama::Template;

#[derive(Template)]
#[template(path = "topology.html")]
struct Section {
    title: String,
    relays: bool,
    picture: Pair,
    key: Vec<Key>,
    left_out: usize,
}

/// The section; None if there is nothing to draw.
pub(in crate::html) fn topology(arm: &Arm) -> Result<Option<String>, askama::Error> {
    let Some(picture) = Pair::drawn(|width| plot::topology(arm, width)) else { return Ok(None) };
    let spans = topology::spans(arm);
    let section = Section {
        title: title(arm, &spans),
        relays: arm.processes.iter().any(|one| one.name == "shim"),
        picture,
        key: Sign::ALL
            .into_iter()
            .enumerate()
            .map(|(number, sign)| Key {
                sample: sign.sample(&format!("key-topology-{number}")),
                text: sign.words().to_owned(),
            })
            .collect(),
        left_out: spans.len().saturating_sub(MOST),
    };
    section.render().map(Some)
}

/// What was found.
fn title(arm: &Arm, spans: &[Span]) -> String {
    let out = spans
        .iter()
        .find_map(|span| span.state.as_ref()?.strip_suffix(" out").filter(|who| !who.starts_with("before ")));
    if let Some(who) = out.map(|who| who.trim_end_matches(" still")) {
        let more = who.contains(" and ") || who.ends_with(" instances");
        let (were, their) = if more { ("were", "their") } else { ("was", "its") };
        return format!("While {who} {were} out, the others got {their} requests");
    }
    let faulty = arm.faults.first().and_then(|fault| arm.instances.get(fault.instance));
    if let Some(instance) = faulty.filter(|_| spans.iter().any(|span| span.state.is_some())) {
        return format!("{} kept getting requests through the fault", instance.name);
    }
    "Where the requests went".to_owned()
}
