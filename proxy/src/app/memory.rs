//! Looks at how much memory the process holds, where there is a limit of it.

use super::footprint::give_back_heap;
use crate::clock::now;
use crate::serve::Pressure;
use std::fs;
use std::time::{Duration, Instant};

/// How often memory that nobody needs is given back under pressure.
const GIVE_BACK: Duration = Duration::from_secs(1);

/// A limit of memory.
#[derive(Debug)]
pub(super) struct Memory {
    /// Bytes.
    most: u64,
    given_back: Option<Instant>,
}

impl Memory {
    pub(super) fn new(most: u64) -> Self {
        Self { most, given_back: None }
    }

    /// Tells how near the limit is.
    pub(super) fn look(&mut self, pressure: &Pressure) {
        let Some(held) = resident() else { return };
        pressure.set(held, self.most);
        // What the allocator keeps would hold requests off for ever.
        if pressure.ends_keep_alive() && self.given_back.is_none_or(|last| now() >= last + GIVE_BACK) {
            self.given_back = Some(now());
            give_back_heap();
        }
    }
}

/// Bytes that this process holds, its code among them.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(size).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_more_than_a_page_and_less_than_all() {
        let held = resident().unwrap();
        assert!((1 << 16..1 << 40).contains(&held), "{held}");
        let pressure = Pressure::default();
        Memory::new(1 << 50).look(&pressure);
        assert!(!pressure.ends_keep_alive());
        Memory::new(1 << 10).look(&pressure);
        assert!(pressure.refuses());
    }
}
