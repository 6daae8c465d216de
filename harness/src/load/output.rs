//! Frames on their way out: collected on the pacing thread, written by another, so that neither a full pipe nor adding up delays a
//! request.

use super::sums::Adding;
use super::wire::{FlowPlan, Frame, Plan, Sample, Tells};
use std::cell::RefCell;
use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes collected before they are handed over, whatever the time.
const HAND_OVER: usize = 64 * 1024;

/// The thread that writes, with what became of it.
pub(super) type Writer = JoinHandle<std::io::Result<()>>;

/// What the writer is handed.
enum Piece {
    Bytes(Vec<u8>),
    Sums(Adding),
}

/// Collects what is to be told; hands it to the writer now and then.
#[derive(Debug)]
pub(super) struct Output {
    buffer: RefCell<Vec<u8>>,
    /// Requests to be added up, if they are, and where stretches part.
    adding: Option<(RefCell<Adding>, Vec<u64>)>,
    time_outs: Vec<Duration>,
    writer: Sender<Piece>,
}

impl Output {
    /// Starts the writer. It ends when the output is dropped.
    pub(super) fn start(plan: &Plan, mut to: impl Write + Send + 'static) -> (Self, Writer) {
        let (writer, pieces) = channel();
        let thread = std::thread::spawn(move || {
            for piece in pieces {
                match piece {
                    Piece::Bytes(bytes) => to.write_all(&bytes)?,
                    Piece::Sums(adding) => {
                        let mut bytes = Vec::new();
                        adding.told().for_each(|sums| Frame::Sums(Box::new(sums)).encode(&mut bytes));
                        to.write_all(&bytes)?;
                    }
                }
                to.flush()?;
            }
            Ok(())
        });
        let adding = match &plan.tells {
            Tells::Samples => None,
            Tells::Sums(edges) => Some((RefCell::default(), edges.clone())),
        };
        let time_out = |flow: &FlowPlan| flow.time_out;
        let time_outs = plan.flows.iter().map(time_out).collect();
        (Self { buffer: RefCell::default(), adding, time_outs, writer }, thread)
    }

    /// Hands over bytes that are no frame.
    pub(super) fn line(&self, line: Vec<u8>) {
        self.send(Piece::Bytes(line));
    }

    /// Takes a request in.
    pub(super) fn sample(&self, sample: &Sample) {
        match &self.adding {
            Some((adding, edges)) => {
                adding.borrow_mut().add(sample, self.time_outs[usize::from(sample.flow)], edges);
            }
            None => self.frame(&Frame::Sample(*sample)),
        }
    }

    /// Takes one frame in.
    pub(super) fn frame(&self, frame: &Frame) {
        let mut buffer = self.buffer.borrow_mut();
        frame.encode(&mut buffer);
        if buffer.len() >= HAND_OVER {
            self.send(Piece::Bytes(std::mem::replace(&mut buffer, Vec::with_capacity(HAND_OVER + 1024))));
        }
    }

    /// Hands over what has been added up.
    pub(super) fn sums(&self) {
        if let Some((adding, _)) = &self.adding {
            self.send(Piece::Sums(adding.take()));
        }
    }

    /// Hands over what there is of frames.
    pub(super) fn flush(&self) {
        let mut buffer = self.buffer.borrow_mut();
        if !buffer.is_empty() {
            self.send(Piece::Bytes(std::mem::replace(&mut buffer, Vec::with_capacity(HAND_OVER + 1024))));
        }
    }

    fn send(&self, piece: Piece) {
        // A writer that has failed says so when it is joined.
        let _ = self.writer.send(piece);
    }
}
