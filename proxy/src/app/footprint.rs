//! Memory that nobody needs, given back to the system.
//!
//! Reading a configuration runs through several megabytes of parsers that are not needed again. Their pages would count as this process's
//! memory until it ends.
#![allow(unsafe_code)]

use nix::sys::mman::{MmapAdvise, madvise};
use std::ffi::c_void;
use std::fs;
use std::path::Path;
use std::ptr::NonNull;

/// Unmaps this program's code; what runs next is mapped again out of the page cache, 64 KiB at a time.
pub(super) fn give_back_code() {
    let (Ok(maps), Ok(program)) = (fs::read_to_string("/proc/self/maps"), std::env::current_exe()) else { return };
    for (begin, length) in maps.lines().filter_map(|line| code(line, &program)) {
        let Some(begin) = NonNull::new(std::ptr::with_exposed_provenance_mut::<c_void>(begin)) else { continue };
        // SAFETY: the range is one mapping of a file, executable and not writable: its pages hold what the file holds, and are read
        // from there again when they are next used.
        // Where it fails, more memory is held: no more than that.
        let _ = unsafe { madvise(begin, length, MmapAdvise::MADV_DONTNEED) };
    }
}

/// Gives back what the allocator has kept for later.
pub(super) fn give_back_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: any thread may ask for it at any time.
    // That there was nothing to give is no matter.
    let _ = unsafe { nix::libc::malloc_trim(0) };
}

/// Where a mapping begins and how long it is, in bytes, if it is code of this program.
fn code(line: &str, program: &Path) -> Option<(usize, usize)> {
    let mut columns = line.split_ascii_whitespace();
    let (range, rights) = (columns.next()?, columns.next()?);
    if rights != "r-xp" || !line.ends_with(program.to_str()?) {
        return None;
    }
    let (begin, end) = range.split_once('-')?;
    let (begin, end) = (usize::from_str_radix(begin, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((begin, end.checked_sub(begin)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_this_program_is_given_back() {
        let of = |line: &str| code(line, Path::new("/opt/a b/squall"));
        let tail = "00400000 fe:00 17";
        assert_eq!(of(&format!("1000-3000 r-xp {tail} /opt/a b/squall")), Some((0x1000, 0x2000)));
        for other in ["r--p", "rw-p", "rwxp", "r-xs"] {
            assert_eq!(of(&format!("1000-3000 {other} {tail} /opt/a b/squall")), None, "{other}");
        }
        assert_eq!(of(&format!("1000-3000 r-xp {tail} /usr/lib/libc.so.6")), None);
        assert_eq!(of("1000-3000 r-xp 0 0:0 0"), None);
        assert_eq!(of("nonsense"), None);
    }

    #[test]
    fn this_program_has_code_and_runs_on_when_it_was_given_back() {
        let (maps, program) = (fs::read_to_string("/proc/self/maps").unwrap(), std::env::current_exe().unwrap());
        let length: usize = maps.lines().filter_map(|line| code(line, &program)).map(|(_, length)| length).sum();
        assert!(length > 1 << 20, "{length} bytes of code");
        give_back_code();
    }
}
