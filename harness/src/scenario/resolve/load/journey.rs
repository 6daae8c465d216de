//! Journeys: the steps of one become flows of their own, asked whenever a user comes to them.

use super::data;
use crate::load::wire::{self, Source, Think};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::topology::{Figures, spread};
use crate::scenario::resolved::{Flow, HeaderValue, Pace, Players};
use crate::scenario::written::{self, Capture, Placed};
use crate::units::TimeSpan;
use std::path::Path;
use std::time::Duration;

/// At most so many steps.
const MOST_STEPS: usize = 50;
/// Longest time to think: beyond it a number was mistyped.
const LONGEST_THINK: Duration = Duration::from_secs(600);

/// A flow as it is written, and what stands beside it if it is a step of a journey.
#[derive(Debug, Clone)]
pub(in super::super) struct Asked {
    /// What is asked.
    pub(in super::super) flow: written::Flow,
    /// It is a step of a journey.
    pub(super) is_step: bool,
}

/// All flows, each journey followed by its steps.
pub(in super::super) fn asked(written: &[written::Flow]) -> Vec<Asked> {
    let with_steps = |flow: &written::Flow| {
        let steps = flow.journey.iter().flat_map(|journey| &journey.steps);
        let steps = steps.map(|step| Asked { flow: of_step(flow, step), is_step: true });
        [Asked { flow: flow.clone(), is_step: false }].into_iter().chain(steps).collect::<Vec<_>>()
    };
    written.iter().flat_map(with_steps).collect()
}

/// A step with all that its flow says of every step.
fn of_step(flow: &written::Flow, step: &written::JourneyStep) -> written::Flow {
    let common = flow.request.clone().unwrap_or_default();
    let own = step.request.clone().unwrap_or_default();
    let mut headers = common.headers;
    headers.0.retain(|(name, _)| !own.headers.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    headers.0.extend(own.headers.0);
    let journey = flow.name.as_ref().map_or("load", |name| name.value.as_str());
    written::Flow {
        name: Some(Placed { value: format!("{journey}/{}", step.step.value), place: step.step.place }),
        to: step.to.clone().unwrap_or_else(|| flow.to.clone()),
        host: step.host.clone().or_else(|| flow.host.clone().filter(|_| step.to.is_none())),
        request: Some(written::Request {
            method: own.method.or(common.method),
            path: own.path.or(common.path),
            headers,
            body: own.body.or(common.body),
            speed: own.speed.or(common.speed),
            data: None,
        }),
        accept: step.accept.clone().or_else(|| flow.accept.clone()),
        time_out: step.time_out.or(flow.time_out),
        journey: None,
        ..flow.clone()
    }
}

/// Makes a journey of a flow whose steps are the flows behind it.
pub(super) fn join(
    written: &written::Flow,
    folder: &Path,
    flow: &mut Flow,
    (behind, steps): (usize, &mut [Flow]),
    problems: &mut Problems,
) {
    let Some(journey) = &written.journey else { return };
    alone(written, journey, problems);
    let played = journey.run.as_ref();
    let mut names: Vec<String> = flow.data.iter().flat_map(|table| table.columns.clone()).collect();
    let mut resolved = Vec::new();
    for (at, (written, step)) in journey.steps.iter().zip(steps.iter_mut()).enumerate() {
        if written.step.trim().is_empty() || written.step.contains('/') {
            problems
                .error(
                    code::SHAPE,
                    written.step.place,
                    format!("`{}` cannot be the name of a step", written.step.value),
                )
                .expected("one such as `browse`, without `/`");
        }
        match played {
            Some(_) => of_program(written, problems),
            None => known(written, step, &names, problems),
        }
        let captures = captures(written, &mut names, problems);
        if let Pace::Open(profile) = &flow.pace {
            step.pace = Pace::Steps(profile.clone());
        }
        resolved.push(wire::Step { flow: behind + at, think: think(written, problems), captures });
    }
    // What a user may take at most: only a lost journey is told by it.
    flow.time_out = resolved.iter().zip(steps).map(|(step, flow)| step.think.longest() + flow.time_out).sum();
    flow.journey = Some(wire::Journey { steps: resolved });
    flow.players = played.map(|run| Players {
        run: run.value.clone(),
        folder: std::path::absolute(Path::new(".").join(folder)).unwrap_or_else(|_| folder.to_owned()),
    });
}

/// Refuses what a journey has no use for.
fn alone(written: &written::Flow, journey: &Placed<written::Journey>, problems: &mut Problems) {
    let steps = journey.steps.len();
    if !(1..=MOST_STEPS).contains(&steps) {
        problems
            .error(code::RANGE, journey.place, format!("a journey of {steps} steps"))
            .expected(format!("1 to {MOST_STEPS}"));
    }
    if let Some(closed) = &written.closed {
        problems
            .error(code::SHAPE, closed.place, "both `closed` and `journey`")
            .help("users arrive at a rate, whether or not those before them are done: write `rate: 20/s`");
    }
}

/// What a program asks, and when, is its own affair.
fn of_program(written: &written::JourneyStep, problems: &mut Problems) {
    let own = [
        ("request", written.request.is_some()),
        ("think", written.think.is_some()),
        ("capture", !written.capture.0.is_empty()),
    ];
    for (key, _) in own.into_iter().filter(|(_, is_written)| *is_written) {
        problems
            .error(code::SHAPE, written.step.place, format!("`{key}` in a step that a program takes"))
            .help("the program says what is asked: leave it out, or leave `run` out");
    }
}

/// Every name that a step needs has a value by then.
fn known(written: &written::JourneyStep, step: &Flow, names: &[String], problems: &mut Problems) {
    let literal = |value: &HeaderValue| match value {
        HeaderValue::Literal(text) => Some(text.clone()),
        HeaderValue::FromEnv(_) => None,
    };
    let fields = step.headers.iter().filter_map(|header| literal(&header.value));
    let texts: Vec<String> = [step.path.clone()].into_iter().chain(fields).collect();
    let used = texts.iter().flat_map(|text| wire::names(text));
    for name in used.filter(|name| !names.iter().any(|known| known == name)) {
        let mut said = problems.error(
            code::UNKNOWN_NAME,
            written.step.place,
            format!("nothing before this step captures `{name}`"),
        );
        if names.is_empty() {
            said.help(format!("write `capture: {{{name}: {{json: /id}}}}` in a step before it"));
        } else {
            said.names(name, names.iter().map(String::as_str));
        }
    }
}

fn captures(written: &written::JourneyStep, names: &mut Vec<String>, problems: &mut Problems) -> Vec<wire::Capture> {
    let mut captures = Vec::new();
    for (name, capture) in &written.capture.0 {
        if names.contains(&name.value) {
            problems.error(code::SHAPE, name.place, format!("`{}` has a value already", name.value));
        }
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter)) {
            problems
                .error(code::RANGE, name.place, format!("`{}` cannot be a name", name.value))
                .expected("such as `item`");
        }
        names.push(name.value.clone());
        let from = match &capture.value {
            Capture::Json(pointer) => {
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    problems
                        .error(code::RANGE, capture.place, format!("`{pointer}` is no JSON pointer"))
                        .expected("one such as `/items/0/id`");
                }
                Source::Json(pointer.clone())
            }
            Capture::Header(field) => Source::Header(field.clone()),
            Capture::Regex(expression) => {
                if let Err(error) = regex::bytes::Regex::new(expression) {
                    // The last line says what, those before it show where.
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    problems.error(
                        code::RANGE,
                        capture.place,
                        format!("`{expression}` is no regular expression: {why}"),
                    );
                }
                Source::Regex(expression.clone())
            }
        };
        captures.push(wire::Capture { name: name.value.clone(), from });
    }
    captures
}

fn think(written: &written::JourneyStep, problems: &mut Problems) -> Think {
    let none = Think::Fixed(Duration::ZERO);
    let Some(written) = &written.think else { return none };
    let think = match &written.value {
        written::Distribution::Fixed(span) => Think::Fixed(span.0),
        written::Distribution::Spread(figures) => match spread(figures, written.place, problems) {
            Some(Figures::Uniform(min, max)) => Think::Uniform { min: min.0, max: max.0 },
            Some(Figures::Lognormal(p50, p99)) => Think::Lognormal { p50: p50.0, p99: p99.0 },
            None => none,
        },
    };
    if think.longest() > LONGEST_THINK {
        problems
            .error(code::RANGE, written.place, format!("up to {} to think", TimeSpan(think.longest())))
            .expected(format!("at most {}", TimeSpan(LONGEST_THINK)));
    }
    think
}

/// The rows that users take in turn: their names stand in the steps.
pub(super) fn rows(written: &written::Flow, folder: &Path, problems: &mut Problems) -> Option<wire::Table> {
    let data = written.request.as_ref()?.data.as_ref()?;
    data::read_or_say(data, folder, problems)
}
