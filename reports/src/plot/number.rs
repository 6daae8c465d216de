//! Numbers as people read them: three significant digits, the unit behind a narrow space.

use crate::record::Micros;
pub use crate::words::count;

/// Between a number and its unit.
pub const NARROW: char = '\u{202f}';

/// Three significant digits, grouped: `0.0123`, `4.27`, `16,000`.
pub fn three(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let (sign, size) = (if value < 0.0 { "-" } else { "" }, value.abs());
    let magnitude = size.log10().floor() as i32;
    // 999.7 is of another magnitude once it is rounded.
    let rounded = round_to(size, 2 - magnitude);
    let magnitude = rounded.log10().floor() as i32;
    if magnitude >= 2 {
        return format!("{sign}{}", count(rounded.round() as u64));
    }
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0).min(9);
    format!("{sign}{rounded:.decimals$}")
}

fn round_to(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}

/// A length of time: us below 1 ms, ms below 1 s, then s.
pub fn micros(value: u64) -> String {
    duration(value as f64 / 1e6)
}

/// A limit as somebody wrote it: without zeros that only fill up.
pub fn limit(value: u64) -> String {
    let text = micros(value);
    text.split_once(NARROW)
        .map_or_else(|| text.clone(), |(number, unit)| format!("{}{NARROW}{unit}", trimmed(number.to_owned())))
}

/// The same of seconds.
pub fn duration(seconds: f64) -> String {
    let (number, unit) = match seconds.abs() {
        0.0 => return format!("0{NARROW}s"),
        size if size < 999.5e-6 => (seconds * 1e6, "us"),
        size if size < 0.9995 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    format!("{}{NARROW}{unit}", three(number))
}

/// An instant: seconds since the load began, to a hundredth.
pub fn instant(at: Micros) -> String {
    format!("{:.2}{NARROW}s", at as f64 / 1e6)
}

/// A share from 0 to 1 in percent, with two decimals; the ends in full, and never an end that was not reached.
pub fn percent(share: f64) -> String {
    format!("{}{NARROW}%", percent_number(share))
}

fn percent_number(share: f64) -> String {
    if share <= 0.0 {
        return "0".to_owned();
    }
    if share >= 1.0 {
        return "100".to_owned();
    }
    let text = format!("{:.2}", share * 100.0);
    match text.as_str() {
        "100.00" => "99.99+".to_owned(),
        "0.00" => three(share * 100.0),
        _ => text,
    }
}

/// An interval of shares: `95.19 to 96.23 %`.
pub fn percent_interval(low: f64, high: f64) -> String {
    format!("{} to {}{NARROW}%", percent_number(low), percent_number(high))
}

/// A rate: `500/s`.
pub fn rate(per_second: f64) -> String {
    let number = match per_second {
        v if v >= 1e6 => short(v),
        v if v >= 100.0 => count(v.round() as u64),
        v => trimmed(three(v)),
    };
    format!("{number}/s")
}

/// A number without zeros that only fill up three digits.
pub fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// For axes only: `16k`.
pub fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", trimmed(three(v / 1e6))),
        v if v >= 1e4 => format!("{}k", trimmed(three(v / 1e3))),
        v if v >= 1e3 => count(v.round() as u64),
        v => trimmed(three(v)),
    }
}

/// For axes with little room: `1.5k` where `short` writes `1,500`.
pub fn shortest(value: f64) -> String {
    if (1e3..1e4).contains(&value) { format!("{}k", trimmed(three(value / 1e3))) } else { short(value) }
}

/// Bytes in powers of 1024.
pub fn bytes(value: u64) -> String {
    let value = value as f64;
    let (number, unit) = match value {
        v if v < 1024.0 => (v, "B"),
        v if v < 1_048_576.0 => (v / 1024.0, "KiB"),
        v if v < 1_073_741_824.0 => (v / 1_048_576.0, "MiB"),
        v => (v / 1_073_741_824.0, "GiB"),
    };
    format!("{}{NARROW}{unit}", three(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_counts_have_all() {
        assert_eq!([0, 999, 1_000, 16_000, 1_234_567].map(count), ["0", "999", "1,000", "16,000", "1,234,567"]);
        let shown = [0.0, 0.012_345, 4.2667, 9.996, 99.96, 999.7, 1_234.0, 16_000.0, -2.5].map(three);
        assert_eq!(shown, ["0", "0.0123", "4.27", "10.0", "100", "1,000", "1,230", "16,000", "-2.50"]);
        assert_eq!(three(f64::NAN), "?");
    }

    #[test]
    fn times_change_their_unit_where_they_should() {
        let shown = [0, 7, 999, 1_000, 252_300, 999_700, 4_870_000, 60_000_000].map(micros);
        let plain: Vec<String> = shown.iter().map(|text| text.replace(NARROW, " ")).collect();
        assert_eq!(plain, ["0 s", "7.00 us", "999 us", "1.00 ms", "252 ms", "1.00 s", "4.87 s", "60.0 s"]);
        assert_eq!([10_000, 25_460].map(limit).map(|text| text.replace(NARROW, " ")), ["10 ms", "25.5 ms"]);
        assert_eq!(instant(5_004_664).replace(NARROW, " "), "5.00 s");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let shown = [0.0, 1.0, 0.9573, 0.999_999, 0.000_001, 0.04267].map(percent);
        let plain: Vec<String> = shown.iter().map(|text| text.replace(NARROW, " ")).collect();
        assert_eq!(plain, ["0 %", "100 %", "95.73 %", "99.99+ %", "0.000100 %", "4.27 %"]);
        assert_eq!(percent_interval(0.9519, 0.9623).replace(NARROW, " "), "95.19 to 96.23 %");
    }

    #[test]
    fn rates_and_axes_are_short() {
        assert_eq!([1_022_720.0, 500.0, 166.7, 12.5, 0.5].map(rate), ["1.02M/s", "500/s", "167/s", "12.5/s", "0.5/s"]);
        assert_eq!([0.0, 250.0, 5_000.0, 16_000.0, 2.5e6].map(short), ["0", "250", "5,000", "16k", "2.5M"]);
        assert_eq!([250.0, 1_000.0, 2_500.0, 16_000.0].map(shortest), ["250", "1k", "2.5k", "16k"]);
        assert_eq!(bytes(72_351_744).replace(NARROW, " "), "69.0 MiB");
    }
}
