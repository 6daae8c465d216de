//! The proxy's own word on its endpoints: one JSON line for each that is taken out or put back.

use crate::clock;
use crate::policy::Address;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

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

/// Where events go. Written by the control thread alone; the lock is never contended.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    file: Option<Mutex<File>>,
}

impl EventLog {
    /// Begins a log, or none.
    pub(crate) fn create(path: Option<&Path>) -> io::Result<Self> {
        Ok(Self { file: path.map(File::create).transpose()?.map(Mutex::new) })
    }

    /// Writes one event, now.
    pub(crate) fn log(&self, cluster: &str, upstream: &Address, action: &'static str, reason: &'static str) {
        let Some(file) = &self.file else { return };
        let event =
            Event { monotonic_ns: clock::monotonic_nanos(), cluster, upstream: upstream.to_string(), action, reason };
        if let Ok(mut line) = serde_json::to_vec(&event) {
            line.push(b'\n');
            // A log that cannot be written must not end the proxy.
            let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
        }
    }
}
