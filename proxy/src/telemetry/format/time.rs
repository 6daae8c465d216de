//! Moments as text, in UTC.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a moment is written, prepared.
#[derive(Debug, Clone)]
pub(super) struct TimeFormat {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// A letter behind a percent sign.
    Unit(char),
    /// Fraction of the second with so many digits.
    Fraction(usize),
    /// Seconds and their fraction with so many digits, or with as many as it takes.
    Seconds(Option<usize>),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SECONDS_A_DAY: u64 = 86_400;

impl TimeFormat {
    /// Reads `%Y-%m-%dT%H:%M:%S.%3fZ` and the like; an empty one is just that.
    pub(super) fn new(format: &str) -> Self {
        let mut rest = if format.is_empty() { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { format };
        let mut parts = Vec::new();
        while let Some((text, behind)) = rest.split_once('%') {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (part, left) = unit(behind);
            parts.push(part);
            rest = left;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self { parts }
    }

    /// Appends a moment; one before 1970 is 1970.
    pub(super) fn write(&self, moment: SystemTime, out: &mut Vec<u8>) {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        let moment = Moment::new(since.as_secs(), since.subsec_nanos());
        for part in &self.parts {
            // Writing to a vector cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_all(text.as_bytes()),
                Part::Unit(letter) => moment.unit(*letter, out),
                Part::Fraction(digits) => moment.fraction(*digits, out),
                Part::Seconds(digits) => moment.seconds(*digits, out),
            };
        }
    }
}

/// What stands behind a percent sign, and what is left behind that.
fn unit(behind: &str) -> (Part, &str) {
    let mut letters = behind.chars();
    let first = letters.next();
    let after_first = letters.as_str();
    let second = letters.next();
    let after_second = letters.as_str();
    let third = letters.next();
    let after_third = letters.as_str();
    let digits = |letter: char| letter.to_digit(10).map(|digit| digit as usize).filter(|digit| *digit > 0);
    match (first, second, third) {
        (Some('f'), ..) => (Part::Fraction(9), after_first),
        (Some(digit @ '1'..='9'), Some('f'), _) => (Part::Fraction(digits(digit).unwrap_or(9)), after_second),
        (Some('E'), Some('*'), Some('S')) => (Part::Seconds(None), after_third),
        (Some('E'), Some(digit @ '1'..='9'), Some('S')) => (Part::Seconds(digits(digit)), after_third),
        (Some('E'), Some('*'), Some('f')) => (Part::Fraction(9), after_third),
        (Some('E'), Some(digit @ '1'..='9'), Some('f')) => (Part::Fraction(digits(digit).unwrap_or(9)), after_third),
        (Some('E'), Some('z'), _) => (Part::Text("+00:00".to_owned()), after_second),
        (Some(letter), ..) => (Part::Unit(letter), after_first),
        (None, ..) => (Part::Text("%".to_owned()), ""),
    }
}

/// A moment taken apart.
struct Moment {
    since: u64,
    nanos: u32,
    year: u64,
    month: u64,
    day: u64,
    day_of_year: u64,
    weekday: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Moment {
    fn new(since: u64, nanos: u32) -> Self {
        let (days, seconds) = (since / SECONDS_A_DAY, since % SECONDS_A_DAY);
        // Years that begin in March, so that a leap day is the last of its year; 719,468 days from such a year 0 to 1970.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let day_of_year = if month <= 2 { of_year - 306 + 1 } else { of_year + 59 + u64::from(leap) + 1 };
        Self {
            since,
            nanos,
            year,
            month,
            day,
            day_of_year,
            weekday: (days + 4) % 7,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    fn unit(&self, letter: char, out: &mut Vec<u8>) -> std::io::Result<()> {
        let Self { year, month, day, hour, minute, second, .. } = self;
        let month_name = MONTHS.get(*month as usize - 1).copied().unwrap_or_default();
        let day_name = DAYS.get(self.weekday as usize).copied().unwrap_or_default();
        let twelve = (hour + 11) % 12 + 1;
        let half = if *hour < 12 { "AM" } else { "PM" };
        match letter {
            'Y' => write!(out, "{year}"),
            'y' => write!(out, "{:02}", year % 100),
            'C' => write!(out, "{:02}", year / 100),
            'm' => write!(out, "{month:02}"),
            'd' => write!(out, "{day:02}"),
            'e' => write!(out, "{day:2}"),
            'j' => write!(out, "{:03}", self.day_of_year),
            'H' => write!(out, "{hour:02}"),
            'k' => write!(out, "{hour:2}"),
            'I' => write!(out, "{twelve:02}"),
            'M' => write!(out, "{minute:02}"),
            'S' => write!(out, "{second:02}"),
            'p' => write!(out, "{half}"),
            's' => write!(out, "{}", self.since),
            'B' => write!(out, "{month_name}"),
            'b' | 'h' => write!(out, "{month_name:.3}"),
            'A' => write!(out, "{day_name}"),
            'a' => write!(out, "{day_name:.3}"),
            'u' => write!(out, "{}", (self.weekday + 6) % 7 + 1),
            'w' => write!(out, "{}", self.weekday),
            'F' => write!(out, "{year}-{month:02}-{day:02}"),
            'D' => write!(out, "{month:02}/{day:02}/{:02}", year % 100),
            'T' => write!(out, "{hour:02}:{minute:02}:{second:02}"),
            'R' => write!(out, "{hour:02}:{minute:02}"),
            'c' => write!(out, "{day_name:.3} {month_name:.3} {day:2} {hour:02}:{minute:02}:{second:02} {year}"),
            'z' => write!(out, "+0000"),
            'Z' => write!(out, "UTC"),
            '%' => write!(out, "%"),
            // A line end has no place in a value.
            'n' | 't' => write!(out, " "),
            other => write!(out, "%{other}"),
        }
    }

    fn fraction(&self, digits: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
        let cut = (digits..9).fold(self.nanos, |nanos, _| nanos / 10);
        write!(out, "{cut:0digits$}")
    }

    fn seconds(&self, digits: Option<usize>, out: &mut Vec<u8>) -> std::io::Result<()> {
        write!(out, "{:02}", self.second)?;
        let start = out.len();
        if digits.is_some() || self.nanos > 0 {
            write!(out, ".")?;
            self.fraction(digits.unwrap_or(9), out)?;
        }
        while digits.is_none() && out.len() > start && out.last() == Some(&b'0') {
            out.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64, nanos: u32, format: &str) -> String {
        let mut out = Vec::new();
        TimeFormat::new(format).write(UNIX_EPOCH + Duration::new(seconds, nanos), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_moment_without_a_format_is_iso_with_milliseconds() {
        assert_eq!(at(0, 0, ""), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(1_709_210_096, 789_654_321, ""), "2024-02-29T12:34:56.789Z");
        assert_eq!(at(1_735_689_599, 999_999_999, ""), "2024-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_specifier_has_its_meaning() {
        for (format, expected) in [
            ("%Y/%m/%dT%H:%M:%S%z %s", "2024/02/29T12:34:56+0000 1709210096"),
            ("%s.%3f", "1709210096.007"),
            ("%f|%1f|%6f|%9f", "007000000|0|007000|007000000"),
            ("%E3S|%E*S|%E*f|%E2f", "56.007|56.007|007000000|00"),
            ("%F %T %R %D", "2024-02-29 12:34:56 12:34 02/29/24"),
            ("%a %A %b %B %h %j", "Thu Thursday Feb February Feb 060"),
            ("%I %p %y %C %e %u %w %Z %Ez", "12 PM 24 20 29 4 4 UTC +00:00"),
            ("100%% %Q %", "100% %Q %"),
            ("a%nb", "a b"),
        ] {
            assert_eq!(at(1_709_210_096, 7_000_000, format), expected, "{format}");
        }
        assert_eq!(at(60, 0, "%E*S"), "00");
    }

    #[test]
    fn days_follow_each_other_through_leap_years() {
        for (seconds, expected) in [
            (951_782_400, "2000-02-29 060"),
            (951_868_800, "2000-03-01 061"),
            (1_677_628_800, "2023-03-01 060"),
            (1_704_067_199, "2023-12-31 365"),
            (1_704_067_200, "2024-01-01 001"),
            (1_735_603_200, "2024-12-31 366"),
            (4_107_542_400, "2100-03-01 060"),
        ] {
            assert_eq!(at(seconds, 0, "%F %j"), expected);
        }
    }
}
