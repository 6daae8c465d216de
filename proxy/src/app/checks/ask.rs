//! Asking one endpoint once how it is.

use crate::cluster::{Cluster, ConnectError, Member, PoolKey, open};
use crate::health::active::{Answer, Checked, http, tcp_answered};
use crate::net::Transport;
use crate::policy::{Address, HealthCheck, HealthProbe, HttpProbe, Priority, ProtocolChoice};
use crate::wire::{self, Broken, http1, http2};
use bytes::{BufMut, Bytes, BytesMut};
use squall_http1::{Framing, Limits, Request, Response};
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

/// Asks.
pub(super) async fn ask(cluster: &Cluster, member: &Member, check: &HealthCheck) -> Result<Checked, NoAnswer> {
    let endpoint = &member.endpoint;
    let elsewhere = endpoint.check_port.and_then(|port| match &endpoint.address {
        Address::Socket(address) => Some(Address::Socket((address.ip(), port).into())),
        _ => None,
    });
    let host = |configured: &str| {
        let own = [endpoint.check_hostname.as_str(), configured, &cluster.name];
        own.into_iter().find(|host| !host.is_empty()).unwrap_or_default().to_owned()
    };
    let key = PoolKey { protocol: ProtocolChoice::Http1, server_name: None, priority: Priority::Default };
    let (transport, _) = match elsewhere {
        Some(address) => open(cluster, &member.at(address), &key).await?,
        None => open(cluster, member, &key).await?,
    };
    match &check.probe {
        HealthProbe::Http(probe) if probe.http2 => by_http2(transport, probe, &host(&probe.host)).await,
        HealthProbe::Http(probe) => by_http1(transport, probe, &host(&probe.host)).await,
        HealthProbe::Tcp { send, receive } => by_tcp(transport, send, receive).await,
        HealthProbe::Grpc { service, authority } => by_grpc(transport, service, &host(authority)).await,
    }
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

async fn by_http1(transport: Transport, probe: &HttpProbe, host: &str) -> Result<Checked, NoAnswer> {
    let mut request = request(probe, host);
    request.headers.add("connection", b"close");
    let (reader, writer) = transport.split();
    let mut sink = http1::Sink::new(writer);
    sink.request(&request, Framing::Empty);
    let mut sink = wire::Sink::Http1(sink);
    sink.flush().await?;
    let mut source = wire::Source::Http1(http1::Source::new(reader, Limits::default()));
    let mut response = Response::default();
    let asked = wire::Asked { method: request.method(), tunnel: false };
    while source.head(&mut response, asked).await? == wire::Head::Interim {}
    Ok(judge(probe, &response))
}

async fn by_http2(transport: Transport, probe: &HttpProbe, host: &str) -> Result<Checked, NoAnswer> {
    let request = request(probe, host);
    let head = http2::request_head(&request, "http", Framing::Empty).ok_or(NoAnswer)?;
    let (send, connection) = h2::client::handshake(transport).await?;
    let mut send = send.ready().await?;
    let (answer, _) = send.send_request(head, true)?;
    let mut source = wire::Source::Http2(http2::Source::of_response(answer));
    let mut response = Response::default();
    let asked = wire::Asked { method: request.method(), tunnel: false };
    let head = async {
        while source.head(&mut response, asked).await? == wire::Head::Interim {}
        Ok::<_, NoAnswer>(())
    };
    tokio::select! {
        biased;
        arrived = head => arrived?,
        _ = connection => return Err(NoAnswer),
    }
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
async fn by_grpc(transport: Transport, service: &str, host: &str) -> Result<Checked, NoAnswer> {
    let uri = format!("http://{host}/grpc.health.v1.Health/Check");
    let head = http::Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "Envoy/HC")
        .body(())
        .map_err(|_| NoAnswer)?;
    let (send, connection) = h2::client::handshake(transport).await?;
    let mut send = send.ready().await?;
    let (answer, mut body) = send.send_request(head, false)?;
    body.send_data(message(service), true)?;
    let exchange = async {
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
        let ok = parts.status == http::StatusCode::OK && status.is_some_and(|status| status.as_bytes() == b"0");
        Ok(ok && is_serving(&received))
    };
    let serving = tokio::select! {
        biased;
        serving = exchange => serving?,
        _ = connection => return Err(NoAnswer),
    };
    Ok(if serving { Checked::Passed { degraded: false } } else { Checked::Failed { exclude: false } })
}

/// A frame with a request for a service: its name is field 1.
fn message(service: &str) -> Bytes {
    let mut body = BytesMut::new();
    if !service.is_empty() {
        body.put_u8(0x0a);
        // Names are far shorter than what takes a second byte of length; one that is not is cut.
        let name = &service.as_bytes()[..service.len().min(127)];
        body.put_u8(name.len() as u8);
        body.extend_from_slice(name);
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
        assert!(is_serving(&[0, 0, 0, 0, 2, 0x08, 1]));
        for other in [&[0, 0, 0, 0, 2, 0x08, 2][..], &[0, 0, 0, 0, 0], &[], &[1, 2, 3]] {
            assert!(!is_serving(other), "{other:?}");
        }
    }
}
