//! One request over HTTP/2 and its answer.

use super::change::{Flips, changed};
use super::http::{Attempt, attempt_of, settle};
use super::http2::Connection;
use super::passage::{Passage, forward};
use super::relay::OpenRequest;
use super::rules::{End, Verdict};
use super::wire::Fate;
use crate::fault::spec::{AbortPlace, Direction, Reply};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderName, HeaderValue, Request, Response};
use std::future::poll_fn;
use std::rc::Rc;
use tokio::task::JoinSet;

/// The field in which an instance names itself.
const INSTANCE: &str = "x-squall-instance";

/// A stream on its way through the relay. Dropped before its end, its attempt was cut.
pub(super) struct Exchange {
    connection: Rc<Connection>,
    verdict: Verdict,
    open: Option<Attempt>,
    /// Passes the body of the request on, for as long as this lives.
    sending: JoinSet<()>,
    /// Requests that are open, this one among them.
    _counted: OpenRequest,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        settle(&self.connection.relay, &mut self.open, Fate::Cut);
    }
}

/// How an exchange ends that does not come to its end.
enum Broken {
    /// The stream is reset.
    Stream(Reason),
    /// The whole connection is.
    Connection,
}

impl From<h2::Error> for Broken {
    fn from(error: h2::Error) -> Self {
        match error.reason() {
            Some(reason) if error.is_reset() => Self::Stream(reason),
            Some(_) if error.is_go_away() => Self::Stream(Reason::REFUSED_STREAM),
            _ => Self::Connection,
        }
    }
}

impl Exchange {
    /// A request whose head has come: what becomes of it is decided now.
    pub(super) fn new(connection: Rc<Connection>, request: &Request<RecvStream>) -> Self {
        let (relay, standing) = (&connection.relay, &connection.standing);
        let head = head_of(request);
        let attempt = attempt_of(&head);
        let counted = relay.opened();
        let judged = relay.judge(&head, attempt.number, standing.accepted);
        let verdict = judged.and(&relay.review(standing));
        Self { connection, verdict, open: Some(attempt), sending: JoinSet::new(), _counted: counted }
    }

    /// Takes the request to its end.
    pub(super) async fn run(mut self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let left = poll_fn(|context| respond.poll_reset(context));
        let exchanged = tokio::select! {
            biased;
            // The client has given up: so do we, towards the instance too.
            _ = left => return,
            answer = self.ask(request) => answer,
        };
        let done = match exchanged {
            Ok(Asked::Answered(head, body)) => self.answer(head, body, &mut respond).await,
            Ok(Asked::Replied(reply)) => self.reply(&reply, &mut respond),
            Err(broken) => Err(broken),
        };
        if self.verdict.changes.goodbye {
            self.connection.say_goodbye();
        }
        match done {
            Ok(()) => {}
            Err(Broken::Stream(reason)) => respond.send_reset(reason),
            Err(Broken::Connection) => self.connection.break_off(),
        }
    }

    /// Passes the request on, as far as faults allow, until the head of its answer has come.
    async fn ask(&mut self, request: Request<RecvStream>) -> Result<Asked, Broken> {
        let relay = Rc::clone(&self.connection.relay);
        for (fault, delay) in &self.verdict.delays {
            relay.hold(*fault, *delay).await;
        }
        match self.verdict.end.clone() {
            Some((fault, End::Abort(reply, AbortPlace::Before))) => {
                self.settle(Fate::Withheld(fault));
                return Ok(Asked::Replied(reply));
            }
            Some((fault, End::ResetStream(code, AbortPlace::Before))) => {
                self.settle(Fate::Withheld(fault));
                return Err(Broken::Stream(code.into()));
            }
            Some((fault, End::Reset(0))) => {
                self.settle(Fate::Withheld(fault));
                return Err(Broken::Connection);
            }
            Some((fault, end)) if end.holds(Direction::ClientToServer) => {
                self.settle(Fate::Withheld(fault));
                relay.cleared(fault).await;
            }
            _ => {}
        }
        let Some(instance) = self.connection.instance().await else {
            self.settle(Fate::Unreachable);
            return Err(Broken::Connection);
        };
        let (head, body) = self.pass(request, instance).await?;
        self.heard(&head);
        match self.verdict.end.clone() {
            Some((fault, End::Hang)) => {
                relay.cleared(fault).await;
                Err(Broken::Stream(Reason::CANCEL))
            }
            Some((_, End::Abort(reply, AbortPlace::After))) => Ok(Asked::Replied(reply)),
            Some((_, End::ResetStream(code, AbortPlace::After))) => Err(Broken::Stream(code.into())),
            _ => Ok(Asked::Answered(head, body)),
        }
    }

    /// Sends the request, and waits for the head of its answer: an instance may answer before it has read everything.
    async fn pass(
        &mut self,
        request: Request<RecvStream>,
        mut instance: SendRequest<Bytes>,
    ) -> Result<(Response<()>, RecvStream), Broken> {
        let (mut head, body) = request.into_parts();
        head.headers = changed(head.headers, &self.verdict.changes.request);
        let is_whole = body.is_end_stream();
        let (answer, to) = instance.send_request(Request::from_parts(head, ()), is_whole)?;
        if !is_whole {
            let connection = Rc::clone(&self.connection);
            self.sending.spawn_local(async move {
                // An instance that wants no more of it says why in its answer.
                let _ = forward(&connection.relay, body, to, Passage::default()).await;
            });
        }
        let (head, body) = answer.await?.into_parts();
        Ok((Response::from_parts(head, ()), body))
    }

    fn settle(&mut self, fate: Fate) {
        settle(&self.connection.relay, &mut self.open, fate);
    }

    fn heard(&mut self, head: &Response<()>) {
        let of_instance = !self.connection.relay.sidecar || head.headers().contains_key(INSTANCE);
        self.settle(if of_instance { Fate::Relayed } else { Fate::Sidecar });
    }

    /// Passes an answer on, with what faults do to it.
    async fn answer(
        &self,
        mut head: Response<()>,
        body: RecvStream,
        respond: &mut SendResponse<Bytes>,
    ) -> Result<(), Broken> {
        let changes = &self.verdict.changes;
        self.until_free().await?;
        let fields = std::mem::take(head.headers_mut());
        *head.headers_mut() = changed(fields, &changes.answer);
        self.connection.relay.answer(head.status().as_u16());
        let is_whole = body.is_end_stream();
        let to = respond.send_response(head, is_whole)?;
        if is_whole {
            return Ok(());
        }
        for (fault, time) in &changes.body_held {
            self.connection.relay.hold(*fault, *time).await;
        }
        let (most, how) = match &self.verdict.end {
            Some((_, End::Truncate(after))) => (*after, Cut::End),
            Some((_, End::Reset(after))) => (*after, Cut::Reset),
            _ => (u64::MAX, Cut::Never),
        };
        let passage = Passage {
            held: &changes.pieces_held,
            drip: changes.drip,
            flips: changes.corrupt.map(Flips::new),
            most,
            loses_trailers: changes.lose_trailers,
        };
        let is_cut = forward(&self.connection.relay, body, to, passage).await?;
        if is_cut && how == Cut::Reset { Err(Broken::Connection) } else { Ok(()) }
    }

    /// Waits for as long as answers are held.
    async fn until_free(&self) -> Result<(), Broken> {
        while let Some((fault, end)) = self.connection.relay.review(&self.connection.standing).end {
            if !end.holds(Direction::ServerToClient) {
                break;
            }
            self.connection.relay.cleared(fault).await;
            if end == End::Hang {
                return Err(Broken::Connection);
            }
        }
        Ok(())
    }

    /// Answers in place of the instance.
    fn reply(&self, reply: &Reply, respond: &mut SendResponse<Bytes>) -> Result<(), Broken> {
        let mut head = Response::new(());
        *head.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::SERVICE_UNAVAILABLE);
        let fields = head.headers_mut();
        fields.insert("x-squall-fault", HeaderValue::from_static("abort"));
        for (name, value) in &reply.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                fields.append(name, value);
            }
        }
        let mut to = respond.send_response(head, reply.body.is_empty())?;
        if !reply.body.is_empty() {
            to.send_data(Bytes::from(reply.body.clone()), true)?;
        }
        self.connection.relay.answer(reply.status);
        Ok(())
    }
}

/// What a request came to.
enum Asked {
    /// The instance has answered.
    Answered(Response<()>, RecvStream),
    /// A fault answers in its place.
    Replied(Rc<Reply>),
}

/// Whether an answer is cut short, and how the connection fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Never,
    /// The stream ends in order.
    End,
    /// The connection is reset.
    Reset,
}

/// The head as faults look at it.
fn head_of(request: &Request<RecvStream>) -> squall_http1::Request {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head = squall_http1::Request::new(request.method().as_str(), target);
    for (name, value) in request.headers() {
        head.headers.add(name.as_str(), value.as_bytes());
    }
    head
}
