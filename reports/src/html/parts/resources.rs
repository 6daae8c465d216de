//! What each process took.

use super::Pair;
use crate::plot::{self, Width, number};
use crate::record::{Arm, Process, Thread};
use askama::Template;

#[derive(Template)]
#[template(path = "resources.html")]
struct Section<'a> {
    title: String,
    picture: Pair,
    seconds: i64,
    arm: &'a Arm,
    rows: Vec<Row>,
}

/// A process.
struct Row {
    name: String,
    /// Milliseconds of CPU, by phase.
    cpu: Vec<u64>,
    memory: String,
    descriptors: String,
    switches: String,
    busiest: String,
}

/// The section; None if no process was measured.
pub(in crate::html) fn resources(arm: &Arm) -> Result<Option<String>, askama::Error> {
    let Some(picture) = Pair::drawn(|width| plot::resources(arm, width)) else { return Ok(None) };
    let seconds = plot::resources::slice_seconds(arm, Width::Wide);
    let rows = arm.processes.iter().map(row).collect();
    Section { title: title(arm), picture, seconds, arm, rows }.render().map(Some)
}

fn row(process: &Process) -> Row {
    let unknown = || "not measured".to_owned();
    let most = |values: &[u64]| values.iter().max().copied();
    let of_thread = |thread: &Thread| Some((most(&thread.cpu)?, thread.name.clone()));
    let busiest = process.threads.iter().filter_map(of_thread).max();
    Row {
        name: process.name.clone(),
        cpu: process.cpu_by_phase.iter().map(|micros| micros / 1_000).collect(),
        memory: most(&process.memory).map_or_else(unknown, number::bytes),
        descriptors: most(&process.descriptors).map_or_else(unknown, number::count),
        switches: most(&process.switches).map_or_else(unknown, number::count),
        busiest: busiest.map_or_else(unknown, |(micros, name)| {
            format!("{name}: {}{}%", number::three(micros as f64 / 1e4), number::NARROW)
        }),
    }
}

/// What was found: the most that the proxies took, all together.
fn title(arm: &Arm) -> String {
    let proxies: Vec<&Process> = arm.processes.iter().filter(|process| process.is_proxy()).collect();
    let most = |of: fn(&Process) -> &[u64]| {
        let seconds = proxies.iter().map(|process| of(process).len()).max()?;
        (0..seconds).map(|at| proxies.iter().filter_map(|process| of(process).get(at)).sum::<u64>()).max()
    };
    let found = most(|process| &process.cpu).zip(most(|process| &process.memory));
    found.map_or_else(
        || "What each process took".to_owned(),
        |(cpu, memory)| {
            let who = if proxies.len() == 1 { "proxy" } else { "proxies together" };
            let share = number::three(cpu as f64 / 1e4);
            format!("The {who} took at most {share}{}% of a core, and {}", number::NARROW, number::bytes(memory))
        },
    )
}
