//! One relay: its port, its instance, its faults, its open connections.

use super::listener::Port;
use super::report::Reporter;
use super::rules::{Active, Death, End, Subject, Verdict, judge};
use super::wire::{self, Answer, Fate, Offer, Report};
use super::{http, tcp};
use crate::clock::{Nanos, Timer, now};
use crate::fault::spec::{Direction, Fault, Rhythm, Slices, Unit};
use crate::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use squall_http1::Request;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Everything of one relay.
pub(super) struct Relay {
    pub(super) index: usize,
    doors: Vec<Door>,
    /// Answers may come from the proxy beside the instance.
    pub(super) sidecar: bool,
    seed: Seed,
    faults: RefCell<Vec<(Active, Nanos)>>,
    /// From which the sizes of pieces are drawn.
    sizes: RefCell<ChaCha12Rng>,
    is_down: Cell<bool>,
    /// It takes no connections any more.
    has_ended: Cell<bool>,
    /// Raised when a fault begins or ends: open connections look at what they are under.
    changes: watch::Sender<u64>,
    /// Raised when open connections are to be reset.
    resets: watch::Sender<u64>,
    /// Raised when the port begins or ends to listen.
    listening: watch::Sender<bool>,
    /// Open connections.
    connections: watch::Sender<usize>,
    /// Open requests.
    requests: Cell<usize>,
    pub(super) reporter: Rc<Reporter>,
    pub(super) timer: Timer,
}

/// A port, and where it leads.
struct Door {
    port: Port,
    to: Cell<Option<SocketAddr>>,
    tcp: bool,
}

/// What the faults on connections have said of one connection.
pub(super) struct Standing {
    pub(super) accepted: Nanos,
    asked: RefCell<Vec<Taken>>,
}

/// What one fault has said of a connection, and when it was asked.
struct Taken {
    fault: u32,
    at: Nanos,
    verdict: Verdict,
}

impl Standing {
    /// A connection that has just been accepted.
    pub(super) fn new() -> Self {
        Self { accepted: now(), asked: RefCell::default() }
    }
}

impl Relay {
    /// Binds its ports and begins to listen, unless there is nobody behind them yet.
    pub(super) fn start(
        index: usize,
        relay: &wire::Relay,
        seed: Seed,
        reporter: Rc<Reporter>,
        timer: Timer,
    ) -> io::Result<Rc<Self>> {
        let door =
            |door: &wire::Door| Ok(Door { port: Port::bind(door.listen)?, to: Cell::new(door.to), tcp: door.tcp });
        let doors = relay.doors.iter().map(door).collect::<io::Result<Vec<_>>>()?;
        let is_down = doors.iter().any(|door| door.to.get().is_none());
        let relay = Rc::new(Self {
            index,
            doors,
            sidecar: relay.sidecar,
            seed,
            faults: RefCell::default(),
            sizes: RefCell::new(seed.stream(&format!("slices/{index}"))),
            is_down: Cell::new(is_down),
            has_ended: Cell::new(false),
            changes: watch::channel(0).0,
            resets: watch::channel(0).0,
            listening: watch::channel(!is_down).0,
            connections: watch::channel(0).0,
            requests: Cell::new(0),
            reporter,
            timer,
        });
        for door in 0..relay.doors.len() {
            let first = if is_down { None } else { Some(relay.doors[door].port.listen()?) };
            // A change that comes before the task has begun counts as well.
            let listening = relay.listening.subscribe();
            tokio::task::spawn_local(Rc::clone(&relay).accept(door, first, listening));
        }
        Ok(relay)
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().map(|door| door.port.address).collect()
    }

    /// Connects to where a door leads now.
    pub(super) async fn connect(&self, door: usize) -> io::Result<TcpStream> {
        let to = self.doors[door].to.get().ok_or(io::ErrorKind::NotConnected)?;
        TcpStream::connect(to).await
    }

    async fn accept(self: Rc<Self>, door: usize, first: Option<TcpListener>, mut listening: watch::Receiver<bool>) {
        let mut listener = first;
        loop {
            match &listener {
                Some(open) => tokio::select! {
                    biased;
                    _ = listening.changed() => {}
                    accepted = open.accept() => {
                        match accepted {
                            Ok((stream, _)) => self.accepted(door, stream),
                            // Out of descriptors: a pause lets others give some back.
                            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                        }
                        continue;
                    }
                },
                None => {
                    if listening.changed().await.is_err() {
                        return;
                    }
                }
            }
            if self.has_ended.get() {
                return;
            }
            let wanted = *listening.borrow_and_update();
            listener = if wanted { self.doors[door].port.listen().ok() } else { None };
        }
    }

    fn accepted(self: &Rc<Self>, door: usize, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let relay = Rc::clone(self);
        relay.connections.send_modify(|open| *open += 1);
        tokio::task::spawn_local(async move {
            if relay.doors[door].tcp {
                tcp::relay(Rc::clone(&relay), door, stream).await;
            } else {
                http::relay(Rc::clone(&relay), door, stream).await;
            }
            relay.connections.send_modify(|open| *open -= 1);
        });
    }

    /// Listens or refuses, as the instance and the faults want it.
    fn settle_listening(&self) {
        let refuse = self.is_down.get() || self.faults.borrow().iter().any(|(fault, _)| fault.refuses());
        if refuse == *self.listening.borrow() {
            for door in &self.doors {
                if refuse {
                    door.port.refuse();
                } else {
                    // The task would listen a moment later; whoever is told that it is up again may connect at once.
                    let _ = door.port.listen();
                }
            }
            self.listening.send_replace(!refuse);
        }
    }

    /// Resets every open connection.
    pub(super) fn reset_connections(&self) {
        self.resets.send_modify(|resets| *resets += 1);
    }

    /// Begins a fault.
    pub(super) fn inject(self: &Rc<Self>, id: u32, spec: Fault) -> Result<(), String> {
        if self.doors.iter().all(|door| door.tcp) && spec.unit == Unit::Request {
            return Err("a plain TCP relay sees no requests".to_owned());
        }
        let (begin, rhythm) = (now(), spec.rhythm);
        self.faults.borrow_mut().push((Active::new(id, spec, self.index, self.seed), begin));
        self.begin_acting(id).map_err(|error| error.to_string())?;
        if rhythm.pulse.is_some() {
            tokio::task::spawn_local(Rc::clone(self).pulse(id, rhythm, begin));
        }
        Ok(())
    }

    /// A fault acts from now on, for the first time or after a rest.
    fn begin_acting(&self, id: u32) -> io::Result<()> {
        let mut first = false;
        let resets = {
            let mut faults = self.faults.borrow_mut();
            let Some((fault, _)) = faults.iter_mut().find(|(fault, _)| fault.id == id) else { return Ok(()) };
            fault.acts = true;
            if fault.refuses() {
                // Nothing is offered while connections are refused: the refusal itself is the harm.
                first = fault.harm();
            }
            fault.refuses() && fault.hits_existing()
        };
        self.settle_listening();
        if resets {
            self.reset_connections();
        }
        self.changes.send_modify(|changes| *changes += 1);
        if first { self.reporter.say(&Report::Effect { fault: id, at: now().0 }) } else { Ok(()) }
    }

    /// Lets a fault act and rest in turn, until it has ended.
    async fn pulse(self: Rc<Self>, id: u32, rhythm: Rhythm, begin: Nanos) {
        while let (acts, Some(edge)) = rhythm.acts(now().since(begin)) {
            let acted = self.faults.borrow().iter().find(|(fault, _)| fault.id == id).map(|(fault, _)| fault.acts);
            match acted {
                None => return,
                Some(acted) if acted == acts => {}
                // A harness that is gone does not mind; the fault ends with it.
                Some(_) if acts => drop(self.begin_acting(id)),
                Some(_) => self.rest_from(id),
            }
            self.timer.sleep_until(begin.after(edge)).await;
        }
    }

    /// A fault rests between two pulses.
    fn rest_from(&self, id: u32) {
        if let Some((fault, _)) = self.faults.borrow_mut().iter_mut().find(|(fault, _)| fault.id == id) {
            fault.acts = false;
        }
        self.settle_listening();
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Ends a fault, if it is one of ours, and tells what it has harmed.
    pub(super) fn clear(&self, id: u32) -> io::Result<()> {
        let mut faults = self.faults.borrow_mut();
        let Some(at) = faults.iter().position(|(fault, _)| fault.id == id) else { return Ok(()) };
        let (fault, _) = faults.remove(at);
        drop(faults);
        self.settle_listening();
        self.changes.send_modify(|changes| *changes += 1);
        self.reporter.say(&Report::Harmed { fault: id, units: fault.harmed, victims: fault.victims })
    }

    /// Ends every fault.
    pub(super) fn lift_all(&self) {
        let ids: Vec<u32> = self.faults.borrow().iter().map(|(fault, _)| fault.id).collect();
        // Nobody may be listening any more; faults end all the same.
        ids.into_iter().for_each(|id| drop(self.clear(id)));
    }

    /// The instance is gone.
    pub(super) fn down(&self) {
        self.is_down.set(true);
        self.settle_listening();
        self.reset_connections();
    }

    /// It is to be no more: its port is given back once its last connection, which is reset, has ended.
    pub(super) fn end(&self) {
        self.lift_all();
        self.down();
        self.has_ended.set(true);
        self.listening.send_replace(false);
    }

    /// The instance is there again.
    pub(super) fn up(&self, to: &[SocketAddr]) {
        self.doors.iter().zip(to).for_each(|(door, to)| door.to.set(Some(*to)));
        self.is_down.set(false);
        self.settle_listening();
    }

    /// Returns once no connection is open.
    pub(super) async fn drained(&self) {
        // The sender is ours, so it cannot have gone.
        let _ = self.connections.subscribe().wait_for(|open| *open == 0).await;
    }

    /// What becomes of a request on a connection that was accepted then; effects are told at once.
    pub(super) fn judge(&self, head: &Request, attempt: u32, accepted: Nanos) -> Verdict {
        let mut faults = self.faults.borrow_mut();
        if faults.is_empty() {
            return Verdict::default();
        }
        let concerned = faults.iter_mut().filter(|(fault, since)| fault.hits_existing() || accepted >= *since);
        let subject = Subject::Request { head, attempt, open: self.requests.get() };
        let verdict = judge(concerned.map(|(fault, since)| (fault, now().since(*since))), subject);
        self.tell_effects(&verdict);
        verdict
    }

    /// What a connection is under now: faults that have begun since it was last asked are asked whether they take it, once each.
    pub(super) fn review(&self, standing: &Standing) -> Verdict {
        self.review_of(standing, |_| true)
    }

    /// What bytes of a connection are under that pass this way.
    pub(super) fn on_way(&self, standing: &Standing, way: Direction) -> Verdict {
        self.review_of(standing, |fault| fault.goes(way))
    }

    fn review_of(&self, standing: &Standing, concerns: impl Fn(&Active) -> bool) -> Verdict {
        let mut faults = self.faults.borrow_mut();
        let mut asked = standing.asked.borrow_mut();
        if faults.is_empty() && asked.is_empty() {
            return Verdict::default();
        }
        asked.retain(|taken| faults.iter().any(|(fault, _)| fault.id == taken.fault));
        for (fault, since) in faults.iter_mut().filter(|(fault, _)| fault.acts) {
            let concerned = fault.hits_existing() || standing.accepted >= *since;
            if concerned && !asked.iter().any(|taken| taken.fault == fault.id) {
                let id = fault.id;
                let subject = Subject::Connection { open: *self.connections.borrow() };
                let verdict = judge(std::iter::once((fault, now().since(*since))), subject);
                self.tell_effects(&verdict);
                asked.push(Taken { fault: id, at: now(), verdict });
            }
        }
        let acts = |id: u32| faults.iter().any(|(fault, _)| fault.id == id && fault.acts && concerns(fault));
        asked.iter().filter(|taken| acts(taken.fault)).fold(Verdict::default(), |all, taken| all.and(&taken.verdict))
    }

    /// One more request is open, until this is dropped.
    pub(super) fn opened(self: &Rc<Self>) -> OpenRequest {
        self.requests.set(self.requests.get() + 1);
        OpenRequest(Rc::clone(self))
    }

    fn tell_effects(&self, verdict: &Verdict) {
        for fault in &verdict.first_effects {
            // A harness that is gone does not mind.
            let _ = self.reporter.say(&Report::Effect { fault: *fault, at: now().0 });
        }
    }

    /// True while the fault acts.
    pub(super) fn is_on(&self, id: u32) -> bool {
        self.faults.borrow().iter().any(|(fault, _)| fault.id == id && fault.acts)
    }

    /// Returns once the fault is no more, or rests.
    pub(super) async fn cleared(&self, id: u32) {
        let mut changes = self.changes.subscribe();
        while self.is_on(id) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Rests for so long, or until a fault begins or ends.
    pub(super) async fn rest(&self, time: Duration) {
        let mut changes = self.changes.subscribe();
        tokio::select! {
            () = self.timer.sleep(time) => {}
            _ = changes.changed() => {}
        }
    }

    /// Holds what a fault delays: until the time is over, or the fault is.
    pub(super) async fn hold(&self, fault: u32, time: Duration) {
        tokio::select! {
            () = self.timer.sleep(time) => {}
            () = self.cleared(fault) => {}
        }
    }

    /// Returns once a fault ends the connection as it is, without waiting for anything to pass, and says how.
    pub(super) async fn until_dead(&self, standing: &Standing) -> Death {
        let mut changes = self.changes.subscribe();
        loop {
            let verdict = self.review(standing);
            if matches!(verdict.end, Some((_, End::Reset(0)))) {
                return Death::Reset;
            }
            let taken = |id| standing.asked.borrow().iter().find(|taken| taken.fault == id).map(|taken| taken.at);
            let dies = verdict.dies.and_then(|(id, after, how)| Some((taken(id)?.after(after), how)));
            let (due, how) = dies.unwrap_or((Nanos(u64::MAX), Death::Close));
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Death::Reset },
                () = self.timer.sleep_until(due), if dies.is_some() => return how,
            }
        }
    }

    /// How long the next piece is held by faults that hold pieces which pass this way, and by which.
    pub(super) fn hold_of_piece(&self, standing: &Standing, way: Direction) -> Vec<(u32, Duration)> {
        let held = self.on_way(standing, way).changes.pieces_held;
        let mut faults = self.faults.borrow_mut();
        let mut draw = |id: u32| {
            let (fault, since) = faults.iter_mut().find(|(fault, _)| fault.id == id)?;
            let since = now().since(*since);
            Some((id, fault.draw(|rhythm| rhythm.strength(since))?))
        };
        held.into_iter().filter_map(|(id, _)| draw(id)).collect()
    }

    /// How long the next of such pieces is.
    pub(super) fn size_of(&self, slices: Slices) -> usize {
        let stray = slices.stray.min(slices.size.saturating_sub(1));
        let drawn = if stray == 0 { 0 } else { self.sizes.borrow_mut().random_range(0..=stray.saturating_mul(2)) };
        (slices.size - stray).saturating_add(drawn).max(1)
    }

    /// Learns when open connections are to be reset.
    pub(super) fn resets(&self) -> watch::Receiver<u64> {
        self.resets.subscribe()
    }

    pub(super) fn offer(&self, at: Nanos, request: Option<u64>, attempt: u32, probe: bool, fate: Fate) {
        self.reporter.offer(Offer { at: at.0, relay: self.index, request, attempt, fate, probe });
    }

    pub(super) fn answer(&self, status: u16) {
        self.reporter.answer(Answer { at: now().0, relay: self.index, status });
    }
}

/// A request that is open.
pub(super) struct OpenRequest(Rc<Relay>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.requests.set(self.0.requests.get() - 1);
    }
}

/// Makes closing a connection a reset.
pub(super) fn reset(socket: impl AsFd) {
    // If the peer was quicker there is nothing to reset.
    let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
    drop(socket);
}
