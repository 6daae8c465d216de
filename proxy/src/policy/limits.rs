//! Limits against slow and greedy peers, laid over whatever a dialect says.
//!
//! Sizes and counts always have a limit. Times do where strangers come in; in a mesh they are what Istio or Envoy says, since a limit that
//! nobody configured would change what an experiment shows.

use super::{Config, Handler, HttpManager, Listener};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What is limited, on the side of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// From a connection's first byte to the end of its TLS handshake.
    TlsHandshake,
    /// A connection's first byte and a whole request head of HTTP/1.
    RequestHead,
    /// Bytes of a head.
    HeadBytes,
    /// Fields of a head.
    HeadFields,
    /// Bytes of a request's target.
    UriBytes,
    /// No byte either way while a body is under way.
    BodyIdle,
    /// No byte of a stream either way.
    StreamIdle,
    /// A connection without a request.
    ConnectionIdle,
    /// A client that takes none of what is written to it.
    SlowReader,
    /// Streams of an HTTP/2 connection at once.
    Streams,
    /// Bytes of an HTTP/2 stream that may be under way to us.
    StreamWindow,
    /// Bytes of an HTTP/2 connection that may be under way to us.
    ConnectionWindow,
    /// Connections of a listener at once.
    Connections,
    /// Bytes of memory that the whole process may hold.
    Memory,
}

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Pieces.
    Count,
}

/// Whose times hold where nobody has said any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clients {
    /// Strangers: every limit holds.
    #[default]
    Strangers,
    /// Workloads of the mesh, or whoever a bootstrap is for: times are what the configuration says.
    Mesh,
}

/// A limit that somebody has chosen; none switches a time off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub limit: Limit,
    /// Milliseconds, bytes or pieces.
    pub value: Option<u64>,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::TlsHandshake,
        Self::RequestHead,
        Self::HeadBytes,
        Self::HeadFields,
        Self::UriBytes,
        Self::BodyIdle,
        Self::StreamIdle,
        Self::ConnectionIdle,
        Self::SlowReader,
        Self::Streams,
        Self::StreamWindow,
        Self::ConnectionWindow,
        Self::Connections,
        Self::Memory,
    ];

    /// Its name, unit, and value for strangers.
    fn row(self) -> (&'static str, Unit, u64) {
        match self {
            Self::TlsHandshake => ("tls-handshake", Unit::Time, 10_000),
            Self::RequestHead => ("request-head", Unit::Time, 10_000),
            Self::HeadBytes => ("head-bytes", Unit::Bytes, 60 << 10),
            Self::HeadFields => ("head-fields", Unit::Count, 100),
            Self::UriBytes => ("uri-bytes", Unit::Bytes, 16 << 10),
            Self::BodyIdle => ("body-idle", Unit::Time, 30_000),
            Self::StreamIdle => ("stream-idle", Unit::Time, 300_000),
            Self::ConnectionIdle => ("connection-idle", Unit::Time, 300_000),
            Self::SlowReader => ("slow-reader", Unit::Time, 60_000),
            Self::Streams => ("streams", Unit::Count, 100),
            Self::StreamWindow => ("stream-window", Unit::Bytes, 64 << 10),
            Self::ConnectionWindow => ("connection-window", Unit::Bytes, 1 << 20),
            Self::Connections => ("connections", Unit::Count, 10_000),
            // Nobody but the one who starts it knows how much there is.
            Self::Memory => ("memory", Unit::Bytes, u64::MAX),
        }
    }

    /// The word that names it.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        self.row().1
    }

    /// What holds for strangers, in its unit.
    pub fn for_strangers(self) -> u64 {
        self.row().2
    }

    /// The largest and smallest value that means anything.
    pub fn range(self) -> (u64, u64) {
        match self {
            // More fields than that are never read, and windows of HTTP/2 end there.
            Self::HeadFields => (1, 128),
            Self::HeadBytes | Self::UriBytes => (1, 8 << 20),
            Self::StreamWindow => (0, (1 << 31) - 1),
            Self::ConnectionWindow => (65_535, (1 << 31) - 1),
            Self::Streams | Self::Connections => (1, u64::from(u32::MAX)),
            Self::Memory => (1 << 20, u64::MAX),
            _ => (1, 24 * 3_600_000),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no limit: expected one of {all}", all = Limit::ALL.map(Limit::name).join(", "))]
pub struct UnknownLimit(String);

impl FromStr for Limit {
    type Err = UnknownLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|limit| limit.name() == text).ok_or_else(|| UnknownLimit(text.to_owned()))
    }
}

/// Lays limits over a configuration: those for strangers if they are the clients, then what was chosen.
pub fn limit(config: &mut Config, clients: Clients, chosen: &[Setting]) {
    for listener in &mut config.listeners {
        if listener.max_connections.is_none() {
            set(listener, Limit::Connections, Some(Limit::Connections.for_strangers()));
        }
        if clients == Clients::Strangers {
            Limit::ALL.iter().for_each(|limit| set(listener, *limit, Some(limit.for_strangers())));
        }
        chosen.iter().for_each(|setting| set(listener, setting.limit, setting.value));
    }
}

/// Bytes that the whole process may hold, if that was chosen.
pub(crate) fn memory(chosen: &[Setting]) -> Option<u64> {
    chosen.iter().rev().find(|setting| setting.limit == Limit::Memory)?.value
}

fn set(listener: &mut Listener, limit: Limit, value: Option<u64>) {
    let time = value.map(Duration::from_millis);
    match limit {
        Limit::TlsHandshake => listener.tls_handshake = time,
        Limit::Connections => listener.max_connections = value.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        _ => {
            if limit == Limit::RequestHead {
                listener.inspection.timeout = time;
            }
            let chains = listener.chains.iter_mut().chain(&mut listener.default_chain);
            chains.for_each(|chain| {
                if let Handler::Http(manager) = &mut chain.handler {
                    set_http(manager, limit, value, time);
                }
            });
        }
    }
}

fn set_http(manager: &mut HttpManager, limit: Limit, value: Option<u64>, time: Option<Duration>) {
    let size = |value: Option<u64>| value.map_or(usize::MAX, |value| usize::try_from(value).unwrap_or(usize::MAX));
    let window =
        |value: Option<u64>| value.map_or(u32::MAX >> 1, |value| u32::try_from(value).unwrap_or(u32::MAX >> 1));
    match limit {
        Limit::RequestHead => manager.timeouts.head = time,
        Limit::BodyIdle => manager.timeouts.body_idle = time,
        Limit::StreamIdle => manager.timeouts.stream_idle = time,
        Limit::ConnectionIdle => manager.timeouts.idle = time,
        Limit::SlowReader => manager.timeouts.slow_reader = time,
        Limit::HeadBytes => manager.limits.head_bytes = size(value),
        Limit::HeadFields => manager.limits.fields = size(value),
        Limit::UriBytes => manager.limits.target_bytes = size(value),
        Limit::Streams => manager.http2.max_concurrent_streams = window(value),
        Limit::StreamWindow => manager.http2.stream_window = window(value),
        Limit::ConnectionWindow => manager.http2.connection_window = window(value),
        Limit::TlsHandshake | Limit::Connections | Limit::Memory => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_on_the_page_with_what_holds_for_strangers() {
        let page = include_str!("../../../docs/hardening.md");
        for limit in Limit::ALL {
            let row = page.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{limit}`")));
            let row = row.unwrap_or_else(|| panic!("`{limit}` is not on the page"));
            let value = limit.for_strangers();
            let shown = match limit.unit() {
                _ if value == u64::MAX => "none".to_owned(),
                Unit::Time if value > 60_000 => format!("{} min", value / 60_000),
                Unit::Time => format!("{} s", value / 1000),
                Unit::Bytes if value >= 1 << 20 => format!("{} MiB", value >> 20),
                Unit::Bytes => format!("{} KiB", value >> 10),
                Unit::Count if value >= 1000 => format!("{},000", value / 1000),
                Unit::Count => value.to_string(),
            };
            assert!(row.contains(&shown), "`{limit}` is {shown}: {row}");
        }
    }

    #[test]
    fn every_name_is_read_back_and_every_default_is_in_its_range() {
        for limit in Limit::ALL {
            assert_eq!(limit.name().parse(), Ok(limit));
            let (least, most) = limit.range();
            assert!((least..=most).contains(&limit.for_strangers()), "{limit}");
        }
        assert!("heads".parse::<Limit>().is_err());
    }
}
