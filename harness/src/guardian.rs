//! `squall guardian`: a process of its own that undoes everything when its run dies, however that happens.
//!
//! It holds the other end of a pipe. The run says `done` when it has undone everything itself; a pipe that closes without that word means
//! that the run is dead.

use crate::clock::now;
use crate::process::{Launch, Process, SpawnError, Spawner};
use crate::recover;
use nix::sys::signal::{SigSet, Signal};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// The word that ends a guardian's watch.
const DONE: &[u8] = b"done\n";

/// How long the end of a guardian is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The run's end of the pipe.
#[derive(Debug)]
pub struct Handle {
    process: Process,
}

/// Starts the guardian of a run.
pub fn start(spawner: &Spawner, folder: &Path, run: &str) -> Result<Handle, SpawnError> {
    let process = spawner.spawn(&Launch {
        name: "guardian".to_owned(),
        program: None,
        arguments: vec!["guardian".to_owned(), "--run".to_owned(), folder.display().to_string()],
        folder: folder.to_owned(),
        environment: state_variables(),
        log: folder.join("guardian.log"),
        piped: true,
        survives: true,
        run: run.to_owned(),
    })?;
    Ok(Handle { process })
}

/// The guardian must find the same state folder as its run.
fn state_variables() -> Vec<(String, String)> {
    let of = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
    ["SQUALL_STATE_DIR", "XDG_STATE_HOME"].into_iter().filter_map(of).collect()
}

/// How a guardian has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It was told that all is undone.
    Done,
    /// It had ended before: somebody has killed it.
    Early(String),
}

impl Handle {
    /// Says that all is undone, and waits for the guardian's end; one that does not end is an error that says how to end it.
    pub fn finish(mut self) -> Result<End, String> {
        let told = self.process.stdin.take().map(|mut pipe| pipe.write_all(DONE));
        let begin = now();
        loop {
            match self.process.how_it_ended() {
                Some(_) if matches!(told, Some(Ok(()))) => return Ok(End::Done),
                Some(how) => return Ok(End::Early(how)),
                None if now().since(begin) > PATIENCE => {
                    let pid = self.process.pid;
                    return Err(format!("the guardian (process {pid}) does not end: kill -9 {pid}"));
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

/// The program: waits for the end of the run, and undoes what is left.
pub fn run(folder: &Path) -> io::Result<()> {
    // The terminal's Ctrl-C is for the harness, and nobody else's signal ends the watch either.
    let _ = rustix::process::setsid();
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect::<SigSet>().thread_block()?;
    let mut said = Vec::new();
    // A pipe that breaks has closed.
    let _ = io::stdin().read_to_end(&mut said);
    if said == DONE {
        return Ok(());
    }
    let mut log = File::options().create(true).append(true).open(folder.join("guardian.log"))?;
    let done = recover::finish(folder);
    writeln!(log, "{done}")?;
    // What is left, or could not be read, stays in the list, so that the next run or `squall recover` finds it.
    if done.is_clean() { recover::strike_off(folder).map_err(io::Error::other) } else { Ok(()) }
}
