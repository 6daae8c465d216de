//! Connections of clients: taken one after the other, and counted for as long as they are open.

use super::{Socket, Worker};
use crate::net::{self, Scarcity};
use crate::serve::accept;
use crate::telemetry::messages::Level;
use crate::telemetry::metrics::{ListenerCounter, ListenerStats};
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

impl Worker {
    /// Takes connections until the proxy drains or this listener goes, and serves them to their ends.
    pub(super) async fn listen(self: Rc<Self>, socket: Socket, leaves: Rc<Notify>) {
        let Ok(listener) = TcpListener::from_std(socket.socket) else { return };
        let mut clients = JoinSet::new();
        let mut scarcity = Scarcity::default();
        loop {
            tokio::select! {
                accepted = net::accept(&listener) => match accepted {
                    Ok((stream, remote)) => {
                        scarcity.over();
                        let Some(opened) = self.opened(&socket.open, socket.most, &socket.stats, stream.as_raw_fd()) else { continue };
                        // Wrapped in another future it would take twice the room.
                        let served = accept::serve(Rc::clone(&self), socket.listener, stream, remote, opened);
                        clients.spawn_local(served);
                    }
                    Err(error) => {
                        socket.stats.count(self.shard, ListenerCounter::AcceptFailed);
                        let (pause, said) = scarcity.failed(&error, crate::clock::now());
                        let messages = &self.shared.telemetry.messages;
                        let say = |said: &String| messages.say(Level::Error, &format!("no connection can be taken: {said}"));
                        said.iter().for_each(say);
                        // Others may give something back meanwhile.
                        tokio::time::sleep(pause).await;
                    }
                },
                Some(_) = clients.join_next(), if !clients.is_empty() => {}
                () = self.draining() => break,
                () = leaves.notified() => break,
            }
        }
        drop(listener);
        while clients.join_next().await.is_some() {}
    }

    /// A place for a connection that was taken; none: there are too many.
    fn opened(
        self: &Rc<Self>,
        open: &Arc<AtomicU32>,
        most: Option<u32>,
        stats: &Arc<ListenerStats>,
        client: RawFd,
    ) -> Option<Opened> {
        let count = |counter| stats.count(self.shard, counter);
        if open.fetch_add(1, Ordering::Relaxed) >= most.unwrap_or(u32::MAX) {
            open.fetch_sub(1, Ordering::Relaxed);
            count(ListenerCounter::CxOverflow);
            return None;
        }
        if self.shared.open.fetch_add(1, Ordering::Relaxed) >= self.shared.most_open {
            self.shared.open.fetch_sub(1, Ordering::Relaxed);
            open.fetch_sub(1, Ordering::Relaxed);
            count(ListenerCounter::GlobalCxOverflow);
            return None;
        }
        stats.opened(self.shard);
        self.clients.borrow_mut().insert(client);
        Some(Opened {
            since: crate::clock::now(),
            client,
            open: Arc::clone(open),
            stats: Arc::clone(stats),
            worker: Rc::clone(self),
        })
    }
}

/// A connection that was taken; over when dropped.
pub(in crate::serve) struct Opened {
    since: Instant,
    /// Its socket, which is open for as long as this is.
    client: RawFd,
    open: Arc<AtomicU32>,
    stats: Arc<ListenerStats>,
    worker: Rc<Worker>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.worker.clients.borrow_mut().remove(&self.client);
        self.worker.shared.open.fetch_sub(1, Ordering::Relaxed);
        self.stats.closed(self.worker.shard, crate::clock::now().saturating_duration_since(self.since));
    }
}
