//! A process beside others: held to a core, and killed when it is dropped.

use squall::process::proc;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A process on a core of its own.
pub(crate) struct Pinned(Child);

impl Pinned {
    /// Starts a command on this core.
    pub(crate) fn start(core: usize, program: &str, arguments: &[&str]) -> io::Result<Self> {
        let core = core.to_string();
        let mut command = Command::new("taskset");
        command.args(["-c", &core, program]).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.stderr(Stdio::null()).spawn()?))
    }

    /// Nanoseconds of processor time so far, and resident bytes, with those of whatever it has started.
    pub(crate) fn usage(&self) -> (u64, u64) {
        with_children(self.0.id())
    }

    /// Waits until it takes connections there.
    pub(crate) fn listens(&mut self, address: SocketAddr) -> io::Result<()> {
        let begin = now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.0.try_wait()? {
                return Err(io::Error::other(format!("it has ended: {status}")));
            }
            if begin.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other("it takes no connections"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_children(pid: u32) -> (u64, u64) {
    let usage = proc::usage(pid).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let started: Vec<u32> = tasks
        .flat_map(|task| {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            children.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
        })
        .collect();
    started.into_iter().map(with_children).fold((usage.cpu, usage.memory), |all, one| (all.0 + one.0, all.1 + one.1))
}

/// Ports that are free, each given out once, and none of those that the kernel gives to clients meanwhile.
pub(crate) fn free<const N: usize>() -> [SocketAddr; N] {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let taken = || (Ipv4Addr::LOCALHOST, NEXT.fetch_add(1, Ordering::Relaxed));
    [(); N].map(|()| {
        loop {
            if let Ok(socket) = TcpListener::bind(taken()) {
                break socket.local_addr().expect("an address");
            }
        }
    })
}

/// The real clock.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures by the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
