//! Undoing one thing, as often as it is asked for; and whatever carries the mark of a run.

use crate::journal::Undo;
use crate::process::{RUN_VARIABLE, proc};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::time::Duration;

/// How often, and how long apart, it is looked whether a process has ended.
const LOOKS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Undoes everything in its order, whatever becomes of each; what could not be undone comes back as sentences that end with the command which does it.
pub(super) fn all(undo: &[Undo], mut act: impl FnMut(&Undo) -> Vec<String>) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    for one in undo {
        let more: Vec<String> = act(one).into_iter().filter(|sentence| !left.contains(sentence)).collect();
        left.extend(more);
    }
    left
}

/// Undoes one thing, and looks whether it is; what could not be undone comes back as sentences.
pub(super) fn one(undo: &Undo) -> Vec<String> {
    match undo {
        Undo::EndMarked { run } => end_residue(run),
        Undo::Kill { pid, start_time } => end_session(*pid, *start_time).err().into_iter().collect(),
    }
}

/// Asks a process to end, if it is still the one that began then.
pub(super) fn tell_to_end(pid: u32, start_time: u64) -> io::Result<()> {
    let number = Pid::from_raw(pid as i32).ok_or(io::ErrorKind::NotFound)?;
    let handle = pidfd_open(number, PidfdFlags::empty())?;
    // The handle is of whoever has the number now: when it began is looked at again.
    if proc::start_time(pid) == Some(start_time) { Ok(pidfd_send_signal(handle, Signal::TERM)?) } else { Ok(()) }
}

fn end_session(pid: u32, start_time: u64) -> Result<(), String> {
    for _ in 0..LOOKS {
        // A later process of the same number is somebody else's, and so is its session.
        if proc::start_time(pid).is_some_and(|start| start != start_time) {
            return Ok(());
        }
        // Programs that are not ours may have started others: those are in its session.
        let living = proc::of_session(pid).into_iter().filter(|pid| proc::state(*pid) != Some('Z'));
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
pub(super) fn residue(run: &str) -> Vec<String> {
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
            if proc::carries(pid, RUN_VARIABLE, run) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_fails_does_not_keep_the_others_from_being_undone_and_all_are_told() {
        let kill = |pid| Undo::Kill { pid, start_time: 1 };
        let mut seen = Vec::new();
        let left = all(&[kill(3), kill(2), kill(1)], |undo| {
            seen.push(undo.clone());
            if *undo == kill(1) { Vec::new() } else { vec![format!("{undo:?} is left: a command")] }
        });
        assert_eq!(seen, [kill(3), kill(2), kill(1)]);
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn what_is_gone_is_undone_and_a_later_process_of_the_number_is_let_alone() {
        let pid = std::process::id();
        let start_time = proc::start_time(pid).unwrap();
        for undo in [Undo::Kill { pid, start_time: start_time + 1 }, Undo::Kill { pid: u32::MAX / 2, start_time }] {
            assert_eq!(one(&undo), Vec::<String>::new());
            assert_eq!(one(&undo), Vec::<String>::new(), "twice is as once");
        }
    }
}
