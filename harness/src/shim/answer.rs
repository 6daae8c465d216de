//! An instance's answer on its way back through the relay.

use super::http::{Attempt, Broken, READ, settle};
use super::link;
use super::relay::{Relay, Standing};
use super::rules::End;
use super::wire::Fate;
use crate::fault::spec::Direction;
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
    /// It is read and thrown away.
    Dropped,
    /// Nobody hears it, for as long as this fault is on.
    Kept(u32),
}

/// The way from an instance to the client.
pub(super) struct Answering<'a> {
    pub(super) relay: &'a Relay,
    pub(super) standing: &'a Standing,
    pub(super) from: ReadHalf<'a>,
    pub(super) to: WriteHalf<'a>,
    /// Bytes read from the instance and not yet used.
    pub(super) down: &'a mut BytesMut,
    /// The attempt, until its fate is settled.
    pub(super) open: &'a mut Option<Attempt>,
}

impl Answering<'_> {
    /// Reads the answer to its end.
    pub(super) async fn run(mut self, request: &Request, what: Answer) -> Result<(), Broken> {
        if let Answer::Kept(fault) = what {
            return self.keep(fault).await;
        }
        let mut left = if let Answer::Cut(after) = what { after } else { u64::MAX };
        let (mut reader, mut response) = (HeadReader::default(), Response::default());
        let mut body: Option<BodyReader> = None;
        loop {
            let mut ready = 0;
            while body.is_none() {
                let Some(len) = reader.response_at(&self.down[ready..], &mut response)? else { break };
                ready += len;
                if response.status >= 200 {
                    body = Some(BodyReader::new(response.framing(request.method())?));
                    let of_instance = !self.relay.sidecar || response.headers.contains(INSTANCE);
                    settle(self.relay, self.open, if of_instance { Fate::Relayed } else { Fate::Sidecar });
                    if !matches!(what, Answer::Dropped) {
                        self.relay.answer(response.status);
                    }
                }
            }
            if let Some(body) = body.as_mut() {
                while !body.is_done() && ready < self.down.len() {
                    ready += body.step(&self.down[ready..])?.consumed;
                }
            }
            if !matches!(what, Answer::Dropped) {
                let allowed = left.min(ready as u64);
                self.send(allowed as usize).await?;
                left -= allowed;
                if left == 0 {
                    return Err(Broken::Reset);
                }
            }
            self.down.advance(ready);
            if body.as_ref().is_some_and(BodyReader::is_done) {
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

    /// Sends the first bytes that were read, once nothing holds them.
    async fn send(&mut self, len: usize) -> Result<(), Broken> {
        if len == 0 {
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
        let bandwidth = || self.relay.review(self.standing).bandwidth;
        Ok(link::send(&mut self.to, &self.down[..len], bandwidth, &self.relay.timer).await?)
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
                    _ => settle(self.relay, self.open, Fate::Relayed),
                },
                () = self.relay.cleared(fault) => return Ok(()),
            }
        }
    }
}
