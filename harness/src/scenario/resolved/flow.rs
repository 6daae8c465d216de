//! The load.

use super::Place;
use crate::units::{Bytes, Rate};
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
    /// Requests a second over the whole timeline, unless `step` says otherwise for a while.
    pub rate: Rate,
    /// Rate from, to (offsets from the first phase after the warm-up), and the rate then.
    pub step: Option<Step>,
    /// Connections.
    pub connections: crate::load::wire::Connections,
    /// After this a request counts as timed out.
    pub time_out: Duration,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields; those from the environment are resolved at the start and redacted in the record.
    pub headers: Vec<Header>,
    /// Size of the request's body.
    pub body: Bytes,
    /// Statuses that are acceptable, as inclusive ranges.
    pub accept: Vec<(u16, u16)>,
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

/// A stretch in which a flow has another rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Offset from the first phase after the warm-up.
    pub at: Duration,
    /// How long.
    pub lasting: Duration,
    /// The rate then.
    pub to: Rate,
}
