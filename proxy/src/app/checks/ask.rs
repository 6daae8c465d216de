//! Asking one endpoint once how it is.

use crate::cluster::{Cluster, ConnectError, Member, PoolKey, open};
use crate::filter::timeout::for_grpc;
use crate::health::active::{Answer, Checked, http, tcp_answered};
use crate::net::{Transport, server_name};
use crate::policy::{Address, HealthCheck, HealthProbe, HttpProbe, Priority, ProtocolChoice, Sni};
use crate::telemetry::is_grpc_type;
use crate::wire::{self, Broken, http1, http2};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use squall_http1::{Framing, Limits, Request, Response};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Most bytes of an answer that are looked at.
const MOST: usize = 64 * 1024;

/// There was no answer.
#[derive(Debug)]
pub(super) struct NoAnswer;

impl From<ConnectError> for NoAnswer {
    fn from(_: ConnectError) -> Self {
        Self
    }
}

impl From<std::io::Error> for NoAnswer {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl From<h2::Error> for NoAnswer {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

impl From<Broken> for NoAnswer {
    fn from(_: Broken) -> Self {
        Self
    }
}

/// A connection on which nothing is under way.
#[derive(Debug)]
pub(super) enum Connection {
    Http1(Box<(http1::Source, http1::Sink)>),
    /// A task of its own drives it, for as long as this is there.
    Http2(SendRequest<Bytes>),
}

/// Asks, on the connection of the last time if that is still good; leaves one for the next time where that is configured.
pub(super) async fn ask(
    cluster: &Cluster,
    member: &Member,
    check: &HealthCheck,
    kept: &mut Option<Connection>,
) -> Result<Checked, NoAnswer> {
    let named = |configured: &str| {
        let own = [member.endpoint.check_hostname.as_str(), configured, &cluster.name];
        own.into_iter().find(|host| !host.is_empty()).unwrap_or_default().to_owned()
    };
    let host = match &check.probe {
        HealthProbe::Http(probe) => named(&probe.host),
        HealthProbe::Grpc { authority, .. } => named(authority),
        HealthProbe::Tcp { .. } => named(""),
    };
    let before = kept.take().filter(|_| check.reuse_connection);
    let (checked, connection) = match &check.probe {
        HealthProbe::Http(probe) if probe.http2 => {
            let send = stream(cluster, member, &host, before).await?;
            let checked = by_http2(send.clone(), probe, &host).await?;
            (checked, Some(Connection::Http2(send)))
        }
        HealthProbe::Http(probe) => {
            let (source, sink) = match before {
                Some(Connection::Http1(connection)) if connection.0.is_quiet() => *connection,
                _ => {
                    let (reader, writer) = connect(cluster, member, &host).await?.split();
                    (http1::Source::new(reader, Limits::default()), http1::Sink::new(writer))
                }
            };
            by_http1(source, sink, probe, &host).await?
        }
        HealthProbe::Tcp { send, receive } => {
            (by_tcp(connect(cluster, member, &host).await?, send, receive).await?, None)
        }
        HealthProbe::Grpc { service, .. } => {
            let send = stream(cluster, member, &host, before).await?;
            let checked = by_grpc(send.clone(), service, &host, check.timeout).await?;
            (checked, Some(Connection::Http2(send)))
        }
    };
    *kept = connection.filter(|_| check.reuse_connection);
    Ok(checked)
}

async fn connect(cluster: &Cluster, member: &Member, host: &str) -> Result<Transport, NoAnswer> {
    let endpoint = &member.endpoint;
    let elsewhere = endpoint.check_port.and_then(|port| match &endpoint.address {
        Address::Socket(address) => Some(Address::Socket((address.ip(), port).into())),
        _ => None,
    });
    let by_host = cluster.policy.tls.as_ref().is_some_and(|tls| tls.sni == Sni::FromHost);
    let server_name = server_name(host).filter(|_| by_host);
    let key = PoolKey { protocol: ProtocolChoice::Http1, server_name, priority: Priority::Default };
    let (transport, _) = match elsewhere {
        Some(address) => open(cluster, &member.at(address), &key).await?,
        None => open(cluster, member, &key).await?,
    };
    Ok(transport)
}

/// A connection of HTTP/2 that takes a stream.
async fn stream(
    cluster: &Cluster,
    member: &Member,
    host: &str,
    kept: Option<Connection>,
) -> Result<SendRequest<Bytes>, NoAnswer> {
    if let Some(Connection::Http2(send)) = kept
        && let Ok(send) = send.ready().await
    {
        return Ok(send);
    }
    let (send, connection) = h2::client::handshake(connect(cluster, member, host).await?).await?;
    // Its streams learn of its end; it ends when nobody holds `send` any more.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(send.ready().await?)
}

fn request(probe: &HttpProbe, host: &str) -> Request {
    let mut request = Request::new(&probe.method, &probe.path);
    request.headers.add("host", host.as_bytes());
    request.headers.add("user-agent", b"Envoy/HC");
    for (name, value) in &probe.headers {
        request.headers.set(name, value.as_bytes());
    }
    request
}

fn judge(probe: &HttpProbe, response: &Response) -> Checked {
    let headers = &response.headers;
    http(
        probe,
        Answer {
            status: response.status,
            degraded: headers.contains("x-envoy-degraded"),
            exclude: headers.contains("x-envoy-immediate-health-check-fail"),
            service_name: headers.get_str("x-envoy-upstream-healthchecked-cluster").unwrap_or_default(),
        },
    )
}

async fn by_http1(
    source: http1::Source,
    mut sink: http1::Sink,
    probe: &HttpProbe,
    host: &str,
) -> Result<(Checked, Option<Connection>), NoAnswer> {
    let request = request(probe, host);
    sink.request(&request, Framing::Empty);
    let (mut sink, mut source) = (wire::Sink::Http1(sink), wire::Source::Http1(source));
    sink.flush().await?;
    let mut response = Response::default();
    let asked = wire::Asked { method: request.method(), tunnel: false };
    while source.head(&mut response, asked).await? == wire::Head::Interim {}
    let mut left = MOST;
    while !source.is_done() && left > 0 {
        source.take(|piece| left = left.saturating_sub(piece.len()))?;
        if !source.is_done() && left > 0 {
            source.fill().await?;
        }
    }
    let connection = match (source, sink) {
        (wire::Source::Http1(source), wire::Sink::Http1(sink)) if source.is_done() && response.keep_alive() => {
            Some(Connection::Http1(Box::new((source, sink))))
        }
        _ => None,
    };
    Ok((judge(probe, &response), connection))
}

async fn by_http2(mut send: SendRequest<Bytes>, probe: &HttpProbe, host: &str) -> Result<Checked, NoAnswer> {
    let request = request(probe, host);
    let head = http2::request_head(&request, "http", Framing::Empty).ok_or(NoAnswer)?;
    let (answer, _) = send.send_request(head, true)?;
    let mut source = wire::Source::Http2(http2::Source::of_response(answer));
    let mut response = Response::default();
    let asked = wire::Asked { method: request.method(), tunnel: false };
    while source.head(&mut response, asked).await? == wire::Head::Interim {}
    Ok(judge(probe, &response))
}

async fn by_tcp(mut transport: Transport, send: &[u8], receive: &[Vec<u8>]) -> Result<Checked, NoAnswer> {
    if !send.is_empty() {
        transport.write_all(send).await?;
        transport.flush().await?;
    }
    let mut received = BytesMut::new();
    while !tcp_answered(receive, &received) {
        if received.len() >= MOST || transport.read_buf(&mut received).await? == 0 {
            return Err(NoAnswer);
        }
    }
    Ok(Checked::Passed { degraded: false })
}

/// gRPC's own protocol: one message with the service's name, one back with its status; 1 is SERVING.
async fn by_grpc(
    mut send: SendRequest<Bytes>,
    service: &str,
    host: &str,
    timeout: Duration,
) -> Result<Checked, NoAnswer> {
    let uri = format!("http://{host}/grpc.health.v1.Health/Check");
    let head = http::Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", for_grpc(timeout))
        .header("user-agent", "Envoy/HC")
        .body(())
        .map_err(|_| NoAnswer)?;
    let (answer, mut body) = send.send_request(head, false)?;
    body.send_data(message(service), true)?;
    let (parts, mut body) = answer.await?.into_parts();
    let mut received = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        let _ = body.flow_control().release_capacity(piece.len());
        if received.len() + piece.len() > MOST {
            return Err(NoAnswer);
        }
        received.extend_from_slice(&piece);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    let status = trailers.get("grpc-status").or_else(|| parts.headers.get("grpc-status"));
    let is_grpc = parts.headers.get("content-type").is_some_and(|kind| is_grpc_type(kind.as_bytes()));
    let ok = parts.status == http::StatusCode::OK && status.is_some_and(|status| status.as_bytes() == b"0");
    let serving = is_grpc && ok && is_serving(&received);
    Ok(if serving { Checked::Passed { degraded: false } } else { Checked::Failed { exclude: false } })
}

/// A frame with a request for a service: its name is field 1.
fn message(service: &str) -> Bytes {
    let mut body = BytesMut::new();
    if !service.is_empty() {
        body.put_u8(0x0a);
        // Seven bits a byte, the least first.
        let mut length = service.len();
        while length > 0x7f {
            body.put_u8(length as u8 | 0x80);
            length >>= 7;
        }
        body.put_u8(length as u8);
        body.extend_from_slice(service.as_bytes());
    }
    let mut frame = BytesMut::with_capacity(5 + body.len());
    frame.put_u8(0);
    frame.put_u32(body.len() as u32);
    frame.extend_from_slice(&body);
    frame.freeze()
}

/// True if the answer says SERVING, which is 1 in its field 1.
fn is_serving(received: &[u8]) -> bool {
    matches!(received, [0, _, _, _, _, message @ ..] if message.windows(2).next() == Some(&[0x08, 0x01]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_health_messages_are_read_and_written() {
        assert_eq!(&message("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&message("ab")[..], [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = "n".repeat(300);
        assert_eq!(&message(&long)[..9], [0, 0, 0, 1, 47, 0x0a, 0xac, 2, b'n']);
        assert!(is_serving(&[0, 0, 0, 0, 2, 0x08, 1]));
        for other in [&[0, 0, 0, 0, 2, 0x08, 2][..], &[0, 0, 0, 0, 0], &[], &[1, 2, 3]] {
            assert!(!is_serving(other), "{other:?}");
        }
    }
}
