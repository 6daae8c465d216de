//! Where lines go.

use crate::policy::LogSink;
use crate::telemetry::log_file;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A place that lines go to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Stdout,
    Stderr,
    File(PathBuf),
}

/// The same, open. Written by the log's thread alone; the lock is never contended.
#[derive(Debug)]
pub(super) struct Sink {
    target: Target,
    output: Mutex<BufWriter<Output>>,
    moved: AtomicBool,
}

#[derive(Debug)]
enum Output {
    Stdout(io::Stdout),
    Stderr(io::Stderr),
    File(File),
}

impl Target {
    /// Of the policy. `/dev/stdout` is standard output even where that is a socket, which cannot be opened by name.
    pub(super) fn of(sink: &LogSink) -> Self {
        match sink {
            LogSink::Stdout => Self::Stdout,
            LogSink::Stderr => Self::Stderr,
            LogSink::File(path) if path == Path::new("/dev/stdout") => Self::Stdout,
            LogSink::File(path) if path == Path::new("/dev/stderr") => Self::Stderr,
            LogSink::File(path) => Self::File(path.clone()),
        }
    }

    fn open(&self) -> io::Result<Output> {
        Ok(match self {
            Self::Stdout => Output::Stdout(io::stdout()),
            Self::Stderr => Output::Stderr(io::stderr()),
            Self::File(path) => Output::File(log_file::open(path, false)?),
        })
    }
}

impl Sink {
    /// Opens it; a file is written behind what it has.
    pub(super) fn open(target: Target) -> io::Result<Self> {
        let output = Mutex::new(BufWriter::new(target.open()?));
        Ok(Self { target, output, moved: AtomicBool::new(false) })
    }

    /// It is to be opened again before the next line.
    pub(super) fn mark(&self) {
        self.moved.store(true, Ordering::Release);
    }

    /// Writes a line.
    pub(super) fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if self.moved.swap(false, Ordering::AcqRel) {
            let flushed = output.flush();
            // If it cannot be opened the old one serves on, rather than nothing.
            match self.target.open() {
                Ok(new) => *output = BufWriter::new(new),
                Err(error) => {
                    output.write_all(line)?;
                    return Err(error);
                }
            }
            flushed?;
        }
        output.write_all(line)
    }

    /// Hands everything to the system.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Stderr(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Stderr(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
