//! The relays over real sockets: every attempt is counted where it is offered, every fault does what it says and ends when it should.

mod answers;
mod counting;
mod doors;
mod faults;
mod http2;
mod rhythm;
mod safety;
mod tcp;
