//! One relay: its port, its instance, its faults, its open connections.

use super::listener::Port;
use super::report::Reporter;
use super::rules::{Active, End, Subject, Verdict, judge};
use super::wire::{self, Answer, Fate, Offer, Report};
use super::{http, tcp};
use crate::clock::{Nanos, Timer, now};
use crate::fault::spec::{Fault, Unit};
use crate::seed::Seed;
use squall_http1::Request;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
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
    is_down: Cell<bool>,
    /// Raised when a fault begins or ends: open connections look at what they are under.
    changes: watch::Sender<u64>,
    /// Raised when open connections are to be reset.
    resets: watch::Sender<u64>,
    /// Raised when the port begins or ends to listen.
    listening: watch::Sender<bool>,
    /// Open connections.
    connections: watch::Sender<usize>,
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
    asked: RefCell<Vec<(u32, Verdict)>>,
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
        let door = |door: &wire::Door| Ok(Door { port: Port::bind()?, to: Cell::new(door.to), tcp: door.tcp });
        let doors = relay.doors.iter().map(door).collect::<io::Result<Vec<_>>>()?;
        let is_down = doors.iter().any(|door| door.to.get().is_none());
        let relay = Rc::new(Self {
            index,
            doors,
            sidecar: relay.sidecar,
            seed,
            faults: RefCell::default(),
            is_down: Cell::new(is_down),
            changes: watch::channel(0).0,
            resets: watch::channel(0).0,
            listening: watch::channel(!is_down).0,
            connections: watch::channel(0).0,
            reporter: Rc::clone(&reporter),
            timer,
        });
        for door in 0..relay.doors.len() {
            let first = if is_down { None } else { Some(relay.doors[door].port.listen()?) };
            // A change that comes before the task has begun counts as well.
            let listening = relay.listening.subscribe();
            tokio::task::spawn_local(Rc::clone(&relay).accept(door, first, listening));
        }
        if index == 0 {
            tokio::task::spawn_local(async move { reporter.tell_regularly().await });
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
                            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
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
    pub(super) fn inject(&self, id: u32, spec: Fault) -> Result<(), String> {
        if self.doors.iter().all(|door| door.tcp) && spec.unit == Unit::Request {
            return Err("a plain TCP relay sees no requests".to_owned());
        }
        let mut fault = Active::new(id, spec, self.index, self.seed);
        let (refuses, existing) = (fault.refuses(), fault.hits_existing());
        if refuses {
            // Nothing is offered while connections are refused: the refusal itself is the harm.
            fault.harm();
        }
        self.faults.borrow_mut().push((fault, now()));
        if refuses {
            self.settle_listening();
            if existing {
                self.reset_connections();
            }
            let effect = Report::Effect { fault: id, at: now().0 };
            self.reporter.say(&effect).map_err(|error| error.to_string())?;
        }
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
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
    pub(super) fn judge(&self, request: &Request, attempt: u32, accepted: Nanos) -> Verdict {
        let mut faults = self.faults.borrow_mut();
        if faults.is_empty() {
            return Verdict::default();
        }
        let concerned = faults.iter_mut().filter(|(fault, since)| fault.hits_existing() || accepted >= *since);
        let verdict = judge(concerned.map(|(fault, _)| fault), Subject::Request(request, attempt));
        self.tell_effects(&verdict);
        verdict
    }

    /// What a connection is under now: faults that have begun since it was last asked are asked whether they take it, once each.
    pub(super) fn review(&self, standing: &Standing) -> Verdict {
        let mut faults = self.faults.borrow_mut();
        let mut asked = standing.asked.borrow_mut();
        if faults.is_empty() && asked.is_empty() {
            return Verdict::default();
        }
        asked.retain(|(id, _)| faults.iter().any(|(fault, _)| fault.id == *id));
        for (fault, since) in faults.iter_mut() {
            let concerned = fault.hits_existing() || standing.accepted >= *since;
            if concerned && !asked.iter().any(|(id, _)| *id == fault.id) {
                let verdict = judge(std::iter::once(&mut *fault), Subject::Connection);
                self.tell_effects(&verdict);
                asked.push((fault.id, verdict));
            }
        }
        asked.iter().fold(Verdict::default(), |all, (_, verdict)| all.and(verdict))
    }

    fn tell_effects(&self, verdict: &Verdict) {
        for fault in &verdict.first_effects {
            // A harness that is gone does not mind.
            let _ = self.reporter.say(&Report::Effect { fault: *fault, at: now().0 });
        }
    }

    /// Returns once the fault is no more.
    pub(super) async fn cleared(&self, id: u32) {
        let mut changes = self.changes.subscribe();
        while self.faults.borrow().iter().any(|(fault, _)| fault.id == id) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns once a fault resets the connection as it is, without waiting for anything to pass.
    pub(super) async fn until_reset(&self, standing: &Standing) {
        let mut changes = self.changes.subscribe();
        while !matches!(self.review(standing).end, Some((_, End::Reset(0)))) {
            if changes.changed().await.is_err() {
                return;
            }
        }
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

/// Makes closing a connection a reset.
pub(super) fn reset(stream: TcpStream) {
    // If the peer was quicker there is nothing to reset.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
    drop(stream);
}
