//! Flows of the load.

use super::ports;
use crate::load::wire;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Flow, Header, HeaderValue, Place, Service, Step};
use crate::scenario::written::{self, Placed};
use crate::units::{Bytes, Rate};
use std::time::Duration;

/// Time-out of a flow that names none.
const TIME_OUT: Duration = Duration::from_secs(5);
/// Highest rate of a flow.
const MOST_RATE: f64 = 200_000.0;
/// Largest body of a request or an answer.
pub(super) const LARGEST_BODY: u64 = 1 << 30;
/// Longest time-out: beyond it a number was mistyped.
const LONGEST_TIME_OUT: Duration = Duration::from_secs(3600);
/// At most so many connections, where the file does not say how many.
const MOST_CONNECTIONS: u32 = 4_000;

/// Resolves all flows. A sweep gives the rates itself, so that flows need none.
pub(super) fn flows(
    written: &[written::Flow],
    services: &[Service],
    sweeps: bool,
    problems: &mut Problems,
) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    for flow in written {
        let name = match &flow.name {
            Some(name) => name.value.clone(),
            None if written.len() == 1 => "load".to_owned(),
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
        flows.push(one(flow, name, services, sweeps, problems));
    }
    if written.is_empty() {
        problems.error(code::SHAPE, Place::default(), "`load` has no flow");
    }
    flows
}

fn one(written: &written::Flow, name: String, services: &[Service], sweeps: bool, problems: &mut Problems) -> Flow {
    let (to, port) = ports::asked(&written.to, services, problems);
    if let Some(protocol) = written.protocol.as_ref().filter(|protocol| protocol.value != written::Protocol::Http1) {
        let word = if protocol.value == written::Protocol::Http2 { "http2" } else { "grpc" };
        problems
            .error(code::RESERVED, protocol.place, format!("`protocol: {word}` is not obeyed yet"))
            .expected("`http1`");
    }
    let (rate, step) = rates(written, sweeps, problems);
    let given = [written.rate.map(|rate| (rate.value, rate.place)), step.map(|step| (step.to, written.to.place))];
    for (rate, place) in given.into_iter().flatten().filter(|(rate, _)| rate.0 > MOST_RATE) {
        problems
            .error(code::RANGE, place, format!("{rate} is more than one generator sends"))
            .expected("at most 200000/s");
    }
    if let Some(body) = written.request.as_ref().and_then(|request| request.body).filter(|body| body.0 > LARGEST_BODY) {
        problems.error(code::RANGE, written.to.place, format!("a body of {body}")).expected("at most 1GiB");
    }
    let time_out = match &written.time_out {
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
    };
    let highest = step.map_or(rate.0, |step| step.to.0.max(rate.0));
    let request = written.request.clone().unwrap_or_default();
    Flow {
        name,
        place: written.host.as_ref().map_or(written.to.place, |host| host.place),
        to,
        port,
        host: written.host.as_ref().and_then(|host| ports::host(host, problems)),
        rate,
        step,
        connections: connections(written, highest, time_out, problems),
        time_out,
        method: method(&request, problems),
        path: path(&request, problems),
        headers: headers(&request, problems),
        body: request.body.unwrap_or(Bytes(0)),
        accept: match &written.accept {
            Some(accept) => accept.status.iter().map(|range| (range.0, range.1)).collect(),
            None => vec![(200, 399)],
        },
    }
}

/// The base rate, and the step away from it.
fn rates(written: &written::Flow, sweeps: bool, problems: &mut Problems) -> (Rate, Option<Step>) {
    let nothing = Rate(0.0);
    let rate = written.rate.map(|rate| rate.value);
    let (rate, step) = match (&rate, written.profile.as_ref().map(|profile| (&profile.value, profile.place))) {
        (rate, None) => (*rate, None),
        (rate, Some((written::Profile::Step(step), _))) => {
            if step.r#for.0.is_zero() {
                problems.error(code::RANGE, step.r#for.place, "a step of no length");
            }
            let step = Step { at: step.at.0, lasting: step.r#for.0, to: step.to.value };
            (Some(rate.unwrap_or(nothing)), Some(step))
        }
        (None, Some((written::Profile::Constant(rate), _))) => (Some(*rate), None),
        (Some(_), Some((written::Profile::Constant(_), place))) => {
            problems.error(code::SHAPE, place, "both `rate` and a constant profile").help("leave one of them out");
            (rate, None)
        }
        // Refused by name when the file was read.
        (rate, Some(_)) => (Some(rate.unwrap_or(nothing)), None),
    };
    match rate {
        Some(Rate(number)) if number == 0.0 && step.is_none() && !sweeps && written.profile.is_none() => {
            let place = written.rate.map_or(written.to.place, |rate| rate.place);
            problems.error(code::RANGE, place, "a rate of 0 sends nothing");
            (nothing, step)
        }
        Some(rate) => (rate, step),
        // `closed` was refused by name when the file was read.
        None if sweeps || written.closed.is_some() => (nothing, step),
        None => {
            problems
                .error(code::SHAPE, written.to.place, "a flow without a rate")
                .expected("`rate: 500/s` or a `profile`");
            (nothing, step)
        }
    }
}

fn connections(written: &written::Flow, rate: f64, time_out: Duration, problems: &mut Problems) -> wire::Connections {
    match written.connections {
        Some(Placed { value: written::Connections::Fixed(0) | written::Connections::UpTo(0), place }) => {
            problems.error(code::RANGE, place, "no request can be sent without a connection").expected("at least 1");
            wire::Connections::UpTo(1)
        }
        Some(Placed { value: written::Connections::Fixed(number), .. }) => wire::Connections::Fixed(number),
        Some(Placed { value: written::Connections::UpTo(number), .. }) => wire::Connections::UpTo(number),
        Some(Placed { value: written::Connections::Each, .. }) => wire::Connections::Each,
        // Twice what is open when every request hangs until its time-out, so that a fault cannot starve the load.
        None => {
            let needed = (2.0 * rate * time_out.as_secs_f64()).ceil().clamp(1.0, f64::from(MOST_CONNECTIONS));
            wire::Connections::UpTo(needed as u32)
        }
    }
}

fn method(request: &written::Request, problems: &mut Problems) -> String {
    let Some(method) = &request.method else { return "GET".to_owned() };
    if !is_token(method) {
        problems
            .error(code::RANGE, method.place, format!("`{}` is no method", method.value))
            .expected("one such as `GET`");
    }
    method.value.clone()
}

fn path(request: &written::Request, problems: &mut Problems) -> String {
    let Some(path) = &request.path else { return "/".to_owned() };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !plain {
        problems
            .error(code::RANGE, path.place, format!("`{}` is no path", path.value))
            .expected("a path that begins with `/`, without spaces");
    }
    path.value.clone()
}

fn headers(request: &written::Request, problems: &mut Problems) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, value) in &request.headers.0 {
        if !is_token(name) {
            problems.error(code::RANGE, name.place, format!("`{}` cannot be the name of a field", name.value));
        }
        let value = match &value.value {
            written::HeaderValue::Literal(text) => {
                if text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                    problems.error(code::RANGE, value.place, "a field's value cannot hold control characters");
                }
                HeaderValue::Literal(text.clone())
            }
            written::HeaderValue::FromEnv(variable) => {
                if std::env::var_os(variable).is_none() {
                    problems
                        .error(code::ENVIRONMENT, value.place, format!("`{variable}` is not set in the environment"))
                        .help(format!("set it: `{variable}=... squall run ...`"));
                }
                HeaderValue::FromEnv(variable.clone())
            }
        };
        headers.push(Header { name: name.value.clone(), value });
    }
    headers
}

/// A token by RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
