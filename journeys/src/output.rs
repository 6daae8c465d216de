//! Standard output, which is squall's: what goose and a journey print goes to standard error, and from there to the run's log.

use serde_json::to_vec;
use squall::load::wire::{Frame, Ready};
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Where frames go.
#[derive(Debug)]
pub(crate) struct Output(Mutex<File>);

impl Output {
    /// Takes standard output away from everybody else.
    pub(crate) fn take() -> io::Result<Self> {
        let own = File::from(rustix::io::dup(rustix::stdio::stdout())?);
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self(Mutex::new(own)))
    }

    pub(crate) fn line(&self, ready: &Ready) -> io::Result<()> {
        let mut line = to_vec(ready)?;
        line.push(b'\n');
        self.write(&line)
    }

    /// Writes a frame. A pipe that nobody reads any more needs none.
    pub(crate) fn frame(&self, frame: &Frame) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        let _ = self.write(&bytes);
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
    }
}
