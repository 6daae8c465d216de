//! Where the requests went.

use super::{Key, Pair};
use crate::plot;
use crate::plot::topology::{self, MOST, Sign};
use crate::record::Arm;
use askama::Template;

#[derive(Template)]
#[template(path = "topology.html")]
struct Section {
    title: String,
    road: &'static str,
    relays: bool,
    picture: Pair,
    key: Vec<Key>,
    left_out: usize,
}

/// Whom requests meet on their way.
fn road(arm: &Arm) -> &'static str {
    match arm.mode() {
        Some("none") => "Clients ask the instances themselves.",
        Some("client") => "Clients ask one proxy, which asks the instances.",
        Some("server") => "Clients ask the proxy beside each instance (P).",
        Some("both") => "Clients ask one proxy, which asks the proxy beside each instance (P).",
        Some("gateway") => "Clients ask a gateway, which asks the instances.",
        _ => "",
    }
}

/// The section; None if there is nothing to draw.
pub(in crate::html) fn topology(arm: &Arm) -> Result<Option<String>, askama::Error> {
    let Some(picture) = Pair::drawn(|width| plot::topology(arm, width)) else { return Ok(None) };
    let spans = topology::spans(arm);
    let section = Section {
        title: topology::finding(arm),
        road: road(arm),
        relays: arm.processes.iter().any(|one| one.name == "shim"),
        picture,
        key: Sign::ALL
            .into_iter()
            .enumerate()
            .map(|(number, sign)| Key {
                series: None,
                sample: sign.sample(&format!("key-topology-{number}")),
                text: sign.words().to_owned(),
            })
            .collect(),
        left_out: spans.len().saturating_sub(MOST),
    };
    section.render().map(Some)
}
