//! The access log: one JSON line a request under Istio's keys, written by a thread of its own.

use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Lines that may wait for the disk; beyond them lines are lost, never requests held up.
const WAITING: usize = 16 * 1024;

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// RFC 3339 would cost a conversion a request: seconds since the epoch.
    pub start_time: f64,
    /// As written.
    pub method: String,
    /// As written.
    pub path: String,
    /// The host asked.
    pub authority: String,
    /// Its `x-request-id`.
    pub request_id: Option<String>,
    /// 0: the client went away.
    pub response_code: u16,
    /// Envoy's letters, comma separated; `-` for none.
    pub response_flags: String,
    /// Envoy's detail.
    pub response_code_details: &'static str,
    /// Tries made.
    pub attempts: u32,
    /// Milliseconds from first byte in to last byte out.
    pub duration: f64,
    /// Milliseconds until the upstream's answer began.
    pub upstream_service_time: Option<f64>,
    /// The endpoint of the last try.
    pub upstream_host: Option<String>,
    /// The cluster.
    pub upstream_cluster: Option<String>,
    /// Where the route stands, or its name.
    pub route_name: Option<String>,
}

/// Where entries go.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    entries: SyncSender<Entry>,
}

impl AccessLog {
    /// Begins a log.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        let (entries, receiver) = sync_channel::<Entry>(WAITING);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || -> io::Result<()> {
            while let Ok(entry) = receiver.recv() {
                write(&mut file, &entry)?;
                for entry in receiver.try_iter() {
                    write(&mut file, &entry)?;
                }
                file.flush()?;
            }
            Ok(())
        })?;
        Ok(Self { entries })
    }

    /// Logs one request, unless the disk is too slow.
    pub(crate) fn log(&self, entry: Entry) {
        let _ = self.entries.try_send(entry);
    }
}

fn write(file: &mut impl Write, entry: &Entry) -> io::Result<()> {
    serde_json::to_writer(&mut *file, entry)?;
    file.write_all(b"\n")
}
