//! A relay that reads heads, to know where requests begin and end, and passes on the very bytes that came.

use super::answer::{Answer, Answering, Back};
use super::change::{Changes, Pace, rewritten};
use super::http2;
use super::link;
use super::relay::{Relay, Standing, reset};
use super::rules::{Death, End, is_probe};
use super::wire::{Fate, REQUEST_NUMBER, TRACE_NUMBER};
use crate::clock::{Nanos, now};
use crate::fault::spec::{AbortPlace, Direction, Reply, Rewrite};
use crate::preface::is_http2;
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, Framing, HeadReader, Refusal, Request, Response, write};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// How often it is looked whether a peer whose bytes lie unread has closed.
const LOOK_BEHIND: Duration = Duration::from_millis(50);

/// Bytes read at once.
pub(super) const READ: usize = 16 * 1024;

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, door: usize, client: TcpStream) {
    let standing = Rc::new(Standing::new());
    let mut resets = relay.resets();
    if let Some((fault, End::Reset(0))) = relay.review(&standing).end {
        // Nothing of a request has come, so the connection itself is what was offered.
        relay.offer(standing.accepted, None, 1, false, Fate::Withheld(fault));
        return reset(client);
    }
    let is_http2 = tokio::select! {
        biased;
        _ = resets.changed() => return reset(client),
        death = relay.until_dead(&standing) => return if death == Death::Reset { reset(client) },
        is_http2 = is_http2(&client) => is_http2,
    };
    if is_http2 {
        return http2::relay(relay, door, client, standing).await;
    }
    let mut connection = Connection {
        relay: Rc::clone(&relay),
        door,
        client,
        instance: None,
        up: BytesMut::new(),
        down: BytesMut::new(),
        standing: Rc::clone(&standing),
        open: None,
    };
    let ended = tokio::select! {
        biased;
        _ = resets.changed() => Err(Broken::Reset),
        death = relay.until_dead(&standing) => Err(death.into()),
        ended = connection.serve() => ended,
    };
    connection.settle(Fate::Cut);
    match ended {
        Err(Broken::Reset) => reset(connection.client),
        _ => close(&relay, &standing).await,
    }
}

/// Before a connection is closed because its other side is.
async fn close(relay: &Relay, standing: &Standing) {
    if let Some((fault, by)) = relay.review(standing).pace.closes_late {
        relay.hold(fault, by).await;
    }
}

struct Connection {
    relay: Rc<Relay>,
    /// Through which it came.
    door: usize,
    client: TcpStream,
    instance: Option<TcpStream>,
    /// Bytes from the client, and from the instance.
    up: BytesMut,
    down: BytesMut,
    /// What holds for the whole connection.
    standing: Rc<Standing>,
    /// The attempt whose fate is not settled.
    open: Option<Attempt>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    at: Nanos,
    request: Option<u64>,
    pub(super) number: u32,
    probe: bool,
}

/// How a connection ended.
pub(super) enum Broken {
    /// One side has closed: so do we.
    Closed,
    /// One side, or a fault, has reset it: so do we.
    Reset,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

impl From<Death> for Broken {
    fn from(death: Death) -> Self {
        match death {
            Death::Reset => Self::Reset,
            Death::Close => Self::Closed,
        }
    }
}

impl From<Refusal> for Broken {
    fn from(_: Refusal) -> Self {
        Self::Reset
    }
}

impl Connection {
    async fn serve(&mut self) -> Result<(), Broken> {
        let (mut reader, mut request) = (HeadReader::default(), Request::default());
        loop {
            let head = self.next_head(&mut reader, &mut request).await?;
            self.one(head, &request).await?;
        }
    }

    /// Reads until a whole head is there, and leaves it in the buffer.
    async fn next_head(&mut self, reader: &mut HeadReader, request: &mut Request) -> Result<usize, Broken> {
        loop {
            if let Some(len) = reader.request_at(&self.up, request)? {
                return Ok(len);
            }
            self.up.reserve(READ);
            let read = match self.instance.as_mut() {
                // An instance that closes an idle connection closes it for the client too.
                Some(instance) => tokio::select! {
                    read = self.client.read_buf(&mut self.up) => read?,
                    read = instance.read_buf(&mut self.down) => return Err(if read? == 0 { Broken::Closed } else { Broken::Reset }),
                },
                None => self.client.read_buf(&mut self.up).await?,
            };
            if read == 0 {
                return Err(Broken::Closed);
            }
        }
    }

    /// One request with a head of so many bytes at the front of `up`.
    async fn one(&mut self, head: usize, request: &Request) -> Result<(), Broken> {
        let attempt = attempt_of(request);
        self.open = Some(attempt);
        let _open = self.relay.opened();
        let judged = self.relay.judge(request, attempt.number, self.standing.accepted);
        let verdict = judged.and(&self.relay.review(&self.standing));
        for (fault, delay) in &verdict.delays {
            self.hold(*fault, Some(*delay)).await?;
        }
        let body = BodyReader::new(request.framing()?);
        match &verdict.end {
            Some((fault, End::Abort(reply, AbortPlace::Before))) => {
                self.settle(Fate::Withheld(*fault));
                self.swallow(head, body).await?;
                return self.abort(reply, request).await;
            }
            Some((fault, End::Reset(0) | End::ResetStream(_, AbortPlace::Before))) => {
                self.settle(Fate::Withheld(*fault));
                return Err(Broken::Reset);
            }
            Some((fault, end)) if end.holds(Direction::ClientToServer) => {
                self.settle(Fate::Withheld(*fault));
                self.hold(*fault, None).await?;
            }
            _ => {}
        }
        let head = self.rewrite(head, &verdict.changes.request);
        self.connect().await?;
        let answer = match &verdict.end {
            Some((fault, End::Hang)) => Answer::Kept(*fault),
            Some((_, End::Abort(..) | End::ResetStream(..))) => Answer::Dropped,
            Some((_, End::Reset(after))) => Answer::Cut(*after),
            Some((_, End::Truncate(after))) => Answer::Truncated(*after),
            _ => Answer::Passed,
        };
        self.exchange(head, body, request, answer, &verdict.changes).await?;
        match &verdict.end {
            Some((_, End::Hang | End::ResetStream(..))) => Err(Broken::Reset),
            Some((_, End::Abort(reply, AbortPlace::After))) => self.abort(reply, request).await,
            _ if verdict.changes.goodbye => Err(Broken::Closed),
            _ => Ok(()),
        }
    }

    /// Changes fields of the head at the front of `up`; gives how long it is then.
    fn rewrite(&mut self, head: usize, rewrites: &[Rc<Rewrite>]) -> usize {
        if rewrites.is_empty() {
            return head;
        }
        let rest = self.up.split_off(head);
        self.up = rewritten(&self.up, rewrites);
        let head = self.up.len();
        self.up.unsplit(rest);
        head
    }

    fn settle(&mut self, fate: Fate) {
        settle(&self.relay, &mut self.open, fate);
    }

    /// Holds everything until the time is over or the fault is; the client may leave meanwhile.
    async fn hold(&mut self, fault: u32, time: Option<Duration>) -> Result<(), Broken> {
        let relay = Rc::clone(&self.relay);
        let over = async {
            match time {
                Some(time) => relay.timer.sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => Ok(()),
            () = relay.cleared(fault) => Ok(()),
            () = until_closed(&self.client) => Err(Broken::Closed),
        }
    }

    async fn connect(&mut self) -> Result<(), Broken> {
        if self.instance.is_none() {
            let Ok(stream) = self.relay.connect(self.door).await else {
                self.settle(Fate::Unreachable);
                return Err(Broken::Reset);
            };
            stream.set_nodelay(true)?;
            self.instance = Some(stream);
        }
        Ok(())
    }

    /// Reads a request that goes nowhere.
    async fn swallow(&mut self, head: usize, mut body: BodyReader) -> Result<(), Broken> {
        self.up.advance(head);
        while !body.is_done() {
            if self.up.is_empty() {
                fill(&mut self.client, &mut self.up).await?;
            }
            let step = body.step(&self.up)?;
            self.up.advance(step.consumed);
        }
        Ok(())
    }

    /// Passes the request on while its answer comes back: an instance may answer before it has read everything.
    async fn exchange(
        &mut self,
        head: usize,
        body: BodyReader,
        request: &Request,
        what: Answer,
        changes: &Changes,
    ) -> Result<(), Broken> {
        let (relay, standing) = (Rc::clone(&self.relay), Rc::clone(&self.standing));
        let Self { client, instance: Some(instance), up, down, open, .. } = self else { return Err(Broken::Reset) };
        let (mut from_client, to_client) = client.split();
        let (from_instance, to_instance) = instance.split();
        let back = Back { relay: &relay, standing: &standing, to: to_client };
        let answering = Answering { from: from_instance, back, down, open, changes };
        let asking = Asking { relay: &relay, standing: &standing, from: &mut from_client, to: to_instance, up };
        let mut answered = pin!(answering.run(request, what));
        tokio::select! {
            biased;
            sent = asking.run(head, body) => sent?,
            // The rest of the request has nobody to go to, so the next one could not be found.
            answered = &mut answered => return answered.and(Err(Broken::Closed)),
        }
        tokio::select! {
            biased;
            answered = &mut answered => answered,
            () = until_closed(from_client.as_ref()) => Err(Broken::Closed),
        }
    }

    /// Answers in place of the instance.
    async fn abort(&mut self, reply: &Reply, request: &Request) -> Result<(), Broken> {
        let mut response = Response::new(reply.status);
        response.headers.add("x-squall-fault", b"abort");
        for (name, value) in &reply.headers {
            response.headers.add(name, value.as_bytes());
        }
        let bodiless = request.method() == "HEAD" || matches!(reply.status, 204 | 304) || reply.body.is_empty();
        let (framing, body) = match reply.body.as_bytes() {
            _ if bodiless => (Framing::Empty, &[][..]),
            body => (Framing::Length(body.len() as u64), body),
        };
        let mut out = BytesMut::new();
        write::response(&mut out, &response, framing, request.method());
        out.extend_from_slice(body);
        link::send(&mut self.client, &out, Pace::default, &self.relay).await?;
        self.relay.answer(reply.status);
        if request.keep_alive() { Ok(()) } else { Err(Broken::Closed) }
    }
}

/// The way from the client to its instance.
struct Asking<'a, 'c> {
    relay: &'a Relay,
    standing: &'a Standing,
    from: &'a mut ReadHalf<'c>,
    to: WriteHalf<'a>,
    up: &'a mut BytesMut,
}

impl Asking<'_, '_> {
    /// Passes a request with a head of so many bytes on. One that the instance does not want any more is not an error: its answer says why.
    async fn run(mut self, head: usize, mut body: BodyReader) -> Result<(), Broken> {
        let mut ready = head;
        loop {
            // Head and what is there of the body go in one write.
            while !body.is_done() && ready < self.up.len() {
                ready += body.step(&self.up[ready..])?.consumed;
            }
            let pace = || self.relay.on_way(self.standing, Direction::ClientToServer).pace;
            if link::send(&mut self.to, &self.up[..ready], pace, self.relay).await.is_err() {
                return std::future::pending().await;
            }
            self.up.advance(ready);
            if body.is_done() {
                return Ok(());
            }
            ready = 0;
            self.up.reserve(READ);
            if self.from.read_buf(self.up).await? == 0 {
                return Err(Broken::Closed);
            }
            while let Some((fault, end)) = self.relay.review(self.standing).end {
                if !end.holds(Direction::ClientToServer) {
                    break;
                }
                self.relay.cleared(fault).await;
            }
        }
    }
}

/// Settles the fate of an attempt, once.
pub(super) fn settle(relay: &Relay, open: &mut Option<Attempt>, fate: Fate) {
    if let Some(attempt) = open.take() {
        relay.offer(attempt.at, attempt.request, attempt.number, attempt.probe, fate);
    }
}

pub(super) fn attempt_of(request: &Request) -> Attempt {
    let own = request.headers.get_str("x-request-id").and_then(|id| id.strip_prefix(REQUEST_NUMBER));
    // A proxy at the edge gives requests of strangers an id of its own, and leaves their trace as it is.
    let traced = || request.headers.get_str("traceparent")?.split('-').nth(1)?.get(TRACE_NUMBER..);
    Attempt {
        at: now(),
        request: own.or_else(traced).and_then(|digits| u64::from_str_radix(digits, 16).ok()),
        number: request.headers.get_str("x-envoy-attempt-count").and_then(|count| count.parse().ok()).unwrap_or(1),
        probe: is_probe(request),
    }
}

async fn fill(stream: &mut TcpStream, buf: &mut BytesMut) -> Result<(), Broken> {
    buf.reserve(READ);
    if stream.read_buf(buf).await? == 0 { Err(Broken::Closed) } else { Ok(()) }
}

/// Returns when the peer has closed; bytes of a next request are left where they are.
async fn until_closed(stream: &TcpStream) {
    // Waiting for readiness costs nothing, where peeking at once would be a call to the kernel for each request.
    while let Ok(ready) = stream.ready(Interest::READABLE).await {
        // A peer that has closed is seen behind bytes that nobody reads.
        if ready.is_read_closed() || !matches!(stream.peek(&mut [0]).await, Ok(1..)) {
            return;
        }
        tokio::time::sleep(LOOK_BEHIND).await;
    }
}
