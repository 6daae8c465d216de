//! Undoing what an earlier run has left, and looking whether anything is left at all.
//!
//! The only file outside a run's folder is the list of runs in the state folder: a line for each that has not ended, struck off at its end.

use crate::journal::{self, Undo};
use crate::process::{RUN_VARIABLE, proc};
use nix::fcntl::{Flock, FlockArg};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why recovery could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// How often, and how long apart, it is looked whether a process has ended.
const LOOKS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// What was done for one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its folder.
    pub folder: PathBuf,
    /// Things undone.
    pub undone: usize,
    /// What could not be.
    pub left: Vec<String>,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} undone", self.folder.display(), self.undone)?;
        self.left.iter().try_for_each(|left| write!(f, "; left: {left}"))
    }
}

/// Undoes everything that runs whose harness is dead have left. Doing it twice changes nothing.
pub fn run() -> Result<Vec<Recovered>, Error> {
    let mut recovered = Vec::new();
    edit(|lines| {
        lines.retain(|line| match Line::read(line) {
            Some(line) if line.is_alive() => true,
            Some(line) => {
                let done = recover(&line.folder);
                let keep = !done.left.is_empty();
                recovered.push(done);
                keep
            }
            // Nobody can make anything of it.
            None => false,
        });
    })?;
    Ok(recovered)
}

fn recover(folder: &Path) -> Recovered {
    let (undo, mut left) = journal::pending(&folder.join(journal::FILE)).unwrap_or_default();
    for undo in &undo {
        let result = undo_one(undo);
        left.extend(result.err());
    }
    left.extend(end_residue(&folder.display().to_string()));
    left.extend(fold_records(folder).err().map(|error| format!("the records in {}: {error}", folder.display())));
    Recovered { folder: folder.to_owned(), undone: undo.len(), left }
}

/// Makes a record of the lines that each scenario of a run that was cut has left.
pub fn fold_records(folder: &Path) -> io::Result<()> {
    for scenario in fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
        let (lines, record) = (scenario.join("record.jsonl"), scenario.join("record.json"));
        if !lines.is_file() || record.is_file() {
            continue;
        }
        // A scenario that had not begun has nothing to tell.
        if let Ok(folded) = squall_reports::record::fold::fold_file(&lines) {
            fs::write(record, serde_json::to_string(&folded)?)?;
        }
    }
    Ok(())
}

/// Undoes one thing; says what became of it.
pub fn undo(undo: &Undo) -> String {
    undo_one(undo).err().unwrap_or_else(|| "undone".to_owned())
}

fn undo_one(undo: &Undo) -> Result<(), String> {
    let Undo::Kill { pid, start_time } = undo;
    for _ in 0..LOOKS {
        // A later process of the same number is somebody else's, and so is its session.
        if proc::start_time(*pid).is_some_and(|start| start != *start_time) {
            return Ok(());
        }
        // Programs that are not ours may have started others: those are in its session.
        let living = proc::of_session(*pid).into_iter().filter(|pid| proc::state(*pid) != Some('Z'));
        let handles: Vec<_> =
            living.filter_map(|pid| pidfd_open(Pid::from_raw(pid as i32)?, PidfdFlags::empty()).ok()).collect();
        if handles.is_empty() {
            return Ok(());
        }
        for handle in handles {
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
    Err(format!("process {pid} or what it has started does not end: kill -9 -- -{pid}"))
}

/// Processes that carry the mark of a run and still live, as sentences.
pub fn residue(run: &str) -> Vec<String> {
    living(run).into_iter().map(|(pid, command)| format!("process {pid} ({command}) is left: kill -9 {pid}")).collect()
}

/// Ends every process that carries the mark of a run, whoever has started it; what does not end comes back as sentences.
pub fn end_residue(run: &str) -> Vec<String> {
    for _ in 0..LOOKS {
        let living = living(run);
        if living.is_empty() {
            return Vec::new();
        }
        for (pid, _) in living {
            let Some(Ok(handle)) = Pid::from_raw(pid as i32).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
                continue;
            };
            // The handle is of whoever has the number now: the mark is looked at again.
            if proc::with_environment(RUN_VARIABLE, run).iter().any(|(marked, _)| *marked == pid) {
                let _ = pidfd_send_signal(&handle, Signal::KILL);
            }
        }
        std::thread::sleep(PAUSE);
    }
    residue(run)
}

fn living(run: &str) -> Vec<(u32, String)> {
    let marked = proc::with_environment(RUN_VARIABLE, run).into_iter();
    let others = marked.filter(|(pid, command)| *pid != std::process::id() && !command.contains(" guardian --run "));
    others.filter(|(pid, _)| proc::state(*pid) != Some('Z')).collect()
}

/// A run that has not ended.
struct Line {
    pid: u32,
    start_time: u64,
    folder: PathBuf,
}

impl Line {
    fn own(folder: &Path) -> Self {
        let pid = std::process::id();
        Self { pid, start_time: proc::start_time(pid).unwrap_or(0), folder: folder.to_owned() }
    }

    fn read(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let (pid, start_time) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { pid, start_time, folder: fields.next()?.into() })
    }

    fn is_alive(&self) -> bool {
        proc::start_time(self.pid) == Some(self.start_time)
    }
}

/// Enters a run into the list.
pub fn enter(folder: &Path) -> Result<(), Error> {
    let Line { pid, start_time, folder } = Line::own(folder);
    edit(|lines| lines.push(format!("{pid} {start_time} {}", folder.display())))
}

/// Strikes a run off the list.
pub fn strike_off(folder: &Path) -> io::Result<()> {
    let of_this = |line: &String| Line::read(line).is_some_and(|line| line.folder == folder);
    edit(|lines| lines.retain(|line| !of_this(line))).map_err(|error| error.source)
}

/// Changes the list under a lock, so that runs side by side do not lose each other's lines.
fn edit(change: impl FnOnce(&mut Vec<String>)) -> Result<(), Error> {
    let path = state_folder().join("runs");
    let failed = |source: io::Error| Error { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| failed(error.into()))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let before = lines.clone();
    change(&mut lines);
    if lines != before {
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(())
}

/// `SQUALL_STATE_DIR`, else `squall` in `XDG_STATE_HOME`, else in `~/.local/state`.
fn state_folder() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("SQUALL_STATE_DIR")
        .or_else(|| of("XDG_STATE_HOME").map(|folder| folder.join("squall")))
        .or_else(|| of("HOME").map(|folder| folder.join(".local/state/squall")))
        .unwrap_or_else(|| PathBuf::from("/tmp/squall-state"))
}
