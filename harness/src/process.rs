//! Child processes: all forked by the main thread, all dead when it is, each signalled by handle and never by number.

mod handle;
pub mod launch;
pub mod proc;
mod program;

pub use handle::{Exit, NotReady, Process};
pub use program::program_at;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Variables that children inherit; everything else, secrets above all, stays here.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "RUST_BACKTRACE"];

/// Marks every process of a run, and whatever those start.
pub const RUN_VARIABLE: &str = "SQUALL_RUN";

/// What to start.
#[derive(Debug)]
pub struct Launch {
    /// For messages.
    pub name: String,
    /// The program and its arguments; none: this binary.
    pub program: Option<PathBuf>,
    /// Arguments.
    pub arguments: Vec<String>,
    /// Folder to run in.
    pub folder: PathBuf,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Where its standard error goes, and its standard output unless that is read.
    pub log: PathBuf,
    /// Its standard input and output are pipes of ours.
    pub piped: bool,
    /// It outlives us: only the guardian does.
    pub survives: bool,
    /// Mark of the run.
    pub run: String,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{name} could not be started: {source}")]
pub struct SpawnError {
    /// Which process.
    pub name: String,
    /// What the system said.
    pub source: io::Error,
}

/// Starts processes from any thread; the main thread does the forking.
#[derive(Debug, Clone)]
pub struct Spawner {
    requests: Sender<(Command, Sender<io::Result<Child>>)>,
}

/// Runs `body` on a thread of its own while this thread, which must be the main one, forks children for it.
///
/// The signal that a parent's death sends is tied to the thread that forked, so that thread must live as long as the program.
pub fn host<T: Send>(body: impl FnOnce(Spawner) -> T + Send) -> T {
    let (requests, receiver) = channel::<(Command, Sender<io::Result<Child>>)>();
    thread::scope(|scope| {
        let body = scope.spawn(|| body(Spawner { requests }));
        for (mut command, reply) in receiver {
            // Whoever asked and is gone leaves an orphan; it is marked, and the end of the run finds it.
            let _ = reply.send(command.spawn());
        }
        match body.join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl Spawner {
    /// Starts a process and waits until it is forked.
    pub fn spawn(&self, launch: &Launch) -> Result<Process, SpawnError> {
        let failed = |source| SpawnError { name: launch.name.clone(), source };
        let command = command(launch).map_err(failed)?;
        let (reply, answer) = channel();
        let gone = || failed(io::Error::other("the program is ending"));
        self.requests.send((command, reply)).map_err(|_| gone())?;
        let child = answer.recv().map_err(|_| gone())?.map_err(failed)?;
        Process::new(launch.name.clone(), launch.log.clone(), child).map_err(failed)
    }
}

fn command(launch: &Launch) -> io::Result<Command> {
    let own = std::env::current_exe()?;
    let mut command = Command::new(&own);
    if !launch.survives {
        command.args(["launch", "--parent", &std::process::id().to_string(), "--"]);
        command.arg(launch.program.as_deref().unwrap_or(&own));
    }
    command.args(&launch.arguments).current_dir(&launch.folder).env_clear();
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(launch.environment.iter().cloned()).env(RUN_VARIABLE, &launch.run);
    let log = log(&launch.log)?;
    if launch.piped {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
    } else {
        command.stdin(Stdio::null()).stdout(log.try_clone()?);
    }
    command.stderr(log);
    Ok(command)
}

fn log(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}
