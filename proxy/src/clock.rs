//! Time, from one place.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

/// Now.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A moment on the wall: for logs alone, since walls jump.
#[allow(clippy::disallowed_methods)]
pub(crate) fn wall(moment: Instant) -> SystemTime {
    let ago = now().saturating_duration_since(moment);
    SystemTime::now() - ago
}

/// Now as nanoseconds of `CLOCK_MONOTONIC`, which other processes of this machine share.
pub(crate) fn monotonic_nanos() -> u64 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    time.map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods)]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A second as header fields have it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(second: u64) -> [u8; 29] {
    let date = httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    // One that does not fit is of a year that none of us will see.
    let _ = write!(&mut text[..], "{date}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_fields_have_them() {
        for (second, expected) in [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT")]
        {
            assert_eq!(std::str::from_utf8(&http_date(second)).unwrap(), expected);
        }
    }
}
