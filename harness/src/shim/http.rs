//! A relay that reads heads, to know where requests begin and end, and passes on the very bytes that came.

use super::link;
use super::relay::{Relay, reset};
use super::rules::{End, Subject, Verdict};
use super::wire::{Fate, REQUEST_NUMBER};
use crate::clock::{Nanos, now};
use crate::fault::spec::{AbortPlace, Direction};
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, Framing, HeadReader, Refusal, Request, Response, write};
use std::io;
use std::rc::Rc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, client: TcpStream) {
    let accepted = now();
    let mut resets = relay.resets();
    let verdict = relay.judge(Subject::Connection, accepted);
    if let Some((fault, End::Reset(0))) = verdict.end {
        // Nothing of a request has come, so the connection itself is what was offered.
        relay.offer(accepted, None, 1, false, Fate::Withheld(fault));
        return reset(client);
    }
    let mut connection = Connection {
        relay: Rc::clone(&relay),
        client,
        instance: None,
        up: BytesMut::new(),
        down: BytesMut::new(),
        accepted,
        verdict,
        open: None,
    };
    let ended = tokio::select! {
        biased;
        _ = resets.changed() => Err(Broken::Reset),
        ended = connection.serve() => ended,
    };
    connection.settle(Fate::Cut);
    if let Err(Broken::Reset) = ended {
        reset(connection.client);
    }
}

struct Connection {
    relay: Rc<Relay>,
    client: TcpStream,
    instance: Option<TcpStream>,
    /// Bytes from the client, and from the instance.
    up: BytesMut,
    down: BytesMut,
    accepted: Nanos,
    /// What holds for the whole connection.
    verdict: Verdict,
    /// The attempt whose fate is not settled.
    open: Option<Attempt>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    at: Nanos,
    request: Option<u64>,
    number: u32,
    probe: bool,
}

/// How a connection ended.
enum Broken {
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
        let verdict = self.relay.judge(Subject::Request(request, attempt.number), self.accepted);
        for (fault, delay) in self.verdict.delays.iter().chain(&verdict.delays).copied().collect::<Vec<_>>() {
            self.hold(fault, Some(delay)).await?;
        }
        let bandwidth = [self.verdict.bandwidth, verdict.bandwidth].into_iter().flatten().min();
        let body = BodyReader::new(request.framing()?);
        let end = verdict.end.or(self.verdict.end);
        match end {
            Some((fault, End::Abort(status, AbortPlace::Before))) => {
                self.settle(Fate::Withheld(fault));
                self.swallow(head, body).await?;
                return self.abort(status, request).await;
            }
            Some((fault, End::Reset(0))) => {
                self.settle(Fate::Withheld(fault));
                return Err(Broken::Reset);
            }
            Some((fault, End::Blackhole(Direction::ClientToServer | Direction::Both))) => {
                self.settle(Fate::Withheld(fault));
                self.hold(fault, None).await?;
            }
            _ => {}
        }
        self.connect().await?;
        self.pass_request(head, body, bandwidth).await?;
        match end {
            Some((fault, End::Hang)) => {
                self.wait_for_answer_or(fault).await?;
                Err(Broken::Reset)
            }
            Some((fault, End::Blackhole(Direction::ServerToClient | Direction::Both))) => {
                self.hold(fault, None).await?;
                self.pass_answer(request, bandwidth, None).await
            }
            Some((_, End::Abort(status, AbortPlace::After))) => {
                self.answer(request, |_, _| {}).await?;
                self.abort(status, request).await
            }
            Some((_, End::Reset(after))) => self.pass_answer(request, bandwidth, Some(after)).await,
            _ => self.pass_answer(request, bandwidth, None).await,
        }
    }

    /// Settles the fate of the attempt under way, once.
    fn settle(&mut self, fate: Fate) {
        if let Some(attempt) = self.open.take() {
            self.relay.offer(attempt.at, attempt.request, attempt.number, attempt.probe, fate);
        }
    }

    /// Holds everything until the time is over or the fault is; the client may leave meanwhile.
    async fn hold(&mut self, fault: u32, time: Option<std::time::Duration>) -> Result<(), Broken> {
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
            let Ok(stream) = TcpStream::connect(self.relay.to()).await else {
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

    async fn pass_request(&mut self, head: usize, mut body: BodyReader, bandwidth: Option<u64>) -> Result<(), Broken> {
        let Some(instance) = self.instance.as_mut() else { return Err(Broken::Reset) };
        let mut ready = head;
        loop {
            // Head and what is there of the body go in one write.
            while !body.is_done() && ready < self.up.len() {
                ready += body.step(&self.up[ready..])?.consumed;
            }
            link::send(instance, &self.up[..ready], bandwidth, &self.relay.timer).await?;
            self.up.advance(ready);
            if body.is_done() {
                return Ok(());
            }
            ready = 0;
            fill(&mut self.client, &mut self.up).await?;
        }
    }

    /// Passes the answer on; with `cut`, so many bytes of it and then a reset.
    async fn pass_answer(&mut self, request: &Request, bandwidth: Option<u64>, cut: Option<u64>) -> Result<(), Broken> {
        let mut left = cut;
        let mut keep = true;
        let mut out = BytesMut::new();
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        let mut body: Option<BodyReader> = None;
        loop {
            if self.instance.is_none() {
                return Err(Broken::Reset);
            }
            let mut ready = 0;
            if body.is_none() {
                while let Some(len) = reader.response_at(&self.down[ready..], &mut response)? {
                    ready += len;
                    if response.status >= 200 {
                        keep = response.keep_alive();
                        body = Some(BodyReader::new(response.framing(request.method())?));
                        self.relay.answer(response.status);
                        break;
                    }
                }
                if body.is_some() {
                    self.settle(Fate::Relayed);
                }
            }
            if let Some(body) = body.as_mut() {
                while !body.is_done() && ready < self.down.len() {
                    ready += body.step(&self.down[ready..])?.consumed;
                }
            }
            if ready > 0 {
                out.clear();
                let allowed = left.map_or(ready, |left| ready.min(left as usize));
                out.extend_from_slice(&self.down[..allowed]);
                self.down.advance(ready);
                link::send(&mut self.client, &out, bandwidth, &self.relay.timer).await?;
                if let Some(left) = left.as_mut() {
                    *left -= allowed as u64;
                    if *left == 0 || allowed < ready {
                        return Err(Broken::Reset);
                    }
                }
            }
            if body.as_ref().is_some_and(BodyReader::is_done) {
                // A cut beyond the end of the answer resets right behind it.
                return if left.is_some() {
                    Err(Broken::Reset)
                } else if keep {
                    Ok(())
                } else {
                    Err(Broken::Closed)
                };
            }
            let instance = self.instance.as_mut().unwrap_or_else(|| unreachable!("looked at above"));
            self.down.reserve(READ);
            let read = tokio::select! {
                read = instance.read_buf(&mut self.down) => read?,
                () = until_closed(&self.client) => return Err(Broken::Closed),
            };
            if read == 0 {
                // The end of an answer that lasts until the connection ends, or an instance that has gone away: the client sees the same.
                return Err(Broken::Closed);
            }
        }
    }

    /// Reads an answer that goes nowhere.
    async fn answer(&mut self, request: &Request, mut seen: impl FnMut(&Response, &[u8])) -> Result<(), Broken> {
        let Some(instance) = self.instance.as_mut() else { return Err(Broken::Reset) };
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        while !reader.response(&mut self.down, &mut response)? {
            fill(instance, &mut self.down).await?;
        }
        let mut body = BodyReader::new(response.framing(request.method())?);
        while !body.is_done() {
            if self.down.is_empty() {
                fill(instance, &mut self.down).await?;
            }
            let step = body.step(&self.down)?;
            seen(&response, &self.down[step.payload.clone()]);
            self.down.advance(step.consumed);
        }
        self.settle(Fate::Relayed);
        Ok(())
    }

    /// The instance answers, nobody hears it; over when the fault is, or when the client leaves.
    async fn wait_for_answer_or(&mut self, fault: u32) -> Result<(), Broken> {
        let relay = Rc::clone(&self.relay);
        loop {
            let Some(instance) = self.instance.as_mut() else { return Err(Broken::Reset) };
            self.down.clear();
            self.down.reserve(READ);
            tokio::select! {
                read = instance.read_buf(&mut self.down) => {
                    if read? > 0 {
                        self.settle(Fate::Relayed);
                    } else {
                        self.instance = None;
                        tokio::select! {
                            () = relay.cleared(fault) => return Ok(()),
                            () = until_closed(&self.client) => return Err(Broken::Closed),
                        }
                    }
                }
                () = relay.cleared(fault) => return Ok(()),
                () = until_closed(&self.client) => return Err(Broken::Closed),
            }
        }
    }

    /// Answers in place of the instance.
    async fn abort(&mut self, status: u16, request: &Request) -> Result<(), Broken> {
        let mut response = Response::new(status);
        response.headers.add("x-squall-fault", b"abort");
        let mut out = BytesMut::new();
        write::response(&mut out, &response, Framing::Empty, request.method());
        link::send(&mut self.client, &out, None, &self.relay.timer).await?;
        self.relay.answer(status);
        if request.keep_alive() { Ok(()) } else { Err(Broken::Closed) }
    }
}

fn attempt_of(request: &Request) -> Attempt {
    let number = request.headers.get_str("x-request-id").and_then(|id| id.strip_prefix(REQUEST_NUMBER));
    Attempt {
        at: now(),
        request: number.and_then(|digits| u64::from_str_radix(digits, 16).ok()),
        number: request.headers.get_str("x-envoy-attempt-count").and_then(|count| count.parse().ok()).unwrap_or(1),
        probe: !request.headers.contains("traceparent"),
    }
}

async fn fill(stream: &mut TcpStream, buf: &mut BytesMut) -> Result<(), Broken> {
    buf.reserve(READ);
    if stream.read_buf(buf).await? == 0 { Err(Broken::Closed) } else { Ok(()) }
}

/// Returns when the peer has closed; bytes of a next request are left where they are.
async fn until_closed(stream: &TcpStream) {
    let mut byte = [0];
    match stream.peek(&mut byte).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}
