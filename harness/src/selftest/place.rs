//! The folder in which one run lives: with its scenario, and a home, a state and a temporary folder that nobody else uses.

use super::{PATIENCE, look};
use crate::clock::now;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// How often it is looked whether something has happened.
const PAUSE: Duration = Duration::from_millis(5);

/// Name of the scenario, and of its folder in a run.
pub(super) const NAME: &str = "selftest";

/// The folder.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
}

impl Place {
    /// Makes it, with a scenario of these phases and a proxy there.
    pub(super) fn create(root: &Path, name: &str, mode: &str, rate: u32, phases: &[String]) -> io::Result<Self> {
        let folder = root.join(name);
        for inner in ["out", "home", "tmp", "state"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        let phases = phases.iter().map(|phase| format!("  - {phase}")).collect::<Vec<_>>().join("\n");
        let scenario = format!(
            "scenario: {NAME}\ntopology: {{services: [{{name: cart}}]}}\nmesh: {{mode: {mode}}}\nload: {{to: cart, rate: {rate}/s}}\n\
             timeline:\n{phases}\nexpect: {{fault: {{success: '>= 0%'}}}}\n"
        );
        fs::write(folder.join("scenario.yaml"), scenario)?;
        File::create(folder.join("said"))?;
        Ok(Self { folder })
    }

    /// Starts the run.
    pub(super) fn start(&self) -> io::Result<Run> {
        let said = File::options().append(true).open(self.folder.join("said"))?;
        let mut command =
            self.squall(&["run", "scenario.yaml", "--out", "out", "--no-control", "--no-rerun", "--no-report"])?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?;
        // It has not been waited for, so its number is still its own.
        let number = Pid::from_raw(child.id() as i32).ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(number, PidfdFlags::empty())?;
        Ok(Run { child, handle })
    }

    /// `squall recover`: its exit code, and what it says.
    pub(super) fn recover(&self) -> io::Result<(Option<i32>, String)> {
        let output = self.squall(&["recover"])?.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code(), said.trim().to_owned()))
    }

    fn squall(&self, arguments: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).current_dir(&self.folder);
        for name in ["SQUALL_STATE_DIR", "SQUALL_OUT", "CI", "GITHUB_ACTIONS"] {
            command.env_remove(name);
        }
        for (name, folder) in [("XDG_STATE_HOME", "state"), ("HOME", "home"), ("TMPDIR", "tmp")] {
            command.env(name, self.folder.join(folder));
        }
        Ok(command)
    }

    /// Below which the folders of runs are, and by which their processes are known.
    pub(super) fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// What the run has written so far of its scenario.
    pub(super) fn stream(&self) -> String {
        let bytes = fs::read(self.out().join("latest").join(NAME).join("record.jsonl")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The record of the run.
    pub(super) fn record(&self) -> Result<serde_json::Value, String> {
        let file = self.out().join("latest").join(NAME).join("record.json");
        let text = fs::read(&file).map_err(|error| format!("no record: {error}"))?;
        serde_json::from_slice(&text).map_err(|error| format!("the record is damaged: {error}"))
    }

    /// The end of what the run has said.
    pub(super) fn said(&self) -> String {
        let said = fs::read_to_string(self.folder.join("said")).unwrap_or_default();
        said.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" / ")
    }

    /// Lines of runs that have not ended.
    pub(super) fn registered(&self) -> usize {
        let list = fs::read_to_string(self.folder.join("state/squall/runs")).unwrap_or_default();
        list.lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// Everything in it outside the folders of runs.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                // Its list of runs and the folder of a run are what a run may leave.
                let is_runs = folder == self.out() && (is_folder || path.ends_with("latest"));
                if is_folder && !is_runs {
                    folders.push(path.clone());
                }
                let is_list = path.ends_with("state/squall") || path.ends_with("state/squall/runs");
                if !is_runs && !is_list {
                    found.insert(path);
                }
            }
        }
        found
    }

    /// Waits until something is so; false if it does not become so, or `run` has ended before.
    pub(super) fn until(run: &mut Run, mut is_so: impl FnMut() -> bool) -> bool {
        let begin = now();
        while now().since(begin) < PATIENCE {
            if is_so() {
                return true;
            }
            if run.ended().is_some() {
                return is_so();
            }
            thread::sleep(PAUSE);
        }
        false
    }

    /// Processes of the run whose command line holds this.
    pub(super) fn processes(&self, text: &str) -> Vec<look::Marked> {
        look::marked(&self.out()).into_iter().filter(|one| one.command.contains(text)).collect()
    }
}

/// A run; killed if it is dropped before its end.
#[derive(Debug)]
pub(super) struct Run {
    child: Child,
    handle: OwnedFd,
}

impl Run {
    /// Sends a signal to the harness alone.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// How it ended; none while it lives.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it is dead, but does not take notice of it: it stays a zombie.
    pub(super) fn wait_unseen(&self) -> bool {
        look::wait(&self.handle, PATIENCE)
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) -> Option<ExitStatus> {
        self.wait_unseen();
        self.ended()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// An end in words.
pub(super) fn how(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("exit {code}"),
        Some((_, Some(signal))) => format!("signal {signal}"),
        _ => "no end".to_owned(),
    }
}

/// Waits until a handle is readable; false if it does not become so.
pub(super) fn readable(handle: &OwnedFd, patience: Duration) -> bool {
    let begin = now();
    while now().since(begin) < patience {
        let left = patience.saturating_sub(now().since(begin));
        let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
        if matches!(poll(&mut [PollFd::new(handle.as_fd(), PollFlags::POLLIN)], timeout), Ok(ready) if ready > 0) {
            return true;
        }
    }
    false
}
