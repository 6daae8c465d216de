//! A relay that passes bytes without reading them: a connection is the unit, offered at accept.

use super::change::Flips;
use super::link;
use super::relay::{Relay, Standing, reset};
use super::rules::{Death, End};
use super::wire::Fate;
use crate::clock::{Nanos, now};
use crate::fault::spec::Direction;
use bytes::BytesMut;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Bytes of one way that are held at most; then no more are read.
const HELD: usize = 1 << 20;

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, door: usize, mut client: TcpStream) {
    let standing = Standing::new();
    let mut resets = relay.resets();
    let passed = tokio::select! {
        biased;
        _ = resets.changed() => Err(Ended::Reset),
        death = relay.until_dead(&standing), if !is_reset_at_accept(&relay, &standing) => Err(death.into()),
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

impl From<Death> for Ended {
    fn from(death: Death) -> Self {
        match death {
            Death::Reset => Self::Reset,
            Death::Close => Self::Closed,
        }
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
    let link = Link { relay, standing, delayed: RefCell::default() };
    link.delay().await;
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
        link.way(to_instance, Direction::ClientToServer).copy(from_client),
        link.way(to_client, Direction::ServerToClient).copy(from_instance),
    )?;
    Ok(())
}

/// Both ways of one connection.
struct Link<'a> {
    relay: &'a Relay,
    standing: &'a Standing,
    /// Faults whose delay has been served: each holds a connection once.
    delayed: RefCell<Vec<u32>>,
}

impl Link<'_> {
    fn way<'a>(&'a self, to: WriteHalf<'a>, direction: Direction) -> Way<'a> {
        Way { link: self, to, direction, passed: 0, flips: None, held: VecDeque::new(), size: 0 }
    }

    /// Holds the connection for as long as faults delay it.
    async fn delay(&self) {
        for (fault, delay) in self.relay.review(self.standing).delays {
            if !self.delayed.borrow().contains(&fault) {
                self.delayed.borrow_mut().push(fault);
                self.relay.hold(fault, delay).await;
            }
        }
    }
}

/// One way of a connection.
struct Way<'a> {
    link: &'a Link<'a>,
    to: WriteHalf<'a>,
    direction: Direction,
    passed: u64,
    flips: Option<Flips>,
    /// Pieces that wait for their time, in the order in which they came, and how long they are together.
    held: VecDeque<Piece>,
    size: usize,
}

/// Bytes that were read at once and are held.
struct Piece {
    bytes: BytesMut,
    /// Until when, and by which fault.
    until: Vec<(u32, Nanos)>,
}

impl Way<'_> {
    /// Passes bytes on until one side ends, whose end is passed on too.
    async fn copy(mut self, mut from: ReadHalf<'_>) -> Result<(), Ended> {
        let relay = self.link.relay;
        let mut buf = BytesMut::new();
        let mut has_ended = false;
        loop {
            let read = tokio::select! {
                biased;
                read = read(&mut from, &mut buf), if !has_ended && self.size < HELD => Some(read?),
                () = until_free(relay, self.held.front()), if !self.held.is_empty() => None,
                else => break,
            };
            match read {
                Some(0) => has_ended = true,
                Some(_) => {
                    let held = relay.hold_of_piece(self.link.standing, self.direction);
                    if held.is_empty() && self.held.is_empty() {
                        self.pass(&mut buf).await?;
                        buf.clear();
                    } else {
                        let until = held.into_iter().map(|(fault, time)| (fault, now().after(time))).collect();
                        self.size += buf.len();
                        self.held.push_back(Piece { bytes: buf.split(), until });
                    }
                }
                None => {
                    if let Some(mut piece) = self.held.pop_front() {
                        self.size -= piece.bytes.len();
                        self.pass(&mut piece.bytes).await?;
                    }
                }
            }
        }
        if let Some((fault, by)) = relay.on_way(self.link.standing, self.direction).pace.closes_late {
            relay.hold(fault, by).await;
        }
        // A peer that has gone needs no end.
        let _ = self.to.shutdown().await;
        Ok(())
    }

    /// Passes bytes on, as far as faults let them.
    async fn pass(&mut self, bytes: &mut [u8]) -> Result<(), Ended> {
        let Link { relay, standing, .. } = *self.link;
        self.link.delay().await;
        let cut = self.cut().await?;
        if let Some(every) = relay.on_way(standing, self.direction).changes.corrupt {
            self.flips.get_or_insert_with(|| Flips::new(every)).pass(bytes);
        }
        let way = self.direction;
        let pace = || relay.on_way(standing, way).pace;
        let most = cut.as_ref().map_or(u64::MAX, |(after, _)| after.saturating_sub(self.passed));
        let allowed = most.min(bytes.len() as u64);
        link::send(&mut self.to, &bytes[..allowed as usize], pace, relay).await?;
        self.passed += allowed;
        match cut.filter(|(after, _)| self.passed >= *after) {
            Some((_, how)) => Err(how),
            None => Ok(()),
        }
    }

    /// Waits for as long as a fault holds this way; then after how many bytes in all the connection is to be ended, and how.
    async fn cut(&self) -> Result<Option<(u64, Ended)>, Ended> {
        loop {
            match self.link.relay.on_way(self.link.standing, self.direction).end {
                Some((fault, end)) if end.holds(self.direction) => {
                    self.link.relay.cleared(fault).await;
                    if end == End::Hang {
                        return Err(Ended::Reset);
                    }
                }
                Some((_, End::Reset(after))) => return Ok(Some((after, Ended::Reset))),
                Some((_, End::Truncate(after))) => return Ok(Some((after, Ended::Closed))),
                _ => return Ok(None),
            }
        }
    }
}

/// Reads what is there.
async fn read(from: &mut ReadHalf<'_>, buf: &mut BytesMut) -> io::Result<usize> {
    buf.reserve(READ);
    from.read_buf(buf).await
}

/// Returns when the time of a piece has come, or the faults that hold it are over.
async fn until_free(relay: &Relay, piece: Option<&Piece>) {
    for (fault, until) in piece.into_iter().flat_map(|piece| &piece.until) {
        relay.hold(*fault, until.since(now())).await;
    }
}
