//! `connectionPool`: limits and connections.

use crate::config::duration::{GoDuration, positive};
use crate::config::number::Count;
use crate::config::objects::ConnectionPool;
use crate::config::problems::Problems;
use crate::policy::{Http2Keepalive, TcpKeepalive};
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPool {
    tcp: Option<Tcp>,
    http: Option<Http>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Tcp {
    max_connections: Count,
    connect_timeout: Option<Keyed<GoDuration>>,
    tcp_keepalive: Option<Keepalive>,
    idle_timeout: Option<GoDuration>,
    max_connection_duration: Option<Keyed<GoDuration>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keepalive {
    probes: Option<u32>,
    time: Option<Keyed<GoDuration>>,
    interval: Option<Keyed<GoDuration>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Http {
    http1_max_pending_requests: Count,
    http2_max_requests: Count,
    max_requests_per_connection: Count,
    max_retries: Count,
    idle_timeout: Option<Keyed<GoDuration>>,
    h2_upgrade_policy: Option<H2Upgrade>,
    use_client_protocol: Option<Keyed<bool>>,
    max_concurrent_streams: Count,
    #[serde(rename = "http2KeepAlive")]
    http2_keepalive: Option<Spanned<Pings>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pings {
    interval: Option<Keyed<GoDuration>>,
    timeout: Option<Keyed<GoDuration>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum H2Upgrade {
    Default,
    DoNotUpgrade,
    Upgrade,
}

/// What the block means.
pub(super) fn connection_pool(written: &Keyed<WrittenPool>, problems: &mut Problems<'_>) -> ConnectionPool {
    let (tcp, http) = (&written.value.tcp, &written.value.http);
    if tcp.is_none() && http.is_none() {
        let help = "add `tcp:` or `http:`, or take it out";
        problems.error(written.key, "Istio refuses a `connectionPool` in which nothing is said", help);
    }
    let (no_tcp, no_http) = (Tcp::default(), Http::default());
    let (tcp, http) = (tcp.as_ref().unwrap_or(&no_tcp), http.as_ref().unwrap_or(&no_http));
    let client_protocol = http.use_client_protocol.filter(|by_client| by_client.value);
    if let (Some(by_client), Some(H2Upgrade::Upgrade)) = (client_protocol, http.h2_upgrade_policy) {
        problems.error(by_client.key, "only one of `useClientProtocol` and `h2UpgradePolicy: UPGRADE`", "take one out");
    }
    let mut time = |written: &Option<Keyed<GoDuration>>, field: &str| {
        positive(written.as_ref(), field, "1ms at least; leave it out for the default", problems)
    };
    ConnectionPool {
        max_connections: tcp.max_connections.set(),
        connect_timeout: time(&tcp.connect_timeout, "connectTimeout"),
        tcp_keepalive: tcp.tcp_keepalive.as_ref().map(|keepalive| TcpKeepalive {
            probes: keepalive.probes.filter(|probes| *probes > 0),
            time: time(&keepalive.time, "time"),
            interval: time(&keepalive.interval, "interval"),
        }),
        tcp_idle_timeout: tcp.idle_timeout.map(|idle| idle.0),
        max_connection_duration: time(&tcp.max_connection_duration, "maxConnectionDuration"),
        max_pending: http.http1_max_pending_requests.set(),
        max_requests: http.http2_max_requests.set(),
        max_requests_per_connection: http.max_requests_per_connection.set(),
        max_retries: http.max_retries.set(),
        http_idle_timeout: time(&http.idle_timeout, "idleTimeout"),
        upgrade_to_http2: match http.h2_upgrade_policy {
            Some(H2Upgrade::Upgrade) => Some(true),
            Some(H2Upgrade::DoNotUpgrade) => Some(false),
            Some(H2Upgrade::Default) | None => None,
        },
        use_client_protocol: client_protocol.is_some(),
        max_concurrent_streams: http.max_concurrent_streams.set(),
        http2_keepalive: http.http2_keepalive.as_ref().and_then(|pings| self::pings(pings, problems)),
    }
}

fn pings(written: &Spanned<Pings>, problems: &mut Problems<'_>) -> Option<Http2Keepalive> {
    let Pings { interval, timeout } = &written.value;
    if interval.is_none() || timeout.is_none() {
        let help = "as in `http2KeepAlive: {interval: 30s, timeout: 5s}`";
        problems.error(written.place, "`http2KeepAlive` needs both `interval` and `timeout`", help);
    }
    let interval = positive(interval.as_ref(), "interval", "1ms at least", problems);
    let timeout = positive(timeout.as_ref(), "timeout", "1ms at least", problems);
    Some(Http2Keepalive { interval: interval?, timeout: timeout? })
}
