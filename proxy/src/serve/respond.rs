//! Our own answers: each failure with its status, body, flag and detail, in one table.

use crate::telemetry::Flag;
use squall_http1::{Framing, Refusal, Response, write};

/// Why a request is not answered by its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request cannot be read, or could be read in two ways.
    Refused(Refusal),
    /// No `Host`, or more than one.
    MissingHost,
    /// `Connection` names what it must not.
    ConnectionMisused,
    /// HTTP/1.0.
    LowVersion,
    /// An upgrade, or CONNECT.
    UpgradeRefused,
    /// The target is neither a path nor a URL.
    BadTarget,
    /// No host or no route of it matches.
    NoRoute,
    /// The route names a cluster that there is not.
    NoCluster,
    /// No endpoint may be used.
    NoHealthyUpstream,
    /// A breaker is open.
    Overflow,
    /// No connection could be made.
    Unreachable,
    /// Not in time.
    ConnectTimeout,
    /// The connection was closed or reset before the answer.
    Closed,
    /// The upstream does not speak HTTP.
    ProtocolError,
    /// The route's time is over.
    RouteTimeout,
    /// One try's time is over, and it is not tried again.
    PerTryTimeout,
    /// A fault of the policy.
    FaultAbort(u16),
}

/// What a failure looks like.
pub(super) struct Looks {
    pub(super) status: u16,
    pub(super) flag: Flag,
    pub(super) details: &'static str,
    body: String,
}

impl Failure {
    /// The table. `retried`: an earlier try had failed.
    pub(super) fn looks(self, retried: bool) -> Looks {
        let looks = |status, flag, details, body: &str| Looks { status, flag, details, body: body.to_owned() };
        let reset = |flag, details, reason: &str| {
            let tried = if retried { "retried and the latest reset reason" } else { "reset reason" };
            let body = format!("upstream connect error or disconnect/reset before headers. {tried}: {reason}");
            Looks { status: 503, flag, details, body }
        };
        let protocol = Flag::DownstreamProtocolError;
        match self {
            Self::Refused(refusal) => {
                looks(refusal.status(), protocol, "http1.codec_error", write::reason(refusal.status()))
            }
            Self::MissingHost => looks(400, Flag::None, "missing_host_header", ""),
            Self::ConnectionMisused => looks(400, protocol, "http1.connection_header_sanitization", ""),
            Self::LowVersion => looks(426, protocol, "low_version", "Upgrade Required"),
            Self::UpgradeRefused => looks(403, Flag::None, "upgrade_failed", ""),
            Self::BadTarget => looks(404, Flag::None, "absolute_path_rejected", ""),
            Self::NoRoute => looks(404, Flag::NoRoute, "route_not_found", ""),
            Self::NoCluster => looks(503, Flag::NoCluster, "cluster_not_found", ""),
            Self::NoHealthyUpstream => {
                looks(503, Flag::NoHealthyUpstream, "no_healthy_upstream", "no healthy upstream")
            }
            Self::Overflow => reset(Flag::Overflow, "upstream_reset_before_response_started{overflow}", "overflow"),
            Self::Unreachable => reset(
                Flag::ConnectFailure,
                "upstream_reset_before_response_started{remote_connection_failure}",
                "remote connection failure",
            ),
            Self::ConnectTimeout => reset(
                Flag::ConnectFailure,
                "upstream_reset_before_response_started{connection_timeout}",
                "connection timeout",
            ),
            Self::Closed => reset(
                Flag::Closed,
                "upstream_reset_before_response_started{connection_termination}",
                "connection termination",
            ),
            Self::ProtocolError => Looks {
                status: 502,
                ..reset(Flag::ProtocolError, "upstream_reset_before_response_started{protocol_error}", "protocol error")
            },
            Self::RouteTimeout => looks(504, Flag::Timeout, "response_timeout", "upstream request timeout"),
            Self::PerTryTimeout => looks(504, Flag::Timeout, "upstream_per_try_timeout", "upstream request timeout"),
            Self::FaultAbort(status) => looks(status, Flag::FaultInjected, "fault_filter_abort", "fault filter abort"),
        }
    }

    /// Nothing more can be read from the client.
    pub(super) fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::MissingHost | Self::ConnectionMisused | Self::LowVersion | Self::UpgradeRefused
        )
    }
}

/// A whole answer of ours.
pub(super) struct Reply {
    pub(super) response: Response,
    pub(super) body: Vec<u8>,
    pub(super) flag: Flag,
    pub(super) details: &'static str,
}

impl Reply {
    /// The answer to a failure. gRPC gets its own form: 200, and the trouble in fields.
    pub(super) fn to(failure: Failure, retried: bool, grpc: bool) -> Self {
        let looks = failure.looks(retried);
        let mut response = Response::new(if grpc { 200 } else { looks.status });
        let mut body = looks.body.into_bytes();
        if grpc {
            response.headers.add("content-type", b"application/grpc");
            response.headers.add("grpc-status", grpc_status(looks.status).as_bytes());
            response.headers.add("grpc-message", &percent_encoded(&body));
            body.clear();
        } else if !body.is_empty() {
            response.headers.add("content-type", b"text/plain");
        }
        if failure == Failure::Overflow {
            response.headers.add("x-envoy-overloaded", b"true");
        }
        Self { response, body, flag: looks.flag, details: looks.details }
    }

    /// Where its body ends.
    pub(super) fn framing(&self) -> Framing {
        if self.body.is_empty() { Framing::Empty } else { Framing::Length(self.body.len() as u64) }
    }
}

fn grpc_status(status: u16) -> &'static str {
    match status {
        400 => "13",
        401 => "16",
        403 => "7",
        404 => "12",
        429 | 502..=504 => "14",
        _ => "2",
    }
}

fn percent_encoded(text: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        b' '..=b'~' if *byte != b'%' => vec![*byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    text.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_envoys_status_and_letters() {
        for (failure, status, letters) in [
            (Failure::NoRoute, 404, "NR"),
            (Failure::NoCluster, 503, "NC"),
            (Failure::NoHealthyUpstream, 503, "UH"),
            (Failure::Overflow, 503, "UO"),
            (Failure::Unreachable, 503, "UF"),
            (Failure::ConnectTimeout, 503, "UF"),
            (Failure::Closed, 503, "UC"),
            (Failure::ProtocolError, 502, "UPE"),
            (Failure::RouteTimeout, 504, "UT"),
            (Failure::PerTryTimeout, 504, "UT"),
            (Failure::FaultAbort(418), 418, "FI"),
            (Failure::Refused(Refusal::LengthAndChunked), 400, "DPE"),
            (Failure::Refused(Refusal::TransferEncoding), 501, "DPE"),
            (Failure::Refused(Refusal::HeadTooLarge), 431, "DPE"),
        ] {
            let looks = failure.looks(false);
            assert_eq!((looks.status, looks.flag.letters()), (status, letters), "{failure:?}");
        }
    }

    #[test]
    fn the_body_says_whether_it_was_tried_again() {
        let body = |retried| String::from_utf8(Reply::to(Failure::Closed, retried, false).body).unwrap();
        let prefix = "upstream connect error or disconnect/reset before headers.";
        assert_eq!(body(false), format!("{prefix} reset reason: connection termination"));
        assert_eq!(body(true), format!("{prefix} retried and the latest reset reason: connection termination"));
    }

    #[test]
    fn an_overflow_says_so_and_grpc_is_told_in_fields() {
        let overflow = Reply::to(Failure::Overflow, false, false);
        assert_eq!(overflow.response.headers.get("x-envoy-overloaded"), Some(&b"true"[..]));
        let grpc = Reply::to(Failure::NoHealthyUpstream, false, true);
        assert_eq!((grpc.response.status, grpc.framing()), (200, Framing::Empty));
        assert_eq!(grpc.response.headers.get("grpc-status"), Some(&b"14"[..]));
        assert_eq!(grpc.response.headers.get("grpc-message"), Some(&b"no healthy upstream"[..]));
    }
}
