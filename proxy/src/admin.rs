//! What people and scripts ask a proxy, under Envoy's paths. Reading by GET; whatever changes anything by POST.

mod clusters;
mod config_dump;
mod reply;
mod stats;

use crate::clock::now;
use crate::net::{self, Reserve, Scarcity, no_descriptor};
use crate::serve::Shared;
use bytes::BytesMut;
use reply::Reply;
use squall_http1::{Framing, HeadReader, Request, Response, write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a question may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers questions until the process ends. `exposed`: also those that were put to an address rather than to a loopback name.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, exposed: bool) {
    let started = now();
    let (mut reserve, mut scarcity) = (Reserve::default(), Scarcity::default());
    loop {
        let failed = match net::accept(&listener).await {
            Ok((mut stream, _)) => {
                let shared = Arc::clone(&shared);
                drop(tokio::task::spawn_local(async move { answer(&mut stream, &shared, exposed, started).await }));
                continue;
            }
            // Just then somebody wants to know what is going on: one question after the other.
            Err(error) if no_descriptor(&error) => match reserve.accept(&listener).await {
                Ok(mut stream) => {
                    answer(&mut stream, &shared, exposed, started).await;
                    reserve.keep(stream).await;
                    continue;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        tokio::time::sleep(scarcity.failed(&failed, now()).0).await;
    }
}

async fn answer(stream: &mut TcpStream, shared: &Shared, exposed: bool, started: std::time::Instant) {
    let (mut buf, mut reader, mut request) = (BytesMut::new(), HeadReader::default(), Request::default());
    let deadline = now() + PATIENCE;
    let read = async {
        while !reader.request(&mut buf, &mut request).unwrap_or(false) {
            if stream.read_buf(&mut buf).await.unwrap_or(0) == 0 {
                return false;
            }
        }
        true
    };
    if !tokio::time::timeout_at(deadline.into(), read).await.unwrap_or(false) {
        return;
    }
    let Reply { status, kind, body } = match refused(&request, exposed) {
        Some(refusal) => Reply::text(403, refusal),
        None => reply::reply(&request, shared, started),
    };
    let mut response = Response::new(status);
    response.headers.add("content-type", kind.as_bytes());
    response.headers.add("connection", b"close");
    let framing = if body.is_empty() { Framing::Empty } else { Framing::Length(body.len() as u64) };
    let mut out = BytesMut::new();
    write::response(&mut out, &response, framing, request.method());
    if request.method() != "HEAD" {
        out.extend_from_slice(body.as_bytes());
    }
    // Whoever asked and left does not want the answer.
    let _ = stream.write_all(&out).await;
}

/// A page of some web site must not be able to ask through its visitor's browser: that asks by a name of the page's choice, never by an
/// address.
fn refused(request: &Request, exposed: bool) -> Option<&'static str> {
    let host = request.headers.get_str("host").unwrap_or_default();
    let host = crate::serve::routing::without_port(host);
    let loopback = host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || host == "[::1]";
    let by_address = exposed && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if !loopback && !by_address {
        return Some("the admin interface answers to loopback names only, and with --admin-exposed to addresses\n");
    }
    if request.headers.contains("origin") || request.headers.get("sec-fetch-site") == Some(b"cross-site") {
        return Some("the admin interface does not answer to other pages\n");
    }
    None
}
