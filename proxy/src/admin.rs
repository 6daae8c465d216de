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
use squall_http1::{Framing, HeadReader, Refusal, Request, Response, write};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a question and its answer may take.
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

/// Answers one question, unless asking or being answered takes too long.
async fn answer(stream: &mut TcpStream, shared: &Shared, exposed: bool, started: Instant) {
    let deadline = now() + PATIENCE;
    let exchange = async {
        let mut request = Request::default();
        let reply = match asked(stream, &mut request).await? {
            Err(refusal) => Reply::text(refusal.status(), format!("{refusal}\n")),
            Ok(()) => match refused(&request, exposed) {
                Some(refusal) => Reply::text(403, refusal),
                None => reply::reply(&request, shared, started),
            },
        };
        stream.write_all(&written(&reply, request.method())).await
    };
    // Whoever asked and left does not want the answer.
    let _ = tokio::time::timeout_at(deadline.into(), exchange).await;
}

/// Reads a question, or finds out why it is none.
async fn asked(stream: &mut TcpStream, request: &mut Request) -> io::Result<Result<(), Refusal>> {
    let (mut buf, mut reader) = (BytesMut::new(), HeadReader::default());
    loop {
        match reader.request(&mut buf, request) {
            Ok(true) => return Ok(Ok(())),
            Ok(false) if stream.read_buf(&mut buf).await? == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(false) => {}
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
}

fn written(reply: &Reply, method: &str) -> BytesMut {
    let mut response = Response::new(reply.status);
    response.headers.add("content-type", reply.kind.as_bytes());
    response.headers.add("connection", b"close");
    let framing = if reply.body.is_empty() { Framing::Empty } else { Framing::Length(reply.body.len() as u64) };
    let mut out = BytesMut::new();
    write::response(&mut out, &response, framing, method);
    if method != "HEAD" {
        out.extend_from_slice(reply.body.as_bytes());
    }
    out
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
