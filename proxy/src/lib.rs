//! Squall's data plane, and the policy model that it obeys.
//!
//! From top to bottom; a module imports only from those below its own line:
//!
//! - [`app`] starts and stops the whole proxy; [`explain`] and [`translate`] say what it would do, without starting it.
//! - [`serve`] is the request path, [`admin`] what people and scripts ask it.
//! - [`cluster`] knows endpoints, their health, and how one is picked and reached.
//! - [`filter`] holds one behaviour of a policy a file.
//! - [`wire`] is a message on its way, in either version of HTTP.
//! - [`net`] is the only place that opens a socket.
//! - [`balance`] and [`health`] decide, without tasks or sockets; [`telemetry`] counts and tells.
//! - [`config`] is where foreign formats end.
//! - [`policy`]: plain data, resolved; what a request is decided by.

mod admin;
pub mod app;
mod balance;
mod clock;
mod cluster;
pub mod config;
pub mod explain;
mod filter;
mod health;
mod net;
pub mod policy;
mod serve;
mod telemetry;
pub mod translate;
mod wire;
