//! A relay of HTTP/2: streams are told apart on both sides, so that faults hit one request of a connection and leave the others alone.
//!
//! Each connection of a client has one of its own to the instance. What slows bytes acts between the client's socket and the streams.

use super::link;
use super::relay::{Relay, Standing, reset};
use super::rules::Death;
use super::stream::Exchange;
use crate::fault::spec::Direction;
use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{Reason, client, server};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::os::fd::AsFd;
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Bytes that a connection, and each of its streams, may receive before we have read them.
const WINDOW: u32 = 1 << 20;
/// Bytes between the socket and the streams.
const PIPE: usize = 64 * 1024;
/// Bytes of all fields of a head.
const HEAD: u32 = 256 * 1024;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// In order.
    Closed,
    /// By a reset, as the instance's connection did or as a fault asks.
    Reset,
}

impl From<Death> for Ended {
    fn from(death: Death) -> Self {
        match death {
            Death::Reset => Self::Reset,
            Death::Close => Self::Closed,
        }
    }
}

/// What all streams of a connection share.
pub(super) struct Connection {
    pub(super) relay: Rc<Relay>,
    pub(super) standing: Rc<Standing>,
    door: usize,
    instance: RefCell<Option<SendRequest<Bytes>>>,
    /// Raised when the connection takes no more streams, or is to be reset.
    told: Notify,
    goodbye: Cell<bool>,
    reset: Cell<bool>,
}

/// Serves one connection to its end.
pub(super) async fn relay(relay: Rc<Relay>, door: usize, client: TcpStream, standing: Rc<Standing>) {
    let mut resets = relay.resets();
    // The socket is handed on, and may have to be reset all the same.
    let socket = client.as_fd().try_clone_to_owned();
    let ended = tokio::select! {
        biased;
        _ = resets.changed() => Ended::Reset,
        death = relay.until_dead(&standing) => death.into(),
        ended = serve(Rc::clone(&relay), door, client, Rc::clone(&standing)) => ended,
    };
    if let (Ended::Reset, Ok(socket)) = (ended, socket) {
        reset(socket);
    }
}

async fn serve(relay: Rc<Relay>, door: usize, client: TcpStream, standing: Rc<Standing>) -> Ended {
    let connection = Rc::new(Connection {
        relay: Rc::clone(&relay),
        standing: Rc::clone(&standing),
        door,
        instance: RefCell::default(),
        told: Notify::new(),
        goodbye: Cell::new(false),
        reset: Cell::new(false),
    });
    let (near, far) = tokio::io::duplex(PIPE);
    let (from_client, to_client) = client.into_split();
    let (from_streams, to_streams) = tokio::io::split(near);
    // Both end with the connection.
    let (mut up, mut down) = (JoinSet::new(), JoinSet::new());
    up.spawn_local(pump(Rc::clone(&relay), Rc::clone(&standing), Direction::ClientToServer, from_client, to_streams));
    down.spawn_local(pump(relay, standing, Direction::ServerToClient, from_streams, to_client));
    let ended = connection.serve(far).await;
    if ended == Ended::Closed {
        // What was said last is still on its way.
        let _ = down.join_next().await;
    }
    ended
}

/// Passes bytes on at the pace that is allowed, until one side ends, whose end is passed on too.
async fn pump(
    relay: Rc<Relay>,
    standing: Rc<Standing>,
    way: Direction,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) {
    let mut buf = BytesMut::new();
    loop {
        buf.clear();
        buf.reserve(PIPE);
        if !matches!(from.read_buf(&mut buf).await, Ok(1..)) {
            break;
        }
        if link::send(&mut to, &buf, || relay.on_way(&standing, way).pace, &relay).await.is_err() {
            break;
        }
    }
    if let Some((fault, by)) = relay.on_way(&standing, way).pace.closes_late {
        relay.hold(fault, by).await;
    }
    // A side that has gone needs no end.
    let _ = to.shutdown().await;
}

impl Connection {
    async fn serve(self: Rc<Self>, io: impl AsyncRead + AsyncWrite + Unpin) -> Ended {
        let mut builder = server::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW).max_header_list_size(HEAD);
        let Ok(mut server) = builder.handshake(io).await else { return Ended::Reset };
        // Dropped with the connection, and every exchange that is open with it.
        let mut exchanges = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = self.told.notified() => {
                    if self.reset.get() {
                        return Ended::Reset;
                    }
                    server.graceful_shutdown();
                }
                accepted = server.accept() => match accepted {
                    Some(Ok((request, respond))) => {
                        let exchange = Exchange::new(Rc::clone(&self), &request);
                        exchanges.spawn_local(exchange.run(request, respond));
                    }
                    Some(Err(_)) => return Ended::Reset,
                    None => return if self.reset.get() { Ended::Reset } else { Ended::Closed },
                },
                Some(_) = exchanges.join_next() => {}
            }
        }
    }

    /// A handle of the connection to the instance, which is made for the first stream. None: there is none to be had.
    pub(super) async fn instance(self: &Rc<Self>) -> Option<SendRequest<Bytes>> {
        let known = self.instance.borrow().clone();
        let mut handle = match known {
            Some(handle) => handle,
            None => self.connect().await?,
        };
        poll_fn(|context| handle.poll_ready(context)).await.ok()?;
        Some(handle)
    }

    async fn connect(self: &Rc<Self>) -> Option<SendRequest<Bytes>> {
        let stream = self.relay.connect(self.door).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut builder = client::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW).enable_push(false);
        let (handle, connection) = builder.handshake(stream).await.ok()?;
        if let Some(quicker) = &*self.instance.borrow() {
            // Another stream was quicker; this connection ends unused.
            return Some(quicker.clone());
        }
        *self.instance.borrow_mut() = Some(handle.clone());
        let shared = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            let ended = connection.await;
            let Some(shared) = shared.upgrade() else { return };
            match ended {
                // What the instance closes in order, or says goodbye to, ends likewise for the client.
                Ok(()) => shared.say_goodbye(),
                Err(error) if error.reason() == Some(Reason::NO_ERROR) => shared.say_goodbye(),
                Err(_) => shared.break_off(),
            }
        });
        Some(handle)
    }

    /// No more streams: those that are open are answered.
    pub(super) fn say_goodbye(&self) {
        if !self.goodbye.replace(true) {
            self.told.notify_one();
        }
    }

    /// The connection is reset.
    pub(super) fn break_off(&self) {
        self.reset.set(true);
        self.told.notify_one();
    }
}
