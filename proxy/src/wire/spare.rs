//! Buffers that nobody uses at the moment: connections that idle hold none.

use bytes::BytesMut;
use std::cell::RefCell;

/// Bytes read at once.
pub(super) const READ: usize = 16 * 1024;

/// Largest buffer that is kept, and how many of them on each thread.
const LARGEST: usize = 64 * 1024;
const MOST: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// A buffer with room for one read.
pub(super) fn take() -> BytesMut {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(READ))
}

/// Gives an empty buffer back.
pub(super) fn give(buf: &mut BytesMut) {
    let mut buf = std::mem::take(buf);
    buf.clear();
    // What was read in front of it is free again if nobody else holds a part.
    if buf.try_reclaim(READ) && buf.capacity() <= LARGEST {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MOST {
                spare.push(buf);
            }
        });
    }
}
