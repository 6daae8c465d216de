//! What each command stands for.

use super::put::{Kind, display, host, joined, list, millis, number, port, text};
use super::time::TimeFormat;
use crate::policy::Command;
use crate::telemetry::{StreamInfo, grpc};

/// A command, prepared.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Without an argument.
    Plain(fn(&StreamInfo<'_>, &mut Vec<u8>) -> Kind),
    /// A field of the request.
    Request(Names),
    /// A field of the answer.
    Response(Names),
    /// A trailer of the answer.
    Trailer(Names),
    /// The path.
    Path { query: bool, original: Original },
    /// How a gRPC request ended.
    Grpc(GrpcForm),
    /// When it began.
    Start(TimeFormat),
    /// The same for all requests.
    Fixed(String),
}

/// A field, and the one that stands in for it; in lower case.
#[derive(Debug, Clone)]
pub(super) struct Names {
    first: String,
    second: Option<String>,
}

/// Which path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Original {
    /// That before changes.
    Only,
    /// That after changes.
    Never,
    /// That before changes, if there were any.
    First,
}

/// How a gRPC status is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum GrpcForm {
    /// `NotFound`.
    Camel,
    /// `NOT_FOUND`.
    Snake,
    /// 5.
    Number,
}

impl What {
    /// Prepares a command.
    pub(super) fn new(command: &Command, hostname: &str) -> Self {
        let argument = command.argument.as_str();
        match command.name {
            "REQ" => Self::Request(Names::new(argument)),
            "RESP" => Self::Response(Names::new(argument)),
            "TRAILER" => Self::Trailer(Names::new(argument)),
            "START_TIME" => Self::Start(TimeFormat::new(argument)),
            "GRPC_STATUS_NUMBER" => Self::Grpc(GrpcForm::Number),
            "GRPC_STATUS" => Self::Grpc(match argument {
                "NUMBER" => GrpcForm::Number,
                "SNAKE_STRING" => GrpcForm::Snake,
                _ => GrpcForm::Camel,
            }),
            "PATH" => {
                let original = match argument.split_once(':').map(|(_, which)| which) {
                    Some("ORIG") => Original::Only,
                    Some("PATH") => Original::Never,
                    _ => Original::First,
                };
                Self::Path { query: !argument.starts_with("NQ"), original }
            }
            "HOSTNAME" => Self::Fixed(hostname.to_owned()),
            "RESPONSE_CODE_DETAILS" if argument == "ALLOW_WHITESPACES" => {
                Self::Plain(|info, out| text(info.details, out))
            }
            name => Self::Plain(plain(name)),
        }
    }

    /// Appends what `info` has of it.
    pub(super) fn write(&self, info: &StreamInfo<'_>, out: &mut Vec<u8>) -> Kind {
        match self {
            Self::Plain(write) => write(info, out),
            Self::Request(names) => names.write(|name| request(info, name), out),
            Self::Response(names) if names.first == ":status" => display(info.status, out),
            Self::Response(names) => names.write(|name| info.response.get(name), out),
            Self::Trailer(names) => names.write(|name| info.trailers.get(name), out),
            Self::Path { query, original } => path(info, *query, *original, out),
            Self::Grpc(form) => grpc(info, *form, out),
            Self::Start(format) => {
                format.write(info.started_at(), out);
                Kind::Text
            }
            Self::Fixed(fixed) => text(fixed, out),
        }
    }
}

impl Names {
    fn new(argument: &str) -> Self {
        let lower = str::to_ascii_lowercase;
        match argument.split_once('?') {
            Some((first, second)) => Self { first: lower(first), second: Some(lower(second)) },
            None => Self { first: lower(argument), second: None },
        }
    }

    fn write<'a>(&self, get: impl Fn(&str) -> Option<&'a [u8]>, out: &mut Vec<u8>) -> Kind {
        let Some(value) = get(&self.first).or_else(|| get(self.second.as_deref()?)) else { return Kind::Missing };
        out.extend_from_slice(value);
        Kind::Text
    }
}

/// A field of the request, those among them that HTTP/2 writes with a colon.
fn request<'a>(info: &StreamInfo<'a>, name: &str) -> Option<&'a [u8]> {
    let known = |text: &'a str| (!text.is_empty()).then_some(text.as_bytes());
    match name {
        ":method" => known(info.method),
        ":path" => known(info.path),
        ":authority" | "host" => known(info.authority),
        ":scheme" => known(info.scheme),
        "x-envoy-original-path" => info.request.get(name).or_else(|| known(info.original_path)),
        _ => info.request.get(name),
    }
}

fn path(info: &StreamInfo<'_>, query: bool, original: Original, out: &mut Vec<u8>) -> Kind {
    let before = request(info, "x-envoy-original-path");
    let after = request(info, ":path");
    let path = match original {
        Original::Only => before,
        Original::Never => after,
        Original::First => before.or(after),
    };
    let Some(path) = path else { return Kind::Missing };
    let end = path.iter().position(|byte| *byte == b'?').filter(|_| !query);
    out.extend_from_slice(path.get(..end.unwrap_or(path.len())).unwrap_or(path));
    Kind::Text
}

fn grpc(info: &StreamInfo<'_>, form: GrpcForm, out: &mut Vec<u8>) -> Kind {
    let Some(status) = info.grpc_status() else { return Kind::Missing };
    let name = match form {
        GrpcForm::Camel => grpc::camel_name(status),
        GrpcForm::Snake => grpc::snake_name(status),
        GrpcForm::Number => return number(status, out),
    };
    match name {
        Some(name) => text(name, out),
        None => display(Some(status), out),
    }
}

fn plain(name: &str) -> fn(&StreamInfo<'_>, &mut Vec<u8>) -> Kind {
    match name {
        "BYTES_RECEIVED" => |info, out| number(info.received, out),
        "BYTES_SENT" => |info, out| number(info.sent, out),
        "CONNECTION_ID" => |info, out| number(info.connection_id, out),
        "CONNECTION_TERMINATION_DETAILS" => |info, out| text(info.termination_details, out),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => |info, out| display(info.direct_remote, out),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => |info, out| host(info.direct_remote, out),
        "DOWNSTREAM_LOCAL_ADDRESS" => |info, out| display(info.local, out),
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" => |info, out| host(info.local, out),
        "DOWNSTREAM_LOCAL_PORT" => |info, out| port(info.local, out),
        "DOWNSTREAM_LOCAL_SUBJECT" => |info, out| text(info.tls.map_or("", |tls| &tls.local_subject), out),
        "DOWNSTREAM_LOCAL_URI_SAN" => |info, out| list(info.tls.map_or(&[], |tls| &tls.local_uris), out),
        "DOWNSTREAM_PEER_SUBJECT" => |info, out| text(info.tls.map_or("", |tls| &tls.peer_subject), out),
        "DOWNSTREAM_PEER_URI_SAN" => |info, out| list(info.tls.map_or(&[], |tls| &tls.peer_uris), out),
        "DOWNSTREAM_REMOTE_ADDRESS" => |info, out| display(info.remote, out),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => |info, out| host(info.remote, out),
        "DOWNSTREAM_REMOTE_PORT" => |info, out| port(info.remote, out),
        "DOWNSTREAM_TLS_VERSION" => |info, out| text(info.tls.map_or("", |tls| tls.version), out),
        "DURATION" => |info, out| millis(Some(info.duration()), out),
        "METHOD" => |info, out| text(info.method, out),
        "PROTOCOL" => |info, out| text(info.protocol.map_or("", |protocol| protocol.name()), out),
        "REQUESTED_SERVER_NAME" => |info, out| text(info.server_name, out),
        "REQUEST_DURATION" => |info, out| millis(info.until(info.request_received), out),
        "RESPONSE_CODE" => |info, out| number(info.status.unwrap_or(0), out),
        "RESPONSE_CODE_DETAILS" => |info, out| joined(info.details, out),
        "RESPONSE_DURATION" => |info, out| millis(info.until(info.upstream_began), out),
        "RESPONSE_FLAGS" => |info, out| display(Some(info.flags), out),
        "ROUTE_NAME" => |info, out| text(info.route, out),
        "UPSTREAM_CLUSTER" => |info, out| text(info.cluster, out),
        "UPSTREAM_HOST" => |info, out| display(info.upstream_host, out),
        "UPSTREAM_LOCAL_ADDRESS" => |info, out| display(info.upstream_local, out),
        "UPSTREAM_REQUEST_ATTEMPT_COUNT" => |info, out| number(info.attempts, out),
        "UPSTREAM_TRANSPORT_FAILURE_REASON" => |info, out| joined(info.transport_failure, out),
        // Routes have no virtual clusters, so that no request has the name of one.
        _ => |_, _| Kind::Missing,
    }
}
