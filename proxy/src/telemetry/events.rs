//! The proxy's own word on its endpoints: one JSON line for each that is taken out or put back.

use super::log_file;
use super::outlet::Outlet;
use crate::clock;
use crate::policy::Address;
use serde::Serialize;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What happened to an endpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event<'a> {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub monotonic_ns: u64,
    /// The cluster.
    pub cluster: &'a str,
    /// The endpoint.
    pub upstream: String,
    /// `eject` or `uneject`.
    pub action: &'static str,
    /// Why.
    #[serde(rename = "type")]
    pub reason: &'static str,
}

/// Where events go.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    outlet: Option<Outlet>,
}

impl EventLog {
    /// Begins a log, or none.
    pub(crate) fn create(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|path| log_file::open(path, true)).transpose()?;
        Ok(Self { outlet: file.map(|file| Outlet::start("event-log", file)).transpose()? })
    }

    /// Logs one event, with the time as it is now.
    pub(crate) fn log(&self, cluster: &str, upstream: &Address, action: &'static str, reason: &'static str) {
        let Some(outlet) = &self.outlet else { return };
        let event =
            Event { monotonic_ns: clock::monotonic_nanos(), cluster, upstream: upstream.to_string(), action, reason };
        if let Ok(mut line) = serde_json::to_vec(&event) {
            line.push(b'\n');
            outlet.line(line);
        }
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        // What happened last is to be on the disk, unless that takes for ever.
        if let Some(outlet) = &self.outlet {
            let _ = outlet.flush(Duration::from_secs(1));
        }
    }
}
