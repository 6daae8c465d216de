//! Values as people read them: times, shares and sizes with their units. For whatever is printed of a configuration.

pub(super) mod told;

use super::{Fraction, UNLIMITED};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// `250ms`, `1.5s`, `5m`, `1h`: in the largest unit that leaves no more than a fraction of a second.
pub(crate) fn time(time: Duration) -> String {
    let nanos = time.as_nanos();
    let whole = |unit: u128| nanos.is_multiple_of(unit).then_some(nanos / unit);
    match (whole(3_600_000_000_000), whole(60_000_000_000)) {
        _ if nanos == 0 => "0s".to_owned(),
        (Some(hours), _) => format!("{hours}h"),
        (None, Some(minutes)) => format!("{minutes}m"),
        (None, None) if nanos >= 1_000_000_000 => format!("{}s", time.as_secs_f64()),
        (None, None) if nanos >= 1_000_000 => format!("{}ms", nanos as f64 / 1e6),
        (None, None) if nanos >= 1000 => format!("{}us", nanos as f64 / 1e3),
        (None, None) => format!("{nanos}ns"),
    }
}

/// The same, or that there is none.
pub(crate) fn time_or_none(limit: Option<Duration>) -> String {
    limit.map_or_else(|| "none".to_owned(), time)
}

/// `10%`, `0.5%`.
pub(crate) fn percent(percent: f64) -> String {
    // Four places are a millionth, the finest share that there is; what floating point adds behind them is nobody's.
    format!("{}%", (percent * 1e4).round() / 1e4)
}

/// `10%`, `0.5%`, of millionths.
pub(crate) fn share(share: Fraction) -> String {
    percent(f64::from(share.0) / 1e4)
}

/// `60KiB`, `1MiB`, `1000B`.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes}B"),
    }
}

/// A count, or that it has no limit.
pub(crate) fn limit(count: u32) -> String {
    if count == UNLIMITED { "unlimited".to_owned() } else { count.to_string() }
}

/// Ranges of statuses: `500-599`, `503`.
pub(crate) fn statuses(ranges: &[(u16, u16)]) -> Vec<String> {
    let one = |(from, to): &(u16, u16)| {
        let last = to.saturating_sub(1);
        if last > *from { format!("{from}-{last}") } else { from.to_string() }
    };
    ranges.iter().map(one).collect()
}

/// Statuses of gRPC by name.
pub(crate) fn grpc_status(status: u32) -> String {
    const NAMES: [&str; 17] = [
        "ok",
        "cancelled",
        "unknown",
        "invalid-argument",
        "deadline-exceeded",
        "not-found",
        "already-exists",
        "permission-denied",
        "resource-exhausted",
        "failed-precondition",
        "aborted",
        "out-of-range",
        "unimplemented",
        "internal",
        "unavailable",
        "data-loss",
        "unauthenticated",
    ];
    NAMES.get(status as usize).map_or_else(|| status.to_string(), |name| (*name).to_owned())
}

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// The value of a field of a message, unless its name says that it is secret.
pub(crate) fn field<'v>(name: &str, value: &'v str) -> &'v str {
    const SECRET: [&str; 8] =
        ["authorization", "cookie", "token", "secret", "password", "credentials", "api-key", "apikey"];
    let name = name.to_ascii_lowercase().replace('_', "-");
    if SECRET.iter().any(|end| name.ends_with(end)) { REDACTED } else { value }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&share(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_shares_and_sizes_have_the_unit_in_which_they_are_short() {
        for (millis, told) in [
            (0, "0s"),
            (25, "25ms"),
            (250, "250ms"),
            (1500, "1.5s"),
            (90_000, "90s"),
            (300_000, "5m"),
            (3_600_000, "1h"),
        ] {
            assert_eq!(time(Duration::from_millis(millis)), told);
        }
        assert_eq!(time(Duration::from_micros(1500)), "1.5ms");
        assert_eq!((time_or_none(None), limit(UNLIMITED), limit(7)), ("none".into(), "unlimited".into(), "7".into()));
        for (millionths, told) in [(0, "0%"), (1, "0.0001%"), (125_000, "12.5%"), (1_000_000, "100%")] {
            assert_eq!(share(Fraction(millionths)), told);
        }
        assert_eq!([0, 1000, 60 << 10, 1 << 20].map(bytes), ["0B", "1000B", "60KiB", "1MiB"]);
        assert_eq!(statuses(&[(200, 201), (500, 600)]), ["200", "500-599"]);
        assert_eq!(
            (field("x-api-key", "1"), field("Authorization", "1"), field("x-user", "1")),
            (REDACTED, REDACTED, "1")
        );
        assert_eq!((grpc_status(14), grpc_status(99)), ("unavailable".into(), "99".into()));
    }
}
