//! HTTP/2, and gRPC over it: a stream at a time in each of a connection's places.

use super::exchange::{Answer, Failure, Reading, judged};
use super::request::Template;
use super::transport::Stream;
use super::wire::{End, FlowPlan, Protocol};
use crate::clock::now;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use tokio::sync::Notify;

/// Bytes that a connection, and each of its streams, may receive before we have read them.
const WINDOW: u32 = 1 << 20;

/// One place of a connection.
#[derive(Debug, Clone)]
pub(super) struct Http2 {
    send: SendRequest<Bytes>,
    over: Rc<Over>,
    scheme: &'static str,
}

/// Whether a connection has ended.
#[derive(Debug, Default)]
struct Over {
    is_over: Cell<bool>,
    told: Notify,
}

impl Http2 {
    /// Greets the peer, and works the connection off in a task of its own.
    pub(super) async fn new(stream: Stream) -> io::Result<Self> {
        let scheme = if matches!(stream, Stream::Tls(_)) { "https" } else { "http" };
        let greeting = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await;
        let (send, connection) = greeting.map_err(io::Error::other)?;
        let over = Rc::new(Over::default());
        let ended = Rc::clone(&over);
        tokio::task::spawn_local(async move {
            // How it ended is seen by its streams.
            let _ = connection.await;
            ended.is_over.set(true);
            ended.told.notify_waiters();
        });
        Ok(Self { send, over, scheme })
    }

    pub(super) fn is_stale(&self) -> bool {
        self.over.is_over.get()
    }

    /// Returns once the connection has ended.
    pub(super) async fn until_stale(&self) {
        let told = self.over.told.notified();
        if !self.is_stale() {
            told.await;
        }
    }

    /// Sends request `id` and reads its answer.
    pub(super) async fn exchange(
        &mut self,
        flow: &FlowPlan,
        template: &Template,
        id: u64,
        names: &[String],
        reading: &mut Reading<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        poll_fn(|context| self.send.poll_ready(context)).await?;
        let body = template.body();
        let request = self.request(flow, template, id).ok_or(Failure::Malformed)?;
        let (response, stream) = self.send.send_request(request, body.is_empty())?;
        answer.sent = Some(now());
        if !body.is_empty() {
            send(stream, body).await?;
        }
        let (head, mut body) = response.await?.into_parts();
        answer.first_byte = Some(now());
        answer.head(head.status.as_u16(), names, |name| head.headers.get(name).map(HeaderValue::as_bytes));
        reading.fields(head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        while let Some(piece) = body.data().await {
            let piece = piece?;
            let _ = body.flow_control().release_capacity(piece.len());
            reading.body(&piece);
        }
        let degraded = head.headers.contains_key("x-squall-degraded");
        answer.end = judged(flow, answer.status, degraded, reading.conclude());
        if matches!(flow.protocol, Protocol::Grpc { .. }) && matches!(answer.end, End::Acceptable | End::Degraded) {
            call(flow, &head.headers, body, answer).await?;
        }
        answer.reusable = !self.is_stale();
        Ok(())
    }

    fn request(&self, flow: &FlowPlan, template: &Template, id: u64) -> Option<Request<()>> {
        let uri = Uri::builder()
            .scheme(self.scheme)
            .authority(flow.authority.as_str())
            .path_and_query(template.head.target());
        let mut request = Request::new(());
        *request.version_mut() = Version::HTTP_2;
        *request.method_mut() = Method::from_bytes(flow.method.as_bytes()).ok()?;
        *request.uri_mut() = uri.build().ok()?;
        let fields = request.headers_mut();
        for (name, value) in template.head.headers.iter().filter(|(name, _)| *name != "host") {
            fields.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        if let Some((number, trace)) = template.names(id) {
            fields.insert("x-request-id", HeaderValue::from_bytes(&number).ok()?);
            fields.insert("traceparent", HeaderValue::from_bytes(&trace).ok()?);
        }
        Some(request)
    }
}

/// Sends a body as fast as the peer takes it.
async fn send(mut stream: SendStream<Bytes>, mut body: Bytes) -> Result<(), Failure> {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        // None: the peer wants no more of it, and its answer says why.
        let Some(room) = poll_fn(|context| stream.poll_capacity(context)).await else { return Ok(()) };
        let piece = body.split_to(room?.min(body.len()));
        stream.send_data(piece, body.is_empty())?;
    }
    Ok(())
}

/// The status of a call: in the trailers, or in the head where there is nothing else.
async fn call(flow: &FlowPlan, head: &HeaderMap, mut body: RecvStream, answer: &mut Answer) -> Result<(), Failure> {
    let trailers = body.trailers().await?;
    let said = trailers.as_ref().and_then(|trailers| trailers.get("grpc-status")).or_else(|| head.get("grpc-status"));
    let status = said.and_then(|status| status.to_str().ok()?.parse().ok()).ok_or(Failure::Malformed)?;
    if !flow.accept.grpc.contains(&status) {
        answer.status = status;
        answer.end = End::Grpc;
    }
    Ok(())
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        if error.is_io() {
            return error.into_io().map_or(Self::Reset, Self::Io);
        }
        if error.is_reset() || error.is_go_away() { Self::Reset } else { Self::Malformed }
    }
}
