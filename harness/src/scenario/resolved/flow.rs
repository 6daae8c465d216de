//! The load.

use super::{Pace, Place};
use crate::load::wire::{Accept, Body, Connections, Journey, Protocol, Table, Tls};
use std::path::PathBuf;
use std::time::Duration;

/// A named stream of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its name; `load` for the only one.
    pub name: String,
    /// Where it stands in the file.
    pub place: Place,
    /// The service asked.
    pub to: String,
    /// Its port.
    pub port: u16,
    /// Whom clients call, if that is not the service: host, and port unless it goes without saying.
    pub host: Option<(String, Option<u16>)>,
    /// How often it asks.
    pub pace: Pace,
    /// What is spoken.
    pub protocol: Protocol,
    /// Under TLS.
    pub tls: Option<Tls>,
    /// Connections.
    pub connections: Connections,
    /// After this a request counts as timed out.
    pub time_out: Duration,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields; those from the environment are resolved at the start and redacted in the record.
    pub headers: Vec<Header>,
    /// The request's body.
    pub body: Body,
    /// Bytes of a request that are sent a second, if its clients are slow.
    pub speed: Option<u64>,
    /// What requests differ by.
    pub data: Option<Table>,
    /// It asks nothing itself: each arrival is a user who takes these steps, each a flow of its own.
    pub journey: Option<Journey>,
    /// A program of the user's own that plays the journey.
    pub players: Option<Players>,
    /// Which answers are acceptable.
    pub accept: Accept,
}

/// A program that plays a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Players {
    /// The program, and what it is told.
    pub run: Vec<String>,
    /// Where it is started.
    pub folder: PathBuf,
}

impl Flow {
    /// `Host` of its requests.
    pub fn authority(&self) -> String {
        match &self.host {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host.clone(),
            None if self.port == 80 => self.to.clone(),
            None => format!("{}:{}", self.to, self.port),
        }
    }
}

/// A field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, or the name of the variable that holds it.
    pub value: HeaderValue,
}

/// Value of a request's field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// As written.
    Literal(String),
    /// From the environment; never recorded.
    FromEnv(String),
}
