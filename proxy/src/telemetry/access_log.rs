//! Access logs: a line a request, written by a thread of its own.
//!
//! The worker makes the line and hands it over. If the thread cannot keep up, lines are lost and counted; a request never waits for a disk.

mod sink;
#[cfg(test)]
mod tests;

use super::StreamInfo;
use super::format::LineTemplate;
use crate::clock::now;
use crate::policy;
use sink::Sink;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines that may wait for the disk.
const WAITING: usize = 16 * 1024;

/// Bytes that most lines fit in.
const USUAL_LINE: usize = 512;

/// All logs of this process. Its thread ends when this and every [`AccessLog`] is gone.
#[derive(Debug)]
pub(crate) struct LogWriter {
    jobs: SyncSender<Job>,
    sinks: Mutex<BTreeMap<sink::Target, Arc<Sink>>>,
    counts: Arc<Counts>,
}

/// One log of the policy.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    template: LineTemplate,
    sink: Arc<Sink>,
    jobs: SyncSender<Job>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    lost: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug)]
enum Job {
    Line(Arc<Sink>, Vec<u8>),
    Reopen(Arc<Sink>),
    /// Everything ahead is to be on the disk, then that is said.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Begins the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (writer, waiting) = Self::idle(WAITING);
        let counts = Arc::clone(&writer.counts);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || run(&waiting, &counts))?;
        Ok(writer)
    }

    fn idle(room: usize) -> (Self, Receiver<Job>) {
        let (jobs, waiting) = sync_channel(room);
        (Self { jobs, sinks: Mutex::default(), counts: Arc::default() }, waiting)
    }

    /// One log of the policy; logs of the same file share it, over reloads too. `hostname` is that of this machine.
    pub(crate) fn log(&self, policy: &policy::AccessLog, hostname: &str) -> io::Result<AccessLog> {
        let target = sink::Target::of(&policy.to);
        let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = match sinks.get(&target) {
            Some(sink) => Arc::clone(sink),
            None => Arc::new(Sink::open(target.clone())?),
        };
        sinks.insert(target, Arc::clone(&sink));
        let template = LineTemplate::new(&policy.format, hostname);
        Ok(AccessLog { template, sink, jobs: self.jobs.clone(), counts: Arc::clone(&self.counts) })
    }

    /// Opens every file again, as is due once they were moved away. Lines that wait already go to the new ones.
    pub(crate) fn reopen(&self) {
        for sink in self.sinks.lock().unwrap_or_else(PoisonError::into_inner).values() {
            sink.mark();
            // With its queue full, the thread comes by the mark soon enough.
            let _ = self.jobs.try_send(Job::Reopen(Arc::clone(sink)));
        }
    }

    /// Closes files that no log is written to any more: to be called when a configuration has gone.
    pub(crate) fn forget_unused(&self) {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, sink| Arc::strong_count(sink) > 1);
    }

    /// Waits until every line so far is written, at most so long. False if it was longer.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = sync_channel(1);
        let deadline = now() + patience;
        // A plain send would wait for ever if the disk does.
        while self.jobs.try_send(Job::Flush(done.clone())).is_err() {
            if now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        wait.recv_timeout(deadline.saturating_duration_since(now())).is_ok()
    }

    /// Lines lost since the thread could not keep up.
    pub(crate) fn lost(&self) -> u64 {
        self.counts.lost.load(Ordering::Relaxed)
    }

    /// Writes and opens that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.counts.failed.load(Ordering::Relaxed)
    }
}

impl AccessLog {
    /// Logs one request.
    pub(crate) fn log(&self, info: &StreamInfo<'_>) {
        let mut line = Vec::with_capacity(USUAL_LINE);
        self.template.line(info, &mut line);
        if self.jobs.try_send(Job::Line(Arc::clone(&self.sink), line)).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn run(jobs: &Receiver<Job>, counts: &Counts) {
    // Sinks with lines that are not yet handed to the system.
    let mut dirty: Vec<Arc<Sink>> = Vec::new();
    let note = |result: io::Result<()>| {
        if result.is_err() {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    };
    while let Ok(first) = jobs.recv() {
        for job in std::iter::once(first).chain(jobs.try_iter()) {
            match job {
                Job::Line(sink, line) => {
                    note(sink.write(&line));
                    if !dirty.iter().any(|one| Arc::ptr_eq(one, &sink)) {
                        dirty.push(sink);
                    }
                }
                Job::Reopen(sink) => note(sink.write(&[])),
                Job::Flush(done) => {
                    dirty.drain(..).for_each(|sink| note(sink.flush()));
                    let _ = done.try_send(());
                }
            }
        }
        dirty.drain(..).for_each(|sink| note(sink.flush()));
    }
}
