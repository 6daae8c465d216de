//! What the proxy withstands: hostile clients, hostile backends, files and logs that are not what they should be, and want of everything.
//! `docs/hardening.md` says which rule each test holds.

mod backends;
mod features;
mod files;
mod floods;
mod heads;
mod limits;
mod page;
mod scarcity;
mod smuggling;
mod streams;
