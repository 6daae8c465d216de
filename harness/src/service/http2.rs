//! The test service over HTTP/2, and as a unary call of gRPC.

use super::{Asked, Service};
use bytes::{BufMut, Bytes, BytesMut};
use h2::server::{self, SendResponse};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use std::future::poll_fn;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Bytes that a connection, and each of its streams, may receive before they are read.
const WINDOW: u32 = 1 << 20;
/// The statuses of calls that went well, and that did not: `OK` and `INTERNAL`.
const OK: HeaderValue = HeaderValue::from_static("0");
const INTERNAL: HeaderValue = HeaderValue::from_static("13");

/// Serves a connection to its end.
pub(super) async fn serve(service: Rc<Service>, stream: TcpStream) {
    let mut builder = server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let service = Rc::clone(&service);
        calls.spawn_local(async move {
            // A client that has gone wants no answer.
            let _ = service.call(request, respond).await;
        });
        while calls.try_join_next().is_some() {}
    }
}

impl Service {
    async fn call(&self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
        let asked = self.asked(&head_of(&request));
        let is_call =
            request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let is_head = request.method() == http::Method::HEAD;
        let mut body = request.into_body();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            let _ = body.flow_control().release_capacity(piece.len());
        }
        let good = self.serve(&asked).await;
        let mut head = Response::new(());
        self.name(&asked, head.headers_mut());
        let length = if is_head { 0 } else { self.body_bytes(&asked) };
        if is_call {
            head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
            let mut to = respond.send_response(head, false)?;
            if good {
                send(&mut to, message(length), false).await?;
            }
            let status = if good { OK } else { INTERNAL };
            to.send_trailers([(http::HeaderName::from_static("grpc-status"), status)].into_iter().collect())?;
        } else {
            *head.status_mut() = if good { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
            let mut to = respond.send_response(head, length == 0)?;
            if length > 0 {
                send(&mut to, vec![b'.'; length as usize].into(), true).await?;
            }
        }
        self.answered(&asked, good);
        Ok(())
    }

    fn name(&self, asked: &Asked, fields: &mut HeaderMap) {
        if let Ok(name) = HeaderValue::from_str(&self.options.name) {
            fields.insert("x-squall-instance", name);
        }
        fields.insert("x-squall-attempt", asked.attempt.into());
    }
}

/// A message of so many bytes, as calls frame it.
fn message(length: u64) -> Bytes {
    let mut message = BytesMut::with_capacity(length as usize + 5);
    message.put_u8(0);
    message.put_u32(length as u32);
    message.put_bytes(b'.', length as usize);
    message.freeze()
}

/// Sends a body as fast as the peer takes it.
async fn send(to: &mut SendStream<Bytes>, mut body: Bytes, is_last: bool) -> Result<(), h2::Error> {
    while !body.is_empty() {
        to.reserve_capacity(body.len());
        // None: the peer wants no more of it.
        let Some(room) = poll_fn(|context| to.poll_capacity(context)).await else { return Ok(()) };
        let piece = body.split_to(room?.min(body.len()));
        to.send_data(piece, is_last && body.is_empty())?;
    }
    Ok(())
}

/// The head as the service looks at it.
fn head_of(request: &Request<RecvStream>) -> squall_http1::Request {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head = squall_http1::Request::new(request.method().as_str(), target);
    for name in ["traceparent", "x-envoy-attempt-count"] {
        if let Some(value) = request.headers().get(name) {
            head.headers.add(name, value.as_bytes());
        }
    }
    head
}
