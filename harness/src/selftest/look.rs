//! What is left of a run: processes that carry its mark, ports on which they listened, lines in the list of runs, files outside its folder.

use super::PATIENCE;
use super::place::{Place, readable};
use crate::clock::{Nanos, now};
use crate::process::{RUN_VARIABLE, proc};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Between two looks that must both find nothing: a process that was being made has its mark by then.
const PAUSE: Duration = Duration::from_millis(20);

/// A process that carries the mark of a run.
#[derive(Debug)]
pub(super) struct Marked {
    pid: u32,
    /// Its command line.
    pub(super) command: String,
    handle: OwnedFd,
}

impl Marked {
    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// Waits until it is gone; false if it stays.
    pub(super) fn gone(&self, patience: Duration) -> bool {
        readable(&self.handle, patience)
    }
}

/// Waits until the process of a handle is gone.
pub(super) fn wait(handle: &OwnedFd, patience: Duration) -> bool {
    readable(handle, patience)
}

/// Processes of all runs below a folder.
pub(super) fn marked(below: &Path) -> Vec<Marked> {
    let mut wanted = below.as_os_str().as_bytes().to_vec();
    wanted.push(b'/');
    let is_marked = |pid: u32| proc::variable(pid, RUN_VARIABLE).is_some_and(|run| run.starts_with(&wanted));
    let known = |pid: u32| {
        let handle = pidfd_open(Pid::from_raw(pid as i32)?, PidfdFlags::empty()).ok()?;
        // The handle is of whoever has the number now: the mark is looked at again.
        is_marked(pid).then(|| Marked { pid, command: proc::command(pid), handle })
    };
    proc::all().filter(|pid| is_marked(*pid)).filter_map(known).collect()
}

/// Waits until no process of a run is left; gives when the last one was gone, or those that stay.
pub(super) fn last_gone(below: &Path, from: Nanos) -> Result<Nanos, Vec<Marked>> {
    let (begin, mut last, mut empty) = (now(), from, 0);
    while empty < 2 {
        let living = marked(below);
        if living.is_empty() {
            empty += 1;
            thread::sleep(PAUSE);
            continue;
        }
        empty = 0;
        for one in &living {
            if !one.gone(PATIENCE.saturating_sub(now().since(begin))) {
                return Err(living);
            }
            last = now();
        }
    }
    Ok(last)
}

/// The sockets on which these processes listen.
pub(super) fn listening(processes: &[Marked]) -> BTreeSet<u64> {
    let open =
        processes.iter().flat_map(|one| fs::read_dir(format!("/proc/{}/fd", one.pid)).into_iter().flatten().flatten());
    let sockets: BTreeSet<u64> = open.filter_map(|entry| socket(&fs::read_link(entry.path()).ok()?)).collect();
    sockets.intersection(&listeners()).copied().collect()
}

fn socket(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Every TCP socket of this machine that listens.
fn listeners() -> BTreeSet<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines());
    // The state is the fourth field, 0A is listening; the inode is the tenth.
    let fields = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    fields.filter(|row| row.get(3) == Some(&"0A")).filter_map(|row| row.get(9)?.parse().ok()).collect()
}

/// What was there before a run.
#[derive(Debug)]
pub(super) struct Before {
    files: BTreeSet<PathBuf>,
}

impl Before {
    pub(super) fn of(place: &Place) -> Self {
        Self { files: place.files() }
    }

    /// What there is beyond that, as sentences, once the processes are gone.
    pub(super) fn residue(&self, place: &Place, ports: &BTreeSet<u64>) -> Vec<String> {
        let mut found: Vec<String> =
            marked(&place.out()).iter().map(|one| format!("process {} is left: {}", one.pid, one.command)).collect();
        let listening = ports.intersection(&listeners()).count();
        found.extend((listening > 0).then(|| format!("{listening} ports are listened on")));
        let lines = place.registered();
        found.extend((lines > 0).then(|| format!("the list of runs has still {lines}")));
        let files = place.files();
        found
            .extend(files.symmetric_difference(&self.files).map(|file| format!("{} has come or gone", file.display())));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_ones_own_that_listens_is_seen_and_gone_once_closed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pid = std::process::id();
        let handle = pidfd_open(Pid::from_raw(pid as i32).unwrap(), PidfdFlags::empty()).unwrap();
        let own = [Marked { pid, command: String::new(), handle }];
        let inodes = listening(&own);
        assert!(!inodes.is_empty());
        drop(listener);
        assert!(listening(&own).len() < inodes.len());
    }
}
