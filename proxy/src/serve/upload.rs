//! The body of a request on its way up: passed on as it comes, and kept for as long as another try may need it.

use super::mirror::Copy;
use crate::clock::now;
use crate::wire::{Broken, GrpcMessages, Sink, Source};
use squall_http1::{Framing, Headers};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Says when the whole request has been received, which is when the route's time begins.
#[derive(Debug, Default)]
pub(super) struct Received {
    at: Cell<Option<Instant>>,
    notify: Notify,
}

impl Received {
    /// Returns once the whole request has been received, with the moment of that.
    pub(super) async fn wait(&self) -> Instant {
        loop {
            if let Some(at) = self.at.get() {
                return at;
            }
            self.notify.notified().await;
        }
    }

    /// A filter has held the request up: to whoever comes behind it, what is whole has become so only now.
    pub(super) fn passed_on(&self) {
        if self.at.get().is_some() {
            self.at.set(Some(now()));
        }
    }

    /// When that was.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at.get()
    }

    /// When so much time that began then is over, if it has not begun as if it did now; none: beyond any moment.
    pub(super) fn due(&self, time: Duration) -> Option<Instant> {
        self.at.get().unwrap_or_else(now).checked_add(time)
    }

    /// What is left of so much time that began then, but for whole milliseconds; all of it if it has not begun.
    pub(super) fn left_of(&self, time: Duration) -> Duration {
        let gone = self.at.get().map_or(0, |at| now().saturating_duration_since(at).as_millis());
        time.saturating_sub(Duration::from_millis(u64::try_from(gone).unwrap_or(u64::MAX)))
    }
}

/// What moves, either way.
#[derive(Debug)]
pub(super) struct Progress {
    /// When the last byte did.
    pub(super) moved: Cell<Instant>,
    /// The body of an answer is under way.
    pub(super) answering: Cell<bool>,
}

/// The body of one request.
pub(super) struct Upload {
    /// How it is written upstream.
    pub(super) framing: Framing,
    /// Says when it is whole.
    pub(super) received: Rc<Received>,
    kept: Vec<u8>,
    /// Most bytes kept; none where it is sent once at most.
    most: usize,
    /// Everything received so far is in `kept`.
    complete_so_far: bool,
    trailers: Option<Box<Headers>>,
    /// Bytes received.
    pub(super) bytes: u64,
    /// Messages received, where it is gRPC.
    pub(super) grpc_messages: Option<GrpcMessages>,
    /// What moves.
    pub(super) progress: Rc<Progress>,
    copies: Vec<Copy>,
    done: bool,
}

impl Upload {
    /// The body that follows a head with this framing, which was read at `begun`. At most so many bytes are kept for another try.
    pub(super) fn new(framing: Framing, source: &mut Source, most: usize, begun: Instant) -> Self {
        if let Source::Http1(source) = source {
            source.begin(framing, true);
        }
        let mut upload = Self {
            framing,
            received: Rc::default(),
            kept: Vec::new(),
            most,
            complete_so_far: true,
            trailers: None,
            bytes: 0,
            grpc_messages: None,
            progress: Rc::new(Progress { moved: Cell::new(begun), answering: Cell::new(false) }),
            copies: Vec::new(),
            done: false,
        };
        upload.note_end(source, begun);
        upload
    }

    /// The whole body has been received.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Another try can send the same bytes.
    pub(super) fn can_be_replayed(&self) -> bool {
        self.complete_so_far
    }

    /// At most so many bytes are kept from here on.
    pub(super) fn keep(&mut self, most: usize) {
        self.most = most;
    }

    /// Sends what comes to somebody else as well.
    pub(super) fn copy_to(&mut self, mut copy: Copy) {
        copy.data(&self.kept);
        if self.done {
            copy.end(self.trailers.as_deref());
        }
        self.copies.push(copy);
    }

    /// What follows is bytes of a tunnel.
    pub(super) fn tunnel(&mut self, source: &mut Source) {
        self.done = false;
        self.most = 0;
        if let Source::Http1(source) = source {
            source.begin(Framing::UntilClose, false);
        }
    }

    /// Writes what has been received so far, and the end if that is all.
    pub(super) fn replay(&self, sink: &mut Sink) {
        if !self.kept.is_empty() {
            sink.data(&self.kept);
        }
        if self.done && self.framing != Framing::Empty {
            sink.end(self.trailers.as_deref());
        }
    }

    /// Takes what the client has sent and writes it to the sink.
    pub(super) fn take(&mut self, source: &mut Source, sink: &mut Sink) -> Result<(), Broken> {
        let Self { kept, most, complete_so_far, bytes, grpc_messages, copies, .. } = self;
        let before = *bytes;
        source.take(|payload| {
            *bytes += payload.len() as u64;
            if let Some(grpc_messages) = grpc_messages {
                grpc_messages.push(payload);
            }
            *complete_so_far = *complete_so_far && kept.len() + payload.len() <= *most;
            if *complete_so_far {
                kept.extend_from_slice(payload);
            } else {
                *kept = Vec::new();
            }
            copies.iter_mut().for_each(|copy| copy.data(payload));
            sink.data(payload);
        })?;
        if self.bytes > before {
            self.progress.moved.set(now());
        }
        if !self.done && source.is_done() {
            self.note_end(source, now());
            sink.end(self.trailers.as_deref());
        }
        Ok(())
    }

    /// More from the client to the sink, waiting if nothing is there. May be dropped and begun again.
    pub(super) async fn more(&mut self, source: &mut Source, sink: &mut Sink) -> Result<(), Broken> {
        let before = self.bytes;
        self.take(source, sink)?;
        if self.bytes == before && !self.done {
            source.fill().await?;
            self.take(source, sink)?;
        }
        Ok(())
    }

    fn note_end(&mut self, source: &mut Source, now: Instant) {
        if source.is_done() {
            self.done = true;
            self.trailers = source.trailers();
            self.copies.iter_mut().for_each(|copy| copy.end(self.trailers.as_deref()));
            self.received.at.set(self.received.at.get().or(Some(now)));
            self.received.notify.notify_waiters();
        }
    }
}
