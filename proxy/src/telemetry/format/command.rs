//! What each command stands for.

use super::put::{Kind, display, host, joined, list, millis, number, port, text};
use super::time::TimeFormat;
use crate::policy::Command;
use crate::telemetry::{Tale, grpc};

/// A command, prepared.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Without an argument.
    Plain(fn(&Tale<'_>, &mut Vec<u8>) -> Kind),
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
                Self::Plain(|tale, out| text(tale.details, out))
            }
            name => Self::Plain(plain(name)),
        }
    }

    /// Appends what `tale` has of it.
    pub(super) fn write(&self, tale: &Tale<'_>, out: &mut Vec<u8>) -> Kind {
        match self {
            Self::Plain(write) => write(tale, out),
            Self::Request(names) => names.write(|name| request(tale, name), out),
            Self::Response(names) if names.first == ":status" => display(tale.status, out),
            Self::Response(names) => names.write(|name| tale.response.get(name), out),
            Self::Trailer(names) => names.write(|name| tale.trailers.get(name), out),
            Self::Path { query, original } => path(tale, *query, *original, out),
            Self::Grpc(form) => grpc(tale, *form, out),
            Self::Start(format) => {
                format.write(tale.started_at, out);
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
fn request<'a>(tale: &Tale<'a>, name: &str) -> Option<&'a [u8]> {
    let known = |text: &'a str| (!text.is_empty()).then_some(text.as_bytes());
    match name {
        ":method" => known(tale.method),
        ":path" => known(tale.path),
        ":authority" | "host" => known(tale.authority),
        ":scheme" => known(tale.scheme),
        "x-envoy-original-path" => tale.request.get(name).or_else(|| known(tale.original_path)),
        _ => tale.request.get(name),
    }
}

fn path(tale: &Tale<'_>, query: bool, original: Original, out: &mut Vec<u8>) -> Kind {
    let before = request(tale, "x-envoy-original-path");
    let after = request(tale, ":path");
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

fn grpc(tale: &Tale<'_>, form: GrpcForm, out: &mut Vec<u8>) -> Kind {
    let Some(status) = tale.grpc_status() else { return Kind::Missing };
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

fn plain(name: &str) -> fn(&Tale<'_>, &mut Vec<u8>) -> Kind {
    match name {
        "BYTES_RECEIVED" => |tale, out| number(tale.received, out),
        "BYTES_SENT" => |tale, out| number(tale.sent, out),
        "CONNECTION_ID" => |tale, out| number(tale.connection_id, out),
        "CONNECTION_TERMINATION_DETAILS" => |tale, out| text(tale.termination_details, out),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => |tale, out| display(tale.direct_remote, out),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => |tale, out| host(tale.direct_remote, out),
        "DOWNSTREAM_LOCAL_ADDRESS" => |tale, out| display(tale.local, out),
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" => |tale, out| host(tale.local, out),
        "DOWNSTREAM_LOCAL_PORT" => |tale, out| port(tale.local, out),
        "DOWNSTREAM_LOCAL_SUBJECT" => |tale, out| text(tale.tls.map_or("", |tls| &tls.local_subject), out),
        "DOWNSTREAM_LOCAL_URI_SAN" => |tale, out| list(tale.tls.map_or(&[], |tls| &tls.local_uris), out),
        "DOWNSTREAM_PEER_SUBJECT" => |tale, out| text(tale.tls.map_or("", |tls| &tls.peer_subject), out),
        "DOWNSTREAM_PEER_URI_SAN" => |tale, out| list(tale.tls.map_or(&[], |tls| &tls.peer_uris), out),
        "DOWNSTREAM_REMOTE_ADDRESS" => |tale, out| display(tale.remote, out),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => |tale, out| host(tale.remote, out),
        "DOWNSTREAM_REMOTE_PORT" => |tale, out| port(tale.remote, out),
        "DOWNSTREAM_TLS_VERSION" => |tale, out| text(tale.tls.map_or("", |tls| tls.version), out),
        "DURATION" => |tale, out| millis(Some(tale.duration()), out),
        "METHOD" => |tale, out| text(tale.method, out),
        "PROTOCOL" => |tale, out| text(tale.protocol.map_or("", |protocol| protocol.name()), out),
        "REQUESTED_SERVER_NAME" => |tale, out| text(tale.server_name, out),
        "REQUEST_DURATION" => |tale, out| millis(tale.until(tale.request_received), out),
        "RESPONSE_CODE" => |tale, out| number(tale.status.unwrap_or(0), out),
        "RESPONSE_CODE_DETAILS" => |tale, out| joined(tale.details, out),
        "RESPONSE_DURATION" => |tale, out| millis(tale.until(tale.upstream_began), out),
        "RESPONSE_FLAGS" => |tale, out| display(Some(tale.flags), out),
        "ROUTE_NAME" => |tale, out| text(tale.route, out),
        "UPSTREAM_CLUSTER" => |tale, out| text(tale.cluster, out),
        "UPSTREAM_HOST" => |tale, out| display(tale.upstream_host, out),
        "UPSTREAM_LOCAL_ADDRESS" => |tale, out| display(tale.upstream_local, out),
        "UPSTREAM_REQUEST_ATTEMPT_COUNT" => |tale, out| number(tale.attempts, out),
        "UPSTREAM_TRANSPORT_FAILURE_REASON" => |tale, out| joined(tale.transport_failure, out),
        // Routes have no virtual clusters, so that no request has the name of one.
        _ => |_, _| Kind::Missing,
    }
}
