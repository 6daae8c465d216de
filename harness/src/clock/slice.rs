//! How long this thread may run at a stretch, which decides how soon it is let on when it wakes.
//!
//! The kernel's scheduler gives each thread its fair share whatever its slice is; but among those that want a core it takes the one
//! whose slice ends first. A thread that asks for short slices is therefore run at once when its timer fires beside a busy one, and
//! pays by being interrupted sooner. No right is needed. Before Linux 6.12 the wish is taken and has no effect.
#![allow(unsafe_code)]

use nix::libc::{SYS_sched_getattr, SYS_sched_setattr, c_long, sched_attr, syscall};
use std::io;
use std::time::Duration;

/// The shortest slice that the kernel grants.
const SHORTEST: Duration = Duration::from_micros(100);

/// Asks for the shortest slices for this thread.
pub fn shortest_slices() -> io::Result<()> {
    let mut wish = own_attributes()?;
    wish.sched_runtime = SHORTEST.as_nanos() as u64;
    // SAFETY: the kernel reads as many bytes as the attributes' `size` says, which is what it filled in itself.
    let set = unsafe { syscall(SYS_sched_setattr, 0, &raw const wish, 0) };
    done(set)
}

fn own_attributes() -> io::Result<sched_attr> {
    let size = size_of::<sched_attr>() as u32;
    let mut own = sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the kernel writes at most `size` bytes, which is what there is.
    let got = unsafe { syscall(SYS_sched_getattr, 0, &raw mut own, size, 0) };
    done(got)?;
    Ok(own)
}

fn done(result: c_long) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_class_and_niceness_and_gets_the_slice_it_asked_for() {
        let told = std::thread::spawn(|| {
            let before = own_attributes().unwrap();
            shortest_slices().unwrap();
            (before, own_attributes().unwrap())
        });
        let (before, after) = told.join().unwrap();
        assert_eq!((after.sched_policy, after.sched_nice), (before.sched_policy, before.sched_nice));
        // An older kernel has no slices of a thread's own.
        assert!([0, SHORTEST.as_nanos() as u64].contains(&after.sched_runtime), "{}", after.sched_runtime);
    }
}
