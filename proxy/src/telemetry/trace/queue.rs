//! Spans on their way from the workers to whoever sends them.

use super::Span;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Spans that may wait; further ones are lost.
const ROOM: usize = 8 * 1024;

/// Spans that wait. A request never waits for room.
#[derive(Debug, Clone)]
pub(crate) struct SpanQueue {
    sender: SyncSender<Span>,
    receiver: Arc<Mutex<Receiver<Span>>>,
    lost: Arc<AtomicU64>,
}

impl Default for SpanQueue {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl SpanQueue {
    fn with_room(room: usize) -> Self {
        let (sender, receiver) = sync_channel(room);
        Self { sender, receiver: Arc::new(Mutex::new(receiver)), lost: Arc::default() }
    }

    /// Hands a span over.
    pub(crate) fn push(&self, span: Span) {
        if self.sender.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes up to so many; for the control thread, and whoever comes after it.
    pub(crate) fn take(&self, most: usize) -> Vec<Span> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).try_iter().take(most).collect()
    }

    /// Spans that there was no room for.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, SpanContext};
    use super::*;

    #[test]
    fn spans_come_out_in_order_and_those_without_room_are_counted() {
        let queue = SpanQueue::with_room(3);
        let span = |number| Span {
            context: SpanContext { trace: 1, span: number, parent: None, sampled: None, state: String::new() },
            name: String::new(),
            kind: Kind::Server,
            start: 0,
            end: 0,
            attributes: Vec::new(),
            failed: false,
        };
        (1..=5).for_each(|number| queue.push(span(number)));
        let numbers = |spans: Vec<Span>| spans.into_iter().map(|span| span.context.span).collect::<Vec<_>>();
        assert_eq!((numbers(queue.take(2)), numbers(queue.take(9)), queue.lost()), (vec![1, 2], vec![3], 2));
    }
}
