//! Frames on their way out: collected on the pacing thread, written by another, so that a full pipe delays no request.

use super::wire::Frame;
use std::cell::RefCell;
use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// Bytes collected before they are handed over, whatever the time.
const HAND_OVER: usize = 64 * 1024;

/// The thread that writes, with what became of it.
pub(super) type Writer = JoinHandle<std::io::Result<()>>;

/// Collects frames; hands them to the writer now and then.
#[derive(Debug)]
pub(super) struct Output {
    buffer: RefCell<Vec<u8>>,
    writer: Sender<Vec<u8>>,
}

impl Output {
    /// Starts the writer. It ends when the output is dropped.
    pub(super) fn start(mut to: impl Write + Send + 'static) -> (Self, Writer) {
        let (writer, buffers) = channel::<Vec<u8>>();
        let thread = std::thread::spawn(move || {
            for buffer in buffers {
                to.write_all(&buffer)?;
                to.flush()?;
            }
            Ok(())
        });
        (Self { buffer: RefCell::default(), writer }, thread)
    }

    /// Hands over bytes that are no frame.
    pub(super) fn line(&self, line: Vec<u8>) {
        let _ = self.writer.send(line);
    }

    /// Takes one frame in.
    pub(super) fn frame(&self, frame: &Frame) {
        let mut buffer = self.buffer.borrow_mut();
        frame.encode(&mut buffer);
        if buffer.len() >= HAND_OVER {
            self.send(&mut buffer);
        }
    }

    /// Hands over what there is.
    pub(super) fn flush(&self) {
        let mut buffer = self.buffer.borrow_mut();
        if !buffer.is_empty() {
            self.send(&mut buffer);
        }
    }

    fn send(&self, buffer: &mut Vec<u8>) {
        let full = std::mem::replace(buffer, Vec::with_capacity(HAND_OVER + 1024));
        // A writer that has failed says so when it is joined.
        let _ = self.writer.send(full);
    }
}
