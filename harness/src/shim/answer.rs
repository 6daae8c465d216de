//! An instance's answer on its way back through the relay.

use super::alter::Alterer;
use super::change::{Changes, Pace};
use super::http::{Attempt, Broken, READ, settle};
use super::link;
use super::relay::{Relay, Standing};
use super::rules::End;
use super::wire::Fate;
use crate::fault::spec::{Direction, Slices};
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, HeadReader, Request, Response};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// The field in which an instance names itself.
const INSTANCE: &str = "x-squall-instance";

/// What becomes of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// It goes to the client.
    Passed,
    /// So many bytes of it do, and then the connection is reset.
    Cut(u64),
    /// So many bytes of its body do, and then the connection is closed.
    Truncated(u64),
    /// It is read and thrown away.
    Dropped,
    /// Nobody hears it, for as long as this fault is on.
    Kept(u32),
}

/// The way from an instance to the client.
pub(super) struct Answering<'a> {
    pub(super) from: ReadHalf<'a>,
    pub(super) back: Back<'a>,
    /// Bytes read from the instance and not yet used.
    pub(super) down: &'a mut BytesMut,
    /// The attempt, until its fate is settled.
    pub(super) open: &'a mut Option<Attempt>,
    pub(super) changes: &'a Changes,
}

/// The last stretch of it.
pub(super) struct Back<'a> {
    pub(super) relay: &'a Relay,
    pub(super) standing: &'a Standing,
    pub(super) to: WriteHalf<'a>,
}

impl Back<'_> {
    /// Sends bytes, once nothing holds them.
    async fn send(&mut self, bytes: &[u8], drip: Option<(u32, Slices)>) -> Result<(), Broken> {
        if bytes.is_empty() {
            return Ok(());
        }
        while let Some((fault, end)) = self.relay.review(self.standing).end {
            if !end.holds(Direction::ServerToClient) {
                break;
            }
            self.relay.cleared(fault).await;
            if end == End::Hang {
                return Err(Broken::Reset);
            }
        }
        let pace = || {
            let slices = drip.filter(|(fault, _)| self.relay.is_on(*fault)).map(|(_, slices)| slices);
            self.relay.on_way(self.standing, Direction::ServerToClient).pace.and(Pace { slices, ..Pace::default() })
        };
        Ok(link::send(&mut self.to, bytes, pace, self.relay).await?)
    }
}

/// How much of an answer passes.
struct Limit {
    /// Of all of it, heads included.
    answer: u64,
    /// Of its body.
    body: u64,
}

impl Limit {
    fn of(what: Answer) -> Self {
        match what {
            Answer::Cut(after) => Self { answer: after, body: u64::MAX },
            Answer::Truncated(after) => Self { answer: u64::MAX, body: after },
            _ => Self { answer: u64::MAX, body: u64::MAX },
        }
    }

    /// Of so many bytes of heads and of the body behind them, how many pass.
    fn allow(&mut self, heads: usize, body: usize) -> (usize, usize) {
        let heads = self.answer.min(heads as u64);
        self.answer -= heads;
        let body = self.answer.min(self.body).min(body as u64);
        self.answer -= body;
        self.body -= body;
        (heads as usize, body as usize)
    }

    fn is_reached(&self, has_head: bool) -> bool {
        self.answer == 0 || has_head && self.body == 0
    }
}

impl Answering<'_> {
    /// Reads the answer to its end.
    pub(super) async fn run(mut self, request: &Request, what: Answer) -> Result<(), Broken> {
        if let Answer::Kept(fault) = what {
            return self.keep(fault).await;
        }
        let mut limit = Limit::of(what);
        let mut alterer = Alterer::of(self.changes);
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        let mut body: Option<BodyReader> = None;
        loop {
            let mut heads = 0;
            while body.is_none() {
                let Some(len) = reader.response_at(&self.down[heads..], &mut response)? else { break };
                if response.status >= 200 {
                    let framing = response.framing(request.method())?;
                    body = Some(BodyReader::new(framing));
                    let of_instance = !self.back.relay.sidecar || response.headers.contains(INSTANCE);
                    settle(self.back.relay, self.open, if of_instance { Fate::Relayed } else { Fate::Sidecar });
                    if !matches!(what, Answer::Dropped) {
                        self.back.relay.answer(response.status);
                    }
                    alterer.iter_mut().for_each(|alterer| alterer.head(heads..heads + len, framing));
                }
                heads += len;
            }
            let mut ready = heads;
            while let Some(body) = body.as_mut().filter(|body| !body.is_done() && ready < self.down.len()) {
                let step = body.step(&self.down[ready..])?;
                let payload = ready + step.payload.start..ready + step.payload.end;
                alterer.iter_mut().for_each(|alterer| alterer.payload(payload.clone()));
                ready += step.consumed;
            }
            let is_done = body.as_ref().is_some_and(BodyReader::is_done);
            match &mut alterer {
                _ if matches!(what, Answer::Dropped) => {}
                Some(alterer) => {
                    let (head, rest) = alterer.alter(&self.down[..ready], heads, is_done);
                    let (heads, allowed) = limit.allow(head.len(), rest.len());
                    self.back.send(&head[..heads], None).await?;
                    if allowed > 0 {
                        for (fault, time) in alterer.holds() {
                            self.back.relay.hold(fault, time).await;
                        }
                        self.back.send(&rest[..allowed], self.changes.drip).await?;
                    }
                }
                None => {
                    let (heads, allowed) = limit.allow(heads, ready - heads);
                    self.back.send(&self.down[..heads + allowed], None).await?;
                }
            }
            if limit.is_reached(body.is_some()) {
                return Err(if matches!(what, Answer::Truncated(_)) { Broken::Closed } else { Broken::Reset });
            }
            self.down.advance(ready);
            if is_done {
                return match what {
                    // A cut beyond the end of the answer resets right behind it.
                    Answer::Cut(_) => Err(Broken::Reset),
                    _ if response.keep_alive() => Ok(()),
                    _ => Err(Broken::Closed),
                };
            }
            self.down.reserve(READ);
            // The end of an answer that lasts until the connection ends, or an instance that has gone away: the client sees the same.
            if self.from.read_buf(self.down).await? == 0 {
                return Err(Broken::Closed);
            }
        }
    }

    /// The instance answers, nobody hears it; over when the fault is.
    async fn keep(&mut self, fault: u32) -> Result<(), Broken> {
        let mut ended = false;
        loop {
            self.down.clear();
            self.down.reserve(READ);
            tokio::select! {
                read = self.from.read_buf(self.down), if !ended => match read? {
                    0 => ended = true,
                    _ => settle(self.back.relay, self.open, Fate::Relayed),
                },
                () = self.back.relay.cleared(fault) => return Ok(()),
            }
        }
    }
}
