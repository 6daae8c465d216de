//! Response flags: why an answer is what it is.

/// Why an answer is what it is, in Envoy's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flag {
    /// The upstream's own answer.
    None,
    /// No route.
    NoRoute,
    /// No such cluster.
    NoCluster,
    /// No endpoint may be used.
    NoHealthyUpstream,
    /// A breaker is open.
    Overflow,
    /// No connection could be made.
    ConnectFailure,
    /// The connection was closed before the answer.
    Closed,
    /// No answer in time.
    Timeout,
    /// The upstream does not speak HTTP.
    ProtocolError,
    /// The client does not speak HTTP.
    DownstreamProtocolError,
    /// The client went away.
    DownstreamClosed,
    /// A fault of the policy.
    FaultInjected,
}

impl Flag {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::None,
        Self::NoRoute,
        Self::NoCluster,
        Self::NoHealthyUpstream,
        Self::Overflow,
        Self::ConnectFailure,
        Self::Closed,
        Self::Timeout,
        Self::ProtocolError,
        Self::DownstreamProtocolError,
        Self::DownstreamClosed,
        Self::FaultInjected,
    ];

    /// Envoy's letters; `-` for none.
    pub(crate) fn letters(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::NoRoute => "NR",
            Self::NoCluster => "NC",
            Self::NoHealthyUpstream => "UH",
            Self::Overflow => "UO",
            Self::ConnectFailure => "UF",
            Self::Closed => "UC",
            Self::Timeout => "UT",
            Self::ProtocolError => "UPE",
            Self::DownstreamProtocolError => "DPE",
            Self::DownstreamClosed => "DC",
            Self::FaultInjected => "FI",
        }
    }
}
