//! The relays over real sockets: every attempt is counted where it is offered, every fault does what it says and ends when it should.

mod counting;
mod doors;
mod faults;
mod safety;
mod tcp;
