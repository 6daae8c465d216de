//! The body of a request on its way up: passed on as it comes, and kept for as long as another try may need it.

use super::client::{Client, Gone};
use crate::clock::now;
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, Framing, Refusal, write};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Most bytes that are kept for another try: Envoy's connection buffer.
const KEPT: usize = 1024 * 1024;

/// Says when the whole request has been received, which is when the route's time begins.
#[derive(Debug, Default)]
pub(super) struct Received {
    at: Cell<Option<Instant>>,
    notify: Notify,
}

impl Received {
    /// Returns once the whole request has been received.
    pub(super) async fn wait(&self) {
        if self.at.get().is_none() {
            self.notify.notified().await;
        }
    }

    /// What is left of so much time that began then; all of it if it has not begun.
    pub(super) fn left_of(&self, time: Duration) -> Duration {
        self.at.get().map_or(time, |at| time.saturating_sub(now().duration_since(at)))
    }
}

/// The body of one request.
#[derive(Debug)]
pub(super) struct Upload {
    reader: BodyReader,
    /// How it is written upstream.
    pub(super) framing: Framing,
    kept: Vec<u8>,
    /// Everything received so far is in `kept`.
    complete_so_far: bool,
    pub(super) received: Rc<Received>,
}

/// Why no more of the body could be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Broken {
    /// The client is gone.
    Gone,
    /// What it sends is no body.
    Refused(Refusal),
}

impl Upload {
    /// The body that follows a head with this framing.
    pub(super) fn new(framing: Framing) -> Self {
        let upload = Self {
            reader: BodyReader::new(framing),
            framing,
            kept: Vec::new(),
            complete_so_far: true,
            received: Rc::default(),
        };
        upload.note_end();
        upload
    }

    /// The whole body has been received.
    pub(super) fn is_done(&self) -> bool {
        self.reader.is_done()
    }

    /// Another try can send the same bytes.
    pub(super) fn can_be_replayed(&self) -> bool {
        self.complete_so_far
    }

    /// Writes what has been received so far, and the end if that is all.
    pub(super) fn replay(&self, out: &mut BytesMut) {
        self.write(&self.kept, out);
        self.write_end(out);
    }

    /// Takes what the client has sent and writes it to `out`. Nothing taken: more must be read first.
    pub(super) fn take(&mut self, buf: &mut BytesMut, out: &mut BytesMut) -> Result<bool, Refusal> {
        let mut taken = false;
        while !self.reader.is_done() && !buf.is_empty() {
            let step = self.reader.step(buf)?;
            let payload = &buf[step.payload.clone()];
            if self.kept.len() + payload.len() <= KEPT {
                self.kept.extend_from_slice(payload);
            } else {
                self.complete_so_far = false;
                self.kept = Vec::new();
            }
            self.write(payload, out);
            buf.advance(step.consumed);
            taken = true;
        }
        if taken {
            self.write_end(out);
            self.note_end();
        }
        Ok(taken)
    }

    /// Reads one more piece from the client into `out`.
    pub(super) async fn more(&mut self, client: &mut Client, out: &mut BytesMut) -> Result<(), Broken> {
        if client.buf.is_empty() {
            client.fill().await.map_err(|Gone| Broken::Gone)?;
        }
        self.take(&mut client.buf, out).map_err(Broken::Refused)?;
        Ok(())
    }

    fn write(&self, payload: &[u8], out: &mut BytesMut) {
        match self.framing {
            Framing::Chunked => write::chunk(out, payload),
            _ => out.extend_from_slice(payload),
        }
    }

    fn write_end(&self, out: &mut BytesMut) {
        if self.reader.is_done() && self.framing == Framing::Chunked {
            write::last_chunk(out);
        }
    }

    fn note_end(&self) {
        if self.reader.is_done() {
            self.received.at.set(self.received.at.get().or_else(|| Some(now())));
            self.received.notify.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_written_as_it_comes_and_again_for_another_try() {
        let mut upload = Upload::new(Framing::Chunked);
        let mut out = BytesMut::new();
        for piece in ["3\r\nab", "c\r\n0\r", "\n\r\n"] {
            upload.take(&mut BytesMut::from(piece), &mut out).unwrap();
        }
        assert!(upload.is_done() && upload.can_be_replayed());
        assert_eq!(&out[..], b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
        let mut again = BytesMut::new();
        upload.replay(&mut again);
        assert_eq!(&again[..], b"3\r\nabc\r\n0\r\n\r\n");
    }

    #[test]
    fn a_body_beyond_the_buffer_is_passed_on_and_not_tried_again() {
        let mut upload = Upload::new(Framing::Length(3 * KEPT as u64));
        let mut sent = 0;
        while !upload.is_done() {
            let (mut piece, mut out) = (BytesMut::from(&vec![b'x'; KEPT / 2 + 1][..]), BytesMut::new());
            upload.take(&mut piece, &mut out).unwrap();
            sent += out.len();
        }
        assert_eq!(sent, 3 * KEPT);
        assert!(!upload.can_be_replayed());
    }
}
