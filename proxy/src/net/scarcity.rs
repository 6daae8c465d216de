//! What to do when a connection cannot be taken: wait a little, longer each time, and say so once a second.

use std::io;
use std::time::{Duration, Instant};

/// First and longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// Between two messages.
const MESSAGES: Duration = Duration::from_secs(1);

/// Failures in a row at one place.
#[derive(Debug, Default)]
pub(crate) struct Scarcity {
    pause: Duration,
    said: Option<Instant>,
    /// Failures since a message.
    unsaid: u64,
}

impl Scarcity {
    /// A connection was taken.
    pub(crate) fn over(&mut self) {
        self.pause = Duration::ZERO;
    }

    /// Taking one has failed: how long to wait, and what to say, if anything.
    pub(crate) fn failed(&mut self, error: &io::Error, now: Instant) -> (Duration, Option<String>) {
        if error.kind() == io::ErrorKind::ConnectionAborted {
            // Its client has left; the next may be there.
            return (Duration::ZERO, None);
        }
        self.pause = (self.pause * 2).clamp(PAUSES.0, PAUSES.1);
        self.unsaid += 1;
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < MESSAGES) {
            return (self.pause, None);
        }
        self.said = Some(now);
        let times = std::mem::take(&mut self.unsaid);
        (self.pause, Some(format!("{error}, {times} times since this was last said")))
    }
}

/// True if there is no descriptor for one more connection.
pub(crate) fn no_descriptor(error: &io::Error) -> bool {
    let wanting = [nix::libc::EMFILE, nix::libc::ENFILE];
    error.raw_os_error().is_some_and(|code| wanting.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_5_to_100_ms_and_begin_anew_after_a_success() {
        let (mut scarcity, error) = (Scarcity::default(), io::Error::from_raw_os_error(nix::libc::EMFILE));
        let begin = crate::clock::now();
        let mut pauses = || (0..7).map(|_| scarcity.failed(&error, begin).0.as_millis()).collect::<Vec<_>>();
        assert_eq!(pauses(), [5, 10, 20, 40, 80, 100, 100]);
        assert_eq!(pauses()[0], 100);
        scarcity.over();
        assert_eq!(scarcity.failed(&error, begin).0.as_millis(), 5);
    }

    #[test]
    fn it_is_said_once_a_second_with_how_often_it_was() {
        let (mut scarcity, error) = (Scarcity::default(), io::Error::from_raw_os_error(nix::libc::ENFILE));
        let begin = crate::clock::now();
        let said = |scarcity: &mut Scarcity, after| scarcity.failed(&error, begin + Duration::from_millis(after)).1;
        assert!(said(&mut scarcity, 0).is_some_and(|said| said.contains("1 times")));
        assert_eq!((1..1000).step_by(100).filter_map(|after| said(&mut scarcity, after)).count(), 0);
        assert!(said(&mut scarcity, 1000).is_some_and(|said| said.contains("11 times")));
    }

    #[test]
    fn a_client_that_left_before_it_was_taken_costs_no_pause() {
        let mut scarcity = Scarcity::default();
        let left = io::Error::from_raw_os_error(nix::libc::ECONNABORTED);
        assert_eq!(scarcity.failed(&left, crate::clock::now()), (Duration::ZERO, None));
        assert!(!no_descriptor(&left));
        assert!(no_descriptor(&io::Error::from_raw_os_error(nix::libc::EMFILE)));
    }
}
