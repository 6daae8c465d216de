//! Lines to a place that may be slow, full or gone: a thread of its own writes them, and whoever has one to say never waits.

use crate::clock::now;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait.
const WAITING: usize = 1024;

/// A place for lines. Its thread ends when this is gone.
#[derive(Debug)]
pub(crate) struct Outlet {
    lines: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Job {
    Line(Vec<u8>),
    /// Everything ahead was handed to the system.
    Flush(SyncSender<()>),
}

impl Outlet {
    /// Begins the thread.
    pub(crate) fn start(name: &str, mut to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let lost = Arc::<AtomicU64>::default();
        let failed = Arc::clone(&lost);
        let write = move || {
            for job in waiting {
                match job {
                    Job::Line(line) => {
                        if to.write_all(&line).and_then(|()| to.flush()).is_err() {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    // Whoever asked may have given up waiting.
                    Job::Flush(done) => drop(done.try_send(())),
                }
            }
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(write)?;
        Ok(Self { lines, lost })
    }

    /// Hands over a line, its end included. It is lost, and counted, if too many wait.
    pub(crate) fn line(&self, line: Vec<u8>) {
        if self.lines.try_send(Job::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A message for people.
    pub(crate) fn say(&self, message: &str) {
        self.line(format!("{message}\n").into_bytes());
    }

    /// Lines that came to nothing.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until every line so far is written, at most so long. False if it was longer.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = sync_channel(1);
        let deadline = now() + patience;
        // A plain send would wait for as long as the place does.
        while self.lines.try_send(Job::Flush(done.clone())).is_err() {
            if now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        wait.recv_timeout(deadline.saturating_duration_since(now())) != Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::OwnedFd;

    #[test]
    fn lines_are_written_in_order_and_flushed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let outlet = Outlet::start("test", file.reopen().unwrap()).unwrap();
        outlet.say("one");
        outlet.line(b"two\n".to_vec());
        assert!(outlet.flush(Duration::from_secs(10)));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_up_nobody_and_what_is_lost_is_counted() {
        let (_reader, writer): (OwnedFd, OwnedFd) = nix::unistd::pipe().unwrap();
        let outlet = Outlet::start("test", File::from(writer)).unwrap();
        // More than the pipe and the queue hold.
        (0..WAITING * 200).for_each(|_| outlet.line(vec![b'x'; 1000]));
        assert!(outlet.lost() > 0);
        assert!(!outlet.flush(Duration::from_millis(10)));
    }

    #[test]
    fn a_full_disk_ends_nothing() {
        let outlet = Outlet::start("test", File::options().write(true).open("/dev/full").unwrap()).unwrap();
        outlet.say("one");
        assert!(outlet.flush(Duration::from_secs(10)));
        assert_eq!(outlet.lost(), 1);
    }
}
