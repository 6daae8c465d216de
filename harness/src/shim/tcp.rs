//! A relay that passes bytes without reading them: a connection is the unit, offered at accept.

use super::change::Flips;
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
    /// By a fault.
    Closed,
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

async fn pass(relay: &Relay, door: usize, standing: &Standing, client: &mut TcpStream) -> Result<(), Ended> {
    let offer = |fate| relay.offer(standing.accepted, None, 1, false, fate);
    let verdict = relay.review(standing);
    match &verdict.end {
        Some((fault, End::Reset(0))) => {
            offer(Fate::Withheld(*fault));
            return Err(Ended::Reset);
        }
        Some((fault, end)) if end.holds(Direction::ClientToServer) => {
            offer(Fate::Withheld(*fault));
            relay.cleared(*fault).await;
        }
        _ => {}
    }
    let withheld = verdict.end.as_ref().is_some_and(|(_, end)| end.holds(Direction::ClientToServer));
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
        let mut flips = None;
        loop {
            buf.clear();
            buf.reserve(READ);
            if from.read_buf(&mut buf).await? == 0 {
                if let Some((fault, by)) = self.relay.review(self.standing).pace.closes_late {
                    self.relay.hold(fault, by).await;
                }
                // A peer that has gone needs no end.
                let _ = to.shutdown().await;
                return Ok(());
            }
            self.delay().await;
            let cut = self.cut(way).await?;
            if let Some(every) =
                self.relay.review(self.standing).changes.corrupt.filter(|_| way == Direction::ServerToClient)
            {
                flips.get_or_insert_with(|| Flips::new(every)).pass(&mut buf);
            }
            let pace = || self.relay.review(self.standing).pace;
            let most = cut.as_ref().map_or(u64::MAX, |(after, _)| after.saturating_sub(passed));
            let allowed = most.min(buf.len() as u64);
            link::send(&mut to, &buf[..allowed as usize], pace, self.relay).await?;
            passed += allowed;
            if let Some((_, how)) = cut.filter(|(after, _)| passed >= *after) {
                return Err(how);
            }
        }
    }

    /// Waits for as long as a fault holds this way; then after how many bytes in all the connection is to be ended, and how.
    async fn cut(&self, way: Direction) -> Result<Option<(u64, Ended)>, Ended> {
        loop {
            match self.relay.review(self.standing).end {
                Some((fault, end)) if end.holds(way) => {
                    self.relay.cleared(fault).await;
                    if end == End::Hang {
                        return Err(Ended::Reset);
                    }
                }
                Some((_, End::Reset(after))) if way == Direction::ServerToClient => {
                    return Ok(Some((after, Ended::Reset)));
                }
                Some((_, End::Truncate(after))) if way == Direction::ServerToClient => {
                    return Ok(Some((after, Ended::Closed)));
                }
                _ => return Ok(None),
            }
        }
    }

    async fn delay(&self) {
        for (fault, delay) in self.relay.review(self.standing).delays {
            if !self.delayed.borrow().contains(&fault) {
                self.delayed.borrow_mut().push(fault);
                self.relay.hold(fault, delay).await;
            }
        }
    }
}
