//! Waiting for a descriptor: timers and processes become readable like sockets.
//!
//! The runtime's constructor is unsafe, because a type could close its descriptor while it is registered. An [`OwnedFd`] cannot.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the runtime of this thread.
pub fn register(file: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its descriptor open, and the same, until it is dropped; `AsyncFd` owns it and gives out no
    // way to replace it before it is taken from the runtime.
    let registered = unsafe { AsyncFd::register(file) };
    Ok(registered?)
}
