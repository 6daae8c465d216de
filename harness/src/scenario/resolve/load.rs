//! Flows of the load.

mod data;
mod journey;
mod pace;
mod request;
mod tls;

pub(super) use journey::{Asked, asked};
pub(super) use request::LARGEST_BODY;

use super::ports;
use crate::load::wire::{self, Protocol};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Flow, Pace, Place, Service};
use crate::scenario::written::{self, Placed};
use std::path::Path;
use std::time::Duration;

/// Time-out of a flow that names none.
const TIME_OUT: Duration = Duration::from_secs(5);
/// Longest time-out: beyond it a number was mistyped.
const LONGEST_TIME_OUT: Duration = Duration::from_secs(3600);
/// At most so many connections, where the file does not say how many.
const MOST_CONNECTIONS: u32 = 4_000;
/// Requests that a connection of HTTP/2 carries at once, where the file does not say it.
pub(super) const STREAMS: u32 = 32;
/// More than servers allow by default.
const MOST_STREAMS: u32 = 1_000;

/// Resolves all flows. A sweep gives the rates itself, so that flows need none.
pub(super) fn flows(
    asked: &[Asked],
    services: &[Service],
    folder: &Path,
    sweeps: bool,
    problems: &mut Problems,
) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let is_only = asked.iter().filter(|asked| !asked.is_step).count() == 1;
    for Asked { flow, is_step } in asked {
        let name = match &flow.name {
            Some(name) => name.value.clone(),
            None if is_only => "load".to_owned(),
            None => {
                problems
                    .error(code::SHAPE, flow.to.place, "a flow without a name")
                    .help("where there are several flows, each needs a `name`");
                continue;
            }
        };
        if let Some(written) = flow.name.as_ref().filter(|name| flows.iter().any(|flow| flow.name == name.value)) {
            problems.error(code::SHAPE, written.place, format!("two flows are called `{name}`"));
        }
        flows.push(one((flow, *is_step), name, services, folder, sweeps, problems));
    }
    if asked.is_empty() {
        problems.error(code::SHAPE, Place::default(), "`load` has no flow");
    }
    // A flow that was left out for want of a name has left its steps without a place.
    if flows.len() == asked.len() {
        for (at, Asked { flow, .. }) in asked.iter().enumerate().filter(|(_, asked)| asked.flow.journey.is_some()) {
            let (journey, behind) = flows[at..].split_at_mut(1);
            journey::join(flow, folder, &mut journey[0], (at + 1, behind), problems);
        }
    }
    flows
}

fn one(
    (written, is_step): (&written::Flow, bool),
    name: String,
    services: &[Service],
    folder: &Path,
    sweeps: bool,
    problems: &mut Problems,
) -> Flow {
    let (to, port) = ports::asked(&written.to, services, problems);
    let pace = pace::resolve(written, folder, sweeps, problems);
    let time_out = time_out(written, problems);
    let protocol = protocol(written, problems);
    let host = written.host.as_ref().and_then(|host| ports::host(host, problems));
    let request = written.request.clone().unwrap_or_default();
    let has_values = is_step || request.data.is_some();
    let (path, headers) = (request::path(&request, has_values, problems), request::headers(&request, problems));
    let body = request::body(&request, folder, problems);
    Flow {
        name,
        place: written.host.as_ref().map_or(written.to.place, |host| host.place),
        tls: tls::resolve(written, host.as_ref().map_or(&to, |(host, _)| host), folder, problems),
        connections: connections(written, &pace, protocol, time_out, problems),
        to,
        port,
        host,
        pace,
        protocol,
        time_out,
        method: request::method(&request, protocol, problems),
        data: match &written.journey {
            Some(_) => journey::rows(written, folder, problems),
            None => data::table(&request, folder, (&path, &headers, &body), problems),
        },
        speed: request::speed(&request, protocol, problems),
        journey: None,
        players: None,
        path,
        headers,
        body,
        accept: request::accept(written, problems),
    }
}

fn time_out(written: &written::Flow, problems: &mut Problems) -> Duration {
    match &written.time_out {
        Some(span) if span.0.is_zero() => {
            problems.error(code::RANGE, span.place, "a time-out of 0 would fail every request");
            TIME_OUT
        }
        Some(span) if span.0 > LONGEST_TIME_OUT => {
            problems.error(code::RANGE, span.place, format!("a time-out of {}", span.value)).expected("at most 1h");
            TIME_OUT
        }
        Some(span) => span.0,
        None => TIME_OUT,
    }
}

fn protocol(written: &written::Flow, problems: &mut Problems) -> Protocol {
    let spoken = written.protocol.as_ref().map_or(written::Protocol::Http1, |protocol| protocol.value);
    if let Some(Placed { value: streams, place }) = written.streams {
        if spoken == written::Protocol::Http1 && streams != 1 {
            problems
                .error(code::SHAPE, place, "a connection of HTTP/1.1 carries one request at a time")
                .help("write `protocol: http2` beside it");
        } else if !(1..=MOST_STREAMS).contains(&streams) {
            problems.error(code::RANGE, place, format!("{streams} streams")).expected("1 to 1000");
        }
    }
    let streams = written.streams.map_or(STREAMS, |streams| streams.value);
    match spoken {
        written::Protocol::Http1 => Protocol::Http1,
        written::Protocol::Http2 => Protocol::Http2 { streams },
        written::Protocol::Grpc => Protocol::Grpc { streams },
    }
}

fn connections(
    written: &written::Flow,
    pace: &Pace,
    protocol: Protocol,
    time_out: Duration,
    problems: &mut Problems,
) -> wire::Connections {
    let mut at_least_one = |number: u32, place| {
        if number == 0 {
            problems.error(code::RANGE, place, "no request can be sent without a connection").expected("at least 1");
        }
        number.max(1)
    };
    if let Some(closed) = &written.closed {
        return wire::Connections::Fixed(at_least_one(closed.connections.value, closed.connections.place));
    }
    match written.connections {
        Some(Placed { value: written::Connections::Fixed(number), place }) => {
            wire::Connections::Fixed(at_least_one(number, place))
        }
        Some(Placed { value: written::Connections::UpTo(number), place }) => {
            wire::Connections::UpTo(at_least_one(number, place))
        }
        Some(Placed { value: written::Connections::Each, .. }) => wire::Connections::Each,
        // Twice what is open when every request hangs until its time-out, so that a fault cannot starve the load.
        None => {
            let highest = pace.profile().map_or(0.0, |profile| profile.highest().0);
            let open = 2.0 * highest * time_out.as_secs_f64() / f64::from(protocol.streams());
            wire::Connections::UpTo(open.ceil().clamp(1.0, f64::from(MOST_CONNECTIONS)) as u32)
        }
    }
}
