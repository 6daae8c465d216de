//! A relay that passes bytes without reading them: a connection is the unit, offered at accept.

use super::link;
use super::relay::{Relay, Standing, reset};
use super::rules::End;
use super::wire::Fate;
use crate::fault::spec::Direction;
use bytes::BytesMut;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, door: usize, mut client: TcpStream) {
    let standing = Standing::new();
    let mut resets = relay.resets();
    let passed = tokio::select! {
        biased;
        _ = resets.changed() => Err(Ended::Reset),
        () = relay.until_reset(&standing), if !is_reset_at_accept(&relay, &standing) => Err(Ended::Reset),
        passed = pass(&relay, door, &standing, &mut client) => passed,
    };
    if let Err(Ended::Reset) = passed {
        reset(client);
    }
}

/// Such a connection is offered and withheld, not cut.
fn is_reset_at_accept(relay: &Relay, standing: &Standing) -> bool {
    matches!(relay.review(standing).end, Some((_, End::Reset(0))))
}

/// Why a connection ended before both sides had closed it.
enum Ended {
    Reset,
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

async fn pass(relay: &Relay, door: usize, standing: &Standing, client: &mut TcpStream) -> Result<(), Ended> {
    let offer = |fate| relay.offer(standing.accepted, None, 1, false, fate);
    let verdict = relay.review(standing);
    match verdict.end {
        Some((fault, End::Reset(0))) => {
            offer(Fate::Withheld(fault));
            return Err(Ended::Reset);
        }
        Some((fault, end)) if end.holds(Direction::ClientToServer) => {
            offer(Fate::Withheld(fault));
            relay.cleared(fault).await;
        }
        _ => {}
    }
    let withheld = verdict.end.is_some_and(|(_, end)| end.holds(Direction::ClientToServer));
    let way = Way { relay, standing, delayed: RefCell::default() };
    way.delay().await;
    let Ok(mut instance) = relay.connect(door).await else {
        if !withheld {
            offer(Fate::Unreachable);
        }
        return Err(Ended::Reset);
    };
    if !withheld {
        offer(Fate::Relayed);
    }
    instance.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_instance, to_instance) = instance.split();
    tokio::try_join!(
        way.copy(from_client, to_instance, Direction::ClientToServer),
        way.copy(from_instance, to_client, Direction::ServerToClient),
    )?;
    Ok(())
}

/// Both directions of one connection.
struct Way<'a> {
    relay: &'a Relay,
    standing: &'a Standing,
    /// Faults whose delay has been served: each holds a connection once.
    delayed: RefCell<Vec<u32>>,
}

impl Way<'_> {
    /// Passes bytes on until one side ends, whose end is passed on too.
    async fn copy(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: Direction) -> Result<(), Ended> {
        let mut buf = BytesMut::new();
        let mut passed: u64 = 0;
        loop {
            buf.clear();
            buf.reserve(READ);
            if from.read_buf(&mut buf).await? == 0 {
                // A peer that has gone needs no end.
                let _ = to.shutdown().await;
                return Ok(());
            }
            self.delay().await;
            let cut = self.cut(way).await?;
            let bandwidth = || self.relay.review(self.standing).bandwidth;
            let allowed = cut.map_or(buf.len() as u64, |cut| cut.saturating_sub(passed).min(buf.len() as u64));
            link::send(&mut to, &buf[..allowed as usize], bandwidth, &self.relay.timer).await?;
            passed += allowed;
            if cut.is_some_and(|cut| passed >= cut) {
                return Err(Ended::Reset);
            }
        }
    }

    /// Waits for as long as a fault holds this way; then after how many bytes in all the connection is to be reset.
    async fn cut(&self, way: Direction) -> Result<Option<u64>, Ended> {
        loop {
            match self.relay.review(self.standing).end {
                Some((fault, end)) if end.holds(way) => {
                    self.relay.cleared(fault).await;
                    if end == End::Hang {
                        return Err(Ended::Reset);
                    }
                }
                Some((_, End::Reset(after))) if way == Direction::ServerToClient => return Ok(Some(after)),
                _ => return Ok(None),
            }
        }
    }

    async fn delay(&self) {
        for (fault, delay) in self.relay.review(self.standing).delays {
            if !self.delayed.borrow().contains(&fault) {
                self.delayed.borrow_mut().push(fault);
                tokio::select! {
                    () = self.relay.timer.sleep(delay) => {}
                    () = self.relay.cleared(fault) => {}
                }
            }
        }
    }
}
