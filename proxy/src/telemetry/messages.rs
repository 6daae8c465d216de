//! What is said to people, at a level that can be changed while the proxy runs.

use super::outlet::Outlet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How much a message matters. Envoy's levels, so that its tools can set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Level {
    /// Nothing is said at it.
    Trace,
    /// Nothing is said at it.
    Debug,
    /// What happened as it should.
    Info,
    /// What is likely not meant.
    Warning,
    /// What was refused or has failed.
    Error,
    /// Nothing is said at it.
    Critical,
    /// As a threshold: nothing is said.
    Off,
}

impl Level {
    const ALL: [(Self, &str); 7] = [
        (Self::Trace, "trace"),
        (Self::Debug, "debug"),
        (Self::Info, "info"),
        (Self::Warning, "warning"),
        (Self::Error, "error"),
        (Self::Critical, "critical"),
        (Self::Off, "off"),
    ];

    /// A level by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = if name == "warn" { "warning" } else { name };
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(level, _)| *level)
    }

    /// All names.
    pub(crate) fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(_, name)| *name).collect()
    }
}

/// Messages for people.
#[derive(Debug)]
pub(crate) struct Messages {
    outlet: Outlet,
    threshold: AtomicU8,
}

impl Messages {
    /// Says everything from [`Level::Info`] on.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, threshold: AtomicU8::new(Level::Info as u8) }
    }

    /// Says it, if it matters enough.
    pub(crate) fn say(&self, level: Level, message: &str) {
        if level as u8 >= self.threshold.load(Ordering::Relaxed) {
            self.outlet.say(message);
        }
    }

    /// From now on, what is below this level is not said.
    pub(crate) fn set_level(&self, level: Level) {
        self.threshold.store(level as u8, Ordering::Relaxed);
    }

    /// The name of the level from which on messages are said.
    pub(crate) fn level(&self) -> &'static str {
        let threshold = self.threshold.load(Ordering::Relaxed);
        Level::ALL.iter().find(|(level, _)| *level as u8 == threshold).map_or("", |(_, name)| name)
    }

    /// Those that came to nothing.
    pub(crate) fn lost(&self) -> u64 {
        self.outlet.lost()
    }

    /// Waits until all are written, at most so long.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        self.outlet.flush(patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_level_is_not_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let messages = Messages::new(Outlet::start("test", file.reopen().unwrap()).unwrap());
        assert_eq!(messages.level(), "info");
        messages.say(Level::Info, "one");
        messages.set_level(Level::named("warn").unwrap());
        messages.say(Level::Info, "two");
        messages.say(Level::Error, "three");
        messages.set_level(Level::Off);
        messages.say(Level::Error, "four");
        assert!(messages.flush(Duration::from_secs(10)));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "one\nthree\n");
        assert_eq!((messages.level(), Level::named("loud")), ("off", None));
    }
}
