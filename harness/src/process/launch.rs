//! What every child does first: it makes a session of its own, asks to die with its parent, and becomes its program.

use nix::sys::signal::{SigSet, SigmaskHow};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, setsid};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The parent had died before we could ask to die with it.
    #[error("the parent {0} is gone")]
    Orphaned(u32),
    /// The program could not be executed.
    #[error("{program}: {source}")]
    Exec {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Becomes `command`; gives back only an error.
pub fn exec(parent: u32, command: &[OsString]) -> Error {
    match prepare(parent) {
        Ok(()) => {}
        Err(error) => return error,
    }
    let Some((program, arguments)) = command.split_first() else {
        return Error::System(io::ErrorKind::InvalidInput.into());
    };
    let source = Command::new(program).args(arguments).exec();
    Error::Exec { program: program.to_string_lossy().into_owned(), source }
}

fn prepare(parent: u32) -> Result<(), Error> {
    // A session of its own keeps the terminal's Ctrl-C away, and lets the guardian end everything that it starts.
    setsid().map_err(io::Error::from)?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
    // The parent may have died just before: then nobody would tell us.
    if getppid().map(Pid::as_raw_nonzero).map(|pid| pid.get() as u32) != Some(parent) {
        return Err(Error::Orphaned(parent));
    }
    // The harness waits for signals in a thread and has blocked them; its children must not inherit that.
    SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(io::Error::from)?;
    Ok(())
}
