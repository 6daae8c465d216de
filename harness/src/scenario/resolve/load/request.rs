//! What is asked, and which answers are acceptable.

use crate::load::wire::{Accept, Body, Protocol};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::topology::{Figures, spread};
use crate::scenario::resolved::{Header, HeaderValue, Place};
use crate::scenario::written::{self, Placed};
use crate::units::Bytes;
use std::path::Path;

/// Largest body of a request or an answer.
pub(in super::super) const LARGEST_BODY: u64 = 1 << 30;
/// Largest body that stands in a file: it is told to the generator as it is.
pub(super) const LARGEST_FILE: u64 = 16 << 20;

pub(super) fn method(request: &written::Request, protocol: Protocol, problems: &mut Problems) -> String {
    let Some(method) = &request.method else {
        return if matches!(protocol, Protocol::Grpc { .. }) { "POST" } else { "GET" }.to_owned();
    };
    if !is_token(method) {
        problems
            .error(code::RANGE, method.place, format!("`{}` is no method", method.value))
            .expected("one such as `GET`");
    }
    method.value.clone()
}

/// Bytes of a request that are sent a second.
pub(super) fn speed(request: &written::Request, protocol: Protocol, problems: &mut Problems) -> Option<u64> {
    let speed = request.speed.as_ref()?;
    if protocol != Protocol::Http1 {
        problems
            .error(code::SHAPE, speed.place, "slow clients speak HTTP/1.1")
            .help("leave `speed` out, or `protocol`");
    }
    if speed.0 == 0 {
        problems.error(code::RANGE, speed.place, "a request of which nothing is sent").expected("such as `10B/s`");
    }
    Some(speed.0.max(1))
}

/// With values to come, the whole of it may be one.
pub(super) fn path(request: &written::Request, has_values: bool, problems: &mut Problems) -> String {
    let Some(path) = &request.path else { return "/".to_owned() };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    let begins = path.starts_with('/') || has_values && path.starts_with("${");
    if !begins || !plain {
        problems
            .error(code::RANGE, path.place, format!("`{}` is no path", path.value))
            .expected("a path that begins with `/`, without spaces");
    }
    path.value.clone()
}

pub(super) fn headers(request: &written::Request, problems: &mut Problems) -> Vec<Header> {
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

/// The body of a request.
pub(super) fn body(request: &written::Request, folder: &Path, problems: &mut Problems) -> Body {
    let Some(Placed { value, place }) = &request.body else { return Body::Fixed(0) };
    let mut at_most = |bytes: Bytes| {
        if bytes.0 > LARGEST_BODY {
            problems.error(code::RANGE, *place, format!("a body of {bytes}")).expected("at most 1GiB");
        }
        bytes.0
    };
    match value {
        written::Body::Size(written::Distribution::Fixed(bytes)) => Body::Fixed(at_most(*bytes)),
        written::Body::Size(written::Distribution::Spread(figures)) => {
            let _ = figures.p99.or(figures.max).map(at_most);
            spread(figures, *place, problems).map_or(Body::Fixed(0), |figures| match figures {
                Figures::Lognormal(p50, p99) => Body::Lognormal { p50: p50.0, p99: p99.0 },
                Figures::Uniform(min, max) => Body::Uniform { min: min.0, max: max.0 },
            })
        }
        written::Body::Text(text) => Body::Text(text.clone()),
        written::Body::File(path) => file(&folder.join(path), *place, problems),
    }
}

fn file(path: &Path, place: Place, problems: &mut Problems) -> Body {
    let length = std::fs::metadata(path).map(|file| (file.len(), file.is_file()));
    let read = match length {
        Ok((_, false)) => Err("it is no file".to_owned()),
        Ok((length, _)) if length > LARGEST_FILE => Err(format!("it has {length} bytes, more than {LARGEST_FILE}")),
        _ => std::fs::read_to_string(path).map_err(|error| error.to_string()),
    };
    read.map_or_else(
        |why| {
            problems.error(code::FILE, place, format!("cannot read {}: {why}", path.display()));
            Body::Fixed(0)
        },
        Body::Text,
    )
}

/// Which answers are acceptable.
pub(super) fn accept(written: &written::Flow, problems: &mut Problems) -> Accept {
    let default = Accept::default();
    let Some(accept) = &written.accept else { return default };
    if let Some(grpc) = accept.grpc.as_ref().and_then(|grpc| grpc.first()).filter(|_| !is_grpc(written)) {
        problems
            .error(code::SHAPE, grpc.place, "statuses of gRPC, but the flow speaks something else")
            .help("write `protocol: grpc`");
    }
    for (pointer, _) in &accept.json.0 {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            problems
                .error(code::RANGE, pointer.place, format!("`{}` is no JSON pointer", pointer.value))
                .expected("one such as `/items/0/id`");
        }
    }
    Accept {
        status: accept.status.as_ref().map_or(default.status, |all| all.iter().map(|one| (one.0, one.1)).collect()),
        grpc: accept.grpc.as_ref().map_or(default.grpc, |all| all.iter().map(|one| one.value).collect()),
        body_contains: accept.body_contains.as_ref().map(|text| text.value.clone()),
        json: accept.json.0.iter().map(|(pointer, value)| (pointer.value.clone(), value.clone())).collect(),
    }
}

fn is_grpc(written: &written::Flow) -> bool {
    written.protocol.as_ref().is_some_and(|protocol| protocol.value == written::Protocol::Grpc)
}

/// A token by RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
