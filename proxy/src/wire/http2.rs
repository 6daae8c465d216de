//! Messages of HTTP/2: streams among others on a connection.

use super::Broken;
use super::translate;
pub(crate) use super::translate::{framing, request as read_head, request_head};
use bytes::{Buf, Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use squall_http1::{Framing, Headers, Response};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// What comes in on a stream.
#[derive(Debug)]
pub(crate) struct Source {
    state: Receiving,
    pending: Bytes,
    trailers: Option<Headers>,
}

#[derive(Debug)]
enum Receiving {
    /// The head of an answer is due.
    Head(ResponseFuture),
    Body(RecvStream),
    Done,
}

/// The head of an answer, as it arrives.
#[allow(clippy::large_enum_variant, reason = "taken apart at once")]
enum Arrived {
    Interim(http::Response<()>),
    Last(http::Response<RecvStream>),
}

impl Source {
    /// The body behind a request's head.
    pub(crate) fn of_request(body: RecvStream) -> Self {
        let state = if body.is_end_stream() { Receiving::Done } else { Receiving::Body(body) };
        Self { state, pending: Bytes::new(), trailers: None }
    }

    /// The answer to a request that was sent.
    pub(crate) fn of_response(response: ResponseFuture) -> Self {
        Self { state: Receiving::Head(response), pending: Bytes::new(), trailers: None }
    }

    /// Waits for the head of an answer, an interim one or the last.
    pub(crate) async fn response(&mut self, response: &mut Response) -> Result<Framing, Broken> {
        let Receiving::Head(future) = &mut self.state else { return Err(Broken::Lost) };
        let arrived = poll_fn(|cx| {
            if let Poll::Ready(Some(Ok(interim))) = future.poll_informational(cx) {
                return Poll::Ready(Ok(Arrived::Interim(interim)));
            }
            Pin::new(&mut *future).poll(cx).map_ok(Arrived::Last)
        });
        match arrived.await.map_err(|error| broken(&error))? {
            Arrived::Interim(head) => {
                translate::response(head.status(), head.headers(), response);
                Ok(Framing::Empty)
            }
            Arrived::Last(head) => {
                let (parts, body) = head.into_parts();
                translate::response(parts.status, &parts.headers, response);
                let framing = framing(&response.headers, body.is_end_stream());
                self.state = if body.is_end_stream() { Receiving::Done } else { Receiving::Body(body) };
                Ok(framing)
            }
        }
    }

    pub(super) fn take(&mut self, mut into: impl FnMut(&[u8])) {
        if self.pending.is_empty() {
            return;
        }
        into(&self.pending);
        if let Receiving::Body(body) = &mut self.state {
            // What was passed on makes room for as much again.
            let _ = body.flow_control().release_capacity(self.pending.len());
            if body.is_end_stream() {
                self.state = Receiving::Done;
            }
        }
        self.pending.advance(self.pending.len());
    }

    pub(super) async fn fill(&mut self) -> Result<(), Broken> {
        let Receiving::Body(body) = &mut self.state else { return Ok(()) };
        match body.data().await {
            Some(Ok(data)) => {
                self.pending = data;
                if self.pending.is_empty() && body.is_end_stream() {
                    self.state = Receiving::Done;
                }
                Ok(())
            }
            Some(Err(error)) => Err(broken(&error)),
            None => {
                let trailers = body.trailers().await.map_err(|error| broken(&error))?;
                self.trailers = trailers.map(|trailers| translate::fields(&trailers));
                self.state = Receiving::Done;
                Ok(())
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, Receiving::Done) && self.pending.is_empty()
    }

    pub(super) fn trailers(&mut self) -> Option<Headers> {
        self.trailers.take()
    }
}

/// What goes out on a stream.
#[derive(Debug)]
pub(crate) struct Sink {
    state: Sending,
    out: BytesMut,
    /// Nothing comes behind `out` but the trailers.
    ended: bool,
    trailers: Option<http::HeaderMap>,
    /// Bytes of the body that were handed to the connection.
    written: u64,
    /// How long the peer may leave no room for more.
    patience: Option<Duration>,
    /// It has left none for that long.
    stalled: bool,
}

#[derive(Debug)]
enum Sending {
    /// An answer's head is due.
    Head(SendResponse<Bytes>),
    Body(SendStream<Bytes>),
    Done,
}

impl Sink {
    /// The answer to a request that was received, to a client that may leave no room for more for so long.
    pub(crate) fn of_response(send: SendResponse<Bytes>, patience: Option<Duration>) -> Self {
        Self { patience, ..Self::new(Sending::Head(send)) }
    }

    /// The body behind a request's head that was sent; none if that was all.
    pub(crate) fn of_request(send: SendStream<Bytes>, whole: bool) -> Self {
        Self::new(if whole { Sending::Done } else { Sending::Body(send) })
    }

    fn new(state: Sending) -> Self {
        Self { state, out: BytesMut::new(), ended: false, trailers: None, written: 0, patience: None, stalled: false }
    }

    /// True if the peer has left no room for longer than it may.
    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// True as long as the head of the answer has not been sent.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.state, Sending::Head(_))
    }

    /// Sends the head of an answer; `whole` if there is no body.
    pub(crate) fn response(&mut self, response: &Response, framing: Framing, whole: bool) -> Result<(), Broken> {
        let Sending::Head(send) = &mut self.state else { return Err(Broken::Lost) };
        let head = translate::response_head(response, framing).ok_or(Broken::Lost)?;
        let stream = send.send_response(head, whole).map_err(|error| broken(&error))?;
        self.state = if whole { Sending::Done } else { Sending::Body(stream) };
        Ok(())
    }

    /// Sends an answer ahead of the answer.
    pub(crate) fn interim(&mut self, response: &Response) {
        if let (Sending::Head(send), Some(head)) = (&mut self.state, translate::response_head(response, Framing::Empty))
        {
            // A client that is gone by now shows it at the next step.
            let _ = send.send_informational(head);
        }
    }

    pub(super) fn data(&mut self, payload: &[u8]) {
        self.out.extend_from_slice(payload);
    }

    pub(super) fn end(&mut self, trailers: Option<&Headers>) {
        self.ended = true;
        self.trailers = trailers.map(translate::header_map);
    }

    pub(super) fn is_flushed(&self) -> bool {
        matches!(self.state, Sending::Done) || self.out.is_empty() && !self.ended
    }

    pub(super) async fn step(&mut self) -> Result<(), Broken> {
        let Sending::Body(send) = &mut self.state else { return Ok(()) };
        if !self.out.is_empty() {
            send.reserve_capacity(self.out.len());
            let room = match send.capacity() {
                0 => {
                    let room = poll_fn(|cx| send.poll_capacity(cx));
                    let room = match self.patience {
                        Some(patience) => tokio::time::timeout(patience, room).await,
                        None => Ok(room.await),
                    };
                    let Ok(room) = room else {
                        self.stalled = true;
                        self.reset(Reason::CANCEL);
                        return Err(Broken::Reset);
                    };
                    room.ok_or(Broken::Reset)?.map_err(|error| broken(&error))?
                }
                room => room,
            };
            let piece = self.out.split_to(room.min(self.out.len())).freeze();
            self.written += piece.len() as u64;
            let last = self.out.is_empty() && self.ended && self.trailers.is_none();
            send.send_data(piece, last).map_err(|error| broken(&error))?;
            if last {
                self.state = Sending::Done;
            }
            return Ok(());
        }
        if self.ended {
            match self.trailers.take() {
                Some(trailers) => send.send_trailers(trailers).map_err(|error| broken(&error))?,
                None => send.send_data(Bytes::new(), true).map_err(|error| broken(&error))?,
            }
            self.state = Sending::Done;
        }
        Ok(())
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Gives up the stream.
    pub(crate) fn reset(&mut self, reason: Reason) {
        match &mut self.state {
            Sending::Head(send) => send.send_reset(reason),
            Sending::Body(send) => send.send_reset(reason),
            Sending::Done => {}
        }
        self.state = Sending::Done;
    }

    /// Returns once the peer has given up the stream, or is gone: which of the two.
    pub(crate) async fn until_reset(&mut self) -> Broken {
        let reset = poll_fn(|cx| match &mut self.state {
            Sending::Head(send) => send.poll_reset(cx),
            Sending::Body(send) => send.poll_reset(cx),
            Sending::Done => Poll::Pending,
        });
        reset.await.map_or_else(|error| broken(&error), |_| Broken::Reset)
    }
}

/// What an error of the connection means for a message on it.
pub(crate) fn broken(error: &h2::Error) -> Broken {
    match error.reason() {
        // A peer that says goodbye has not begun with the streams that it does not name.
        _ if error.is_go_away() && error.is_remote() => Broken::Refused,
        Some(Reason::REFUSED_STREAM) => Broken::Refused,
        Some(_) if error.is_reset() => Broken::Reset,
        _ => Broken::Lost,
    }
}
