//! Pings of HTTP/2: they keep a connection alive, or show that it is dead.

use crate::policy::Http2Keepalive;
use h2::{Ping, PingPong};
use tokio::time::{sleep, timeout};

/// Returns once the peer has not answered a ping in time; never without pings.
///
/// Begun once a connection and never dropped before its end: a ping whose answer nobody has taken leaves no room for another.
pub(crate) async fn unanswered(pings: Option<PingPong>, keepalive: Option<Http2Keepalive>) {
    let (Some(mut pings), Some(keepalive)) = (pings, keepalive) else { return std::future::pending().await };
    loop {
        sleep(keepalive.interval).await;
        if !matches!(timeout(keepalive.timeout, pings.ping(Ping::opaque())).await, Ok(Ok(_))) {
            return;
        }
    }
}
