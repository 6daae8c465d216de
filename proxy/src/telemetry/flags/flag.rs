//! The letters of response flags.

/// Why an answer is what it is, in Envoy's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Flag {
    /// LH: this proxy was told to fail its health check.
    FailedLocalHealthCheck = 1,
    /// UH: no endpoint may be used.
    NoHealthyUpstream,
    /// UT: no answer in time.
    UpstreamTimeout,
    /// LR: this proxy reset the stream.
    LocalReset,
    /// UR: the upstream reset the stream.
    UpstreamReset,
    /// UF: no connection could be made.
    ConnectFailure,
    /// UC: the connection was closed before the answer.
    UpstreamClosed,
    /// UO: a breaker is open.
    Overflow,
    /// NR: no route, or no filter chain.
    NoRoute,
    /// DI: delayed by a fault of the policy.
    DelayInjected,
    /// FI: answered by a fault of the policy.
    FaultInjected,
    /// RL: too many requests.
    RateLimited,
    /// UAEX: an authoriser said no.
    Unauthorized,
    /// RLSE: the rate limit service failed.
    RateLimitServiceError,
    /// DC: the client went away.
    DownstreamClosed,
    /// URX: no more retries, or no more connections to try.
    RetryLimit,
    /// SI: no byte of the stream for too long.
    StreamIdle,
    /// IH: an `x-envoy-` field could not be read.
    InvalidEnvoyHeader,
    /// DPE: the client broke the protocol.
    DownstreamProtocolError,
    /// UMSDR: the stream to the upstream became too old.
    UpstreamMaxDuration,
    /// RFCF: answered from a cache.
    FromCache,
    /// NFCF: a filter has no configuration.
    NoFilterConfig,
    /// DT: the stream or connection of the client became too old.
    DurationTimeout,
    /// UPE: the upstream broke the protocol.
    UpstreamProtocolError,
    /// NC: no such cluster.
    NoCluster,
    /// OM: this proxy is overloaded.
    Overloaded,
    /// DF: a name could not be looked up.
    DnsFailure,
    /// DO: dropped since the cluster is overloaded.
    DropOverload,
    /// UDO: dropped whatever the load.
    UnconditionalDrop,
    /// DR: the client reset the stream.
    DownstreamReset,
}

impl Flag {
    /// All of them, by number from 1.
    pub(crate) const ALL: [Self; 30] = [
        Self::FailedLocalHealthCheck,
        Self::NoHealthyUpstream,
        Self::UpstreamTimeout,
        Self::LocalReset,
        Self::UpstreamReset,
        Self::ConnectFailure,
        Self::UpstreamClosed,
        Self::Overflow,
        Self::NoRoute,
        Self::DelayInjected,
        Self::FaultInjected,
        Self::RateLimited,
        Self::Unauthorized,
        Self::RateLimitServiceError,
        Self::DownstreamClosed,
        Self::RetryLimit,
        Self::StreamIdle,
        Self::InvalidEnvoyHeader,
        Self::DownstreamProtocolError,
        Self::UpstreamMaxDuration,
        Self::FromCache,
        Self::NoFilterConfig,
        Self::DurationTimeout,
        Self::UpstreamProtocolError,
        Self::NoCluster,
        Self::Overloaded,
        Self::DnsFailure,
        Self::DropOverload,
        Self::UnconditionalDrop,
        Self::DownstreamReset,
    ];

    /// Envoy's letters.
    pub(crate) fn letters(self) -> &'static str {
        match self {
            Self::FailedLocalHealthCheck => "LH",
            Self::NoHealthyUpstream => "UH",
            Self::UpstreamTimeout => "UT",
            Self::LocalReset => "LR",
            Self::UpstreamReset => "UR",
            Self::ConnectFailure => "UF",
            Self::UpstreamClosed => "UC",
            Self::Overflow => "UO",
            Self::NoRoute => "NR",
            Self::DelayInjected => "DI",
            Self::FaultInjected => "FI",
            Self::RateLimited => "RL",
            Self::Unauthorized => "UAEX",
            Self::RateLimitServiceError => "RLSE",
            Self::DownstreamClosed => "DC",
            Self::RetryLimit => "URX",
            Self::StreamIdle => "SI",
            Self::InvalidEnvoyHeader => "IH",
            Self::DownstreamProtocolError => "DPE",
            Self::UpstreamMaxDuration => "UMSDR",
            Self::FromCache => "RFCF",
            Self::NoFilterConfig => "NFCF",
            Self::DurationTimeout => "DT",
            Self::UpstreamProtocolError => "UPE",
            Self::NoCluster => "NC",
            Self::Overloaded => "OM",
            Self::DnsFailure => "DF",
            Self::DropOverload => "DO",
            Self::UnconditionalDrop => "UDO",
            Self::DownstreamReset => "DR",
        }
    }
}
