//! Why a request is not answered by its upstream, and what is answered instead: each failure with its status, body, flag and detail, in
//! one table.

use crate::telemetry::{Flag, HttpCounter};
use squall_http1::{Refusal, write};
use std::borrow::Cow;
use std::sync::Arc;

/// Why a request is not answered by its upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) enum Failure {
    /// The request cannot be read, or could be read in two ways.
    Refused(Refusal),
    /// No `Host`, or more than one.
    MissingHost,
    /// The authority has something in it that no host has.
    BadAuthority,
    /// `Connection` names what it must not.
    ConnectionMisused,
    /// A field whose name has an underscore.
    Underscore,
    /// The path cannot be made unambiguous.
    PathNormalization,
    /// HTTP/1.0.
    LowVersion,
    /// An upgrade, or CONNECT.
    UpgradeRefused,
    /// The target is neither a path nor a URL.
    BadTarget,
    /// No host or no route of it matches.
    NoRoute,
    /// The route names a cluster that there is not.
    NoCluster(u16),
    /// No endpoint may be used.
    NoHealthyUpstream,
    /// A breaker is open.
    Overflow,
    /// No connection could be made.
    Unreachable(Arc<str>),
    /// Not in time.
    ConnectTimeout,
    /// The connection was closed or reset before the answer.
    Closed,
    /// The upstream gave up the stream before the answer.
    RemoteReset,
    /// The upstream did not begin with the stream.
    RemoteRefused,
    /// The upstream does not speak HTTP.
    ProtocolError,
    /// The route's time is over.
    RouteTimeout,
    /// One try's time is over, and it is not tried again.
    PerTryTimeout,
    /// No byte of one try's answer has come for too long, and it is not tried again.
    PerTryIdle,
    /// A time of the upstream is over, of which the caller wants no word; which.
    Wordless(&'static str),
    /// No byte has moved for too long; whether the whole request was there.
    StreamIdle(bool),
    /// The same, of a body.
    BodyIdle(bool),
    /// The whole request took too long; whether it is there by now.
    RequestTimeout(bool),
    /// Its head took too long.
    HeadTimeout,
    /// The stream has lived too long; whether the whole request was there.
    StreamTooOld(bool),
    /// A stream to the upstream has lived too long; whether the whole request was there.
    UpstreamTooOld(bool),
    /// A fault of the policy.
    FaultAbort(u16),
    /// The same, by gRPC's own status.
    FaultAbortGrpc(u32),
    /// Too many requests.
    RateLimited {
        /// The status.
        status: u16,
        /// gRPC is told `RESOURCE_EXHAUSTED`.
        resource_exhausted: bool,
    },
    /// The process is near its limit of memory.
    Overloaded,
}

/// What is answered to a failure, and what is noted of it.
pub(in crate::serve) struct LocalReply {
    pub(in crate::serve) status: u16,
    pub(in crate::serve) flag: Option<Flag>,
    pub(in crate::serve) details: Cow<'static, str>,
    pub(super) body: String,
}

impl Failure {
    /// The table. `retried`: an earlier try had failed.
    pub(in crate::serve) fn local_reply(&self, retried: bool) -> LocalReply {
        let reply = |status, flag, details, body: &str| LocalReply {
            status,
            flag,
            details: Cow::Borrowed(details),
            body: body.to_owned(),
        };
        let reset = |flag, reason: &str| {
            let tried = if retried { "retried and the latest reset reason" } else { "reset reason" };
            // Why, in the transport's own words, is for the log alone.
            let shown = reason.split_once(", transport failure reason").map_or(reason, |(shown, _)| shown);
            let body = format!("upstream connect error or disconnect/reset before headers. {tried}: {shown}");
            let detail = reason.replace(", transport failure reason: ", "|").replace(' ', "_");
            let details = Cow::Owned(format!("upstream_reset_before_response_started{{{detail}}}"));
            LocalReply { status: 503, flag, details, body }
        };
        let late = |whole: bool| if whole { 504 } else { 408 };
        let protocol = Some(Flag::DownstreamProtocolError);
        match self {
            Self::Refused(Refusal::Version) => Self::LowVersion.local_reply(retried),
            Self::Refused(refusal) => {
                reply(refusal.status(), protocol, refusal_details(*refusal), write::reason(refusal.status()))
            }
            Self::MissingHost => reply(400, None, "missing_host_header", ""),
            Self::BadAuthority => reply(400, protocol, "http.invalid_authority", "Bad Request"),
            Self::ConnectionMisused => reply(400, protocol, "http1.connection_header_sanitization", ""),
            Self::Underscore => reply(400, protocol, "http1.unexpected_underscore", "Bad Request"),
            Self::PathNormalization => reply(400, None, "path_normalization_failed", ""),
            Self::LowVersion => reply(426, protocol, "low_version", "Upgrade Required"),
            Self::UpgradeRefused => reply(403, None, "upgrade_failed", ""),
            Self::BadTarget => reply(404, None, "absolute_path_rejected", ""),
            Self::NoRoute => reply(404, Some(Flag::NoRoute), "route_not_found", ""),
            Self::NoCluster(status) => reply(*status, Some(Flag::NoCluster), "cluster_not_found", ""),
            Self::NoHealthyUpstream => {
                reply(503, Some(Flag::NoHealthyUpstream), "no_healthy_upstream", "no healthy upstream")
            }
            Self::Overflow => reset(Some(Flag::Overflow), "overflow"),
            Self::Unreachable(reason) => reset(Some(Flag::ConnectFailure), reason),
            Self::ConnectTimeout => reset(Some(Flag::ConnectFailure), "connection timeout"),
            Self::Closed => reset(Some(Flag::UpstreamClosed), "connection termination"),
            Self::RemoteReset => reset(Some(Flag::UpstreamReset), "remote reset"),
            Self::RemoteRefused => reset(Some(Flag::UpstreamReset), "remote refused stream reset"),
            Self::ProtocolError => {
                LocalReply { status: 502, ..reset(Some(Flag::UpstreamProtocolError), "protocol error") }
            }
            Self::RouteTimeout => {
                reply(504, Some(Flag::UpstreamTimeout), "response_timeout", "upstream request timeout")
            }
            Self::PerTryTimeout => {
                reply(504, Some(Flag::UpstreamTimeout), "upstream_per_try_timeout", "upstream request timeout")
            }
            Self::PerTryIdle => {
                reply(504, Some(Flag::UpstreamTimeout), "upstream_per_try_idle_timeout", "upstream request timeout")
            }
            Self::Wordless(which) => reply(204, Some(Flag::UpstreamTimeout), which, ""),
            Self::StreamIdle(whole) => {
                reply(late(*whole), Some(Flag::StreamIdle), "stream_idle_timeout", "stream timeout")
            }
            Self::BodyIdle(whole) => reply(late(*whole), Some(Flag::StreamIdle), "body_idle_timeout", "body timeout"),
            Self::RequestTimeout(whole) => reply(late(*whole), None, "request_overall_timeout", "request timeout"),
            Self::HeadTimeout => reply(408, None, "request_header_timeout", "request header timeout"),
            Self::StreamTooOld(whole) => {
                reply(late(*whole), None, "max_duration_timeout", "downstream duration timeout")
            }
            Self::UpstreamTooOld(whole) => reply(
                late(*whole),
                Some(Flag::UpstreamMaxDuration),
                "upstream_max_stream_duration_reached",
                "upstream max stream duration reached",
            ),
            Self::FaultAbort(status) => {
                reply(*status, Some(Flag::FaultInjected), "fault_filter_abort", "fault filter abort")
            }
            Self::FaultAbortGrpc(_) => {
                reply(200, Some(Flag::FaultInjected), "fault_filter_abort", "fault filter abort")
            }
            Self::RateLimited { status, .. } => {
                reply(*status, Some(Flag::RateLimited), "local_rate_limited", "local_rate_limited")
            }
            Self::Overloaded => reply(503, Some(Flag::Overloaded), "overload", "envoy overloaded"),
        }
    }

    /// What counts the limit that was hit, if it was one.
    pub(in crate::serve) fn limit(&self) -> Option<HttpCounter> {
        match self {
            Self::Refused(Refusal::HeadTooLarge) => Some(HttpCounter::RqHeadTooLarge),
            Self::Refused(Refusal::TooManyFields) => Some(HttpCounter::RqTooManyFields),
            Self::Refused(Refusal::TargetTooLong) => Some(HttpCounter::RqUriTooLong),
            Self::HeadTimeout => Some(HttpCounter::RqHeaderTimeout),
            Self::StreamIdle(_) => Some(HttpCounter::RqIdleTimeout),
            Self::Overloaded => Some(HttpCounter::RqOverloadClose),
            _ => None,
        }
    }

    /// The same for a caller that wants no word of time-outs.
    pub(in crate::serve) fn without_a_word(self) -> Self {
        match self {
            Self::RouteTimeout => Self::Wordless("response_timeout"),
            Self::PerTryTimeout => Self::Wordless("upstream_per_try_timeout"),
            Self::PerTryIdle => Self::Wordless("upstream_per_try_idle_timeout"),
            other => other,
        }
    }

    /// It was refused while it was read, so that nothing can be told of it.
    pub(in crate::serve) fn is_unread(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::BadAuthority | Self::LowVersion | Self::Underscore)
    }

    /// Nothing more can be read from the client.
    pub(in crate::serve) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::MissingHost
                | Self::BadAuthority
                | Self::PathNormalization
                | Self::ConnectionMisused
                | Self::Underscore
                | Self::LowVersion
                | Self::UpgradeRefused
                | Self::HeadTimeout
                | Self::Overloaded
        )
    }
}

/// What was wrong with bytes, in Envoy's words.
fn refusal_details(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::HeadTooLarge | Refusal::TargetTooLong => "http1.headers_too_large",
        Refusal::TooManyFields => "http1.too_many_headers",
        Refusal::LengthAndChunked => "http1.content_length_and_chunked_not_allowed",
        Refusal::TransferEncoding => "http1.invalid_transfer_encoding",
        Refusal::BadValue => "http1.invalid_characters",
        _ => "http1.codec_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_envoys_status_and_letters() {
        for (failure, status, letters) in [
            (Failure::NoRoute, 404, "NR"),
            (Failure::NoCluster(503), 503, "NC"),
            (Failure::NoHealthyUpstream, 503, "UH"),
            (Failure::Overflow, 503, "UO"),
            (Failure::Unreachable("remote connection failure".into()), 503, "UF"),
            (Failure::ConnectTimeout, 503, "UF"),
            (Failure::Closed, 503, "UC"),
            (Failure::ProtocolError, 502, "UPE"),
            (Failure::RouteTimeout, 504, "UT"),
            (Failure::PerTryTimeout, 504, "UT"),
            (Failure::RemoteReset, 503, "UR"),
            (Failure::StreamIdle(true), 504, "SI"),
            (Failure::StreamIdle(false), 408, "SI"),
            (Failure::RequestTimeout(false), 408, "-"),
            (Failure::UpstreamTooOld(true), 504, "UMSDR"),
            (Failure::UpstreamTooOld(false), 408, "UMSDR"),
            (Failure::FaultAbort(418), 418, "FI"),
            (Failure::RateLimited { status: 429, resource_exhausted: false }, 429, "RL"),
            (Failure::Overloaded, 503, "OM"),
            (Failure::Refused(Refusal::LengthAndChunked), 400, "DPE"),
            (Failure::Refused(Refusal::TransferEncoding), 501, "DPE"),
            (Failure::Refused(Refusal::HeadTooLarge), 431, "DPE"),
        ] {
            let local = failure.local_reply(false);
            assert_eq!((local.status, local.flag.map_or("-", Flag::letters)), (status, letters), "{failure:?}");
        }
    }
}
