//! What each process took.

use super::Pair;
use crate::html::filters;
use crate::plot::{self, Width, number};
use crate::record::Arm;
use askama::Template;

#[derive(Template)]
#[template(path = "resources.html")]
struct Section<'a> {
    title: String,
    picture: Pair,
    seconds: i64,
    arm: &'a Arm,
}

/// The section; None if no process was measured.
pub(in crate::html) fn resources(arm: &Arm) -> Result<Option<String>, askama::Error> {
    let Some(picture) = Pair::drawn(|width| plot::resources(arm, width)) else { return Ok(None) };
    let seconds = plot::resources::slice_seconds(arm, Width::Wide);
    Section { title: title(arm), picture, seconds, arm }.render().map(Some)
}

/// What was found: the most that the proxy took.
fn title(arm: &Arm) -> String {
    let proxy = arm.processes.iter().find(|process| process.name == "proxy");
    let most = proxy.and_then(|proxy| Some((*proxy.cpu.iter().max()?, *proxy.memory.iter().max()?)));
    most.map_or_else(
        || "What each process took".to_owned(),
        |(cpu, memory)| {
            let share = number::three(cpu as f64 / 1e4);
            format!("The proxy took at most {share}{}% of a core, and {}", number::NARROW, number::bytes(memory))
        },
    )
}
