//! A handle on a child.

use super::proc;
use crate::clock::now;
use crate::descriptor;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getrlimit, kill_process_group, pidfd_open,
    pidfd_send_signal, prlimit, waitid,
};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a process may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// More bytes than any first line has.
const LONGEST_LINE: usize = 64 * 1024;

/// Bytes of a log that stand in an error.
const TAIL: usize = 2_000;

/// How a process ended, in words.
pub type Exit = String;

/// A child that was started.
#[derive(Debug)]
pub struct Process {
    /// For messages.
    pub name: String,
    /// Its number; never used to signal it.
    pub pid: u32,
    /// With its number, its name for good.
    pub start_time: u64,
    handle: OwnedFd,
    /// Its group has been seen empty.
    is_over: AtomicBool,
    /// Its log.
    pub log: PathBuf,
    /// Its standard input, if that is a pipe of ours.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, if that is a pipe of ours.
    pub stdout: Option<ChildStdout>,
}

impl Process {
    pub(super) fn new(name: String, log: PathBuf, mut child: Child) -> io::Result<Self> {
        let pid = child.id();
        // It is our child and has not been waited for, so its number is still its own.
        let number = Pid::from_raw(pid as i32).ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(number, PidfdFlags::NONBLOCK)?;
        let start_time = proc::start_time(pid).unwrap_or(0);
        Ok(Self {
            name,
            pid,
            start_time,
            handle,
            is_over: AtomicBool::new(false),
            log,
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
        })
    }

    /// Sends a signal; to a process that is gone it means nothing.
    pub fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// Ends it and everything that it has started, now.
    pub fn kill(&self) {
        self.signal_group(Signal::KILL);
        self.signal(Signal::KILL);
    }

    /// Tells it to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal to it and to everything that it has started.
    pub fn signal_group(&self, signal: Signal) {
        // It leads its session and group. Their number stays taken for as long as one of them lives; once all are gone and somebody else has
        // the number, that one started at another time.
        let is_taken = proc::start_time(self.pid).is_some_and(|start| start != self.start_time);
        if is_taken || self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let Some(group) = Pid::from_raw(self.pid as i32) else { return };
        if kill_process_group(group, signal).is_err() {
            // Nobody is left in it; from now on its number may be another's.
            self.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// Stops it and everything that it has started; returns once the kernel says so.
    pub async fn pause(&self) {
        self.signal_group(Signal::STOP);
        while !matches!(proc::state(self.pid), Some('T' | 't' | 'Z') | None) {
            tokio::task::yield_now().await;
        }
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal_group(Signal::CONT);
    }

    /// Limits what it can have of something, and gives the limit that it had. Its hard limit stays, so that it can be given more again.
    pub fn limit(&self, resource: Resource, most: Option<u64>) -> io::Result<Option<u64>> {
        // It has not been waited for, so its number is still its own.
        let number = Pid::from_raw(self.pid as i32).filter(|_| self.how_it_ended().is_none());
        let number = number.ok_or(io::ErrorKind::NotFound)?;
        let maximum = getrlimit(resource).maximum;
        let current = match (most, maximum) {
            (Some(most), Some(maximum)) => Some(most.min(maximum)),
            (most, maximum) => most.or(maximum),
        };
        let before = prlimit(Some(number), resource, Rlimit { current, maximum })?;
        Ok(before.current)
    }

    /// How it ended; none while it lives. It is waited for here, so that it leaves no zombie.
    pub fn how_it_ended(&self) -> Option<Exit> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.handle.as_fd()), options) {
            Ok(None) => None,
            Ok(Some(status)) => Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (_, Some(signal)) => format!("signal {signal}"),
                _ => "an unknown end".to_owned(),
            }),
            // Waited for before.
            Err(_) => Some("an earlier end".to_owned()),
        }
    }

    /// Returns once it has ended.
    pub async fn ended(&self) -> Exit {
        let Ok(handle) = self.handle.try_clone().and_then(descriptor::register) else {
            return "a handle that cannot be watched".to_owned();
        };
        loop {
            if let Some(exit) = self.how_it_ended() {
                return exit;
            }
            if handle.readable().await.is_err() {
                return "a handle that cannot be watched".to_owned();
            }
        }
    }

    /// Returns once it has ended; does not hold on to the process itself.
    pub fn watcher(&self) -> impl Future<Output = ()> + 'static {
        let handle = self.handle.try_clone();
        async move {
            if let Ok(handle) = handle.and_then(descriptor::register) {
                let _ = handle.readable().await;
            }
        }
    }

    /// Asks it to end, and ends it after `grace`.
    pub async fn stop(&self, grace: Duration) -> Exit {
        self.signal(Signal::TERM);
        if let Ok(exit) = tokio::time::timeout(grace, self.ended()).await {
            return exit;
        }
        self.kill();
        self.ended().await
    }

    /// Reads the first line of its standard output, which says that it is ready. Its death before that is an error with the end of its log.
    pub fn ready<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, NotReady> {
        let not_ready = |this: &Self, why: String| NotReady { name: this.name.clone(), why, log: this.tail() };
        let Some(mut stdout) = self.stdout.take() else {
            return Err(not_ready(self, "its output is not read".to_owned()));
        };
        let line = first_line(&mut stdout);
        self.stdout = Some(stdout);
        match line {
            Ok(None) => {
                let how = self.how_it_ended().unwrap_or_else(|| "a closed output".to_owned());
                Err(not_ready(self, how))
            }
            Ok(Some(line)) => {
                let said = || format!("it said {:?}", String::from_utf8_lossy(&line));
                serde_json::from_slice(&line).map_err(|error| not_ready(self, format!("{}: {error}", said())))
            }
            Err(error) => Err(not_ready(self, error.to_string())),
        }
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL)..]).into_owned();
        text.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Waited for, so that it leaves no zombie if it is quick.
        let _ = self.how_it_ended();
    }
}

/// A process did not become ready.
#[derive(Debug, thiserror::Error)]
#[error("{name} did not start: {why}{}", if log.is_empty() { String::new() } else { format!("; its log ends with:\n{log}") })]
pub struct NotReady {
    name: String,
    why: String,
    log: String,
}

/// The first line of an output; None if it ends before. What follows the line belongs to somebody else and is not read.
fn first_line(output: &mut ChildStdout) -> io::Result<Option<Vec<u8>>> {
    let (begin, mut line) = (now(), Vec::new());
    while line.last() != Some(&b'\n') {
        let left = PATIENCE.saturating_sub(now().since(begin));
        let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
        let woken = poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], timeout);
        match woken {
            Ok(0) => return Err(io::Error::other(format!("it has not said so for {} s", PATIENCE.as_secs()))),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut byte = [0];
        if output.read(&mut byte)? == 0 {
            return Ok(None);
        }
        line.push(byte[0]);
        if line.len() > LONGEST_LINE {
            return Err(io::Error::other("its first line has no end"));
        }
    }
    Ok(Some(line))
}
