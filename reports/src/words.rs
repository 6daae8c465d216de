//! Numbers in plain words, the same in every output.

use crate::record::Verdict;

/// A count with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as percent, with as many digits as it takes to tell it from its neighbours.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let text = format!("{percent:.2}");
    let text = if text == "100.00" && percent < 100.0 { format!("{percent:.4}") } else { text };
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Seconds, in the unit that reads best.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} us", s * 1e6),
        s if s < 0.01 => format!("{:.2} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// A plain number with three significant digits.
pub fn number(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

/// What became of a run's scenarios: `2 of 14 scenarios do not hold; 11 hold, 1 proves nothing`.
pub fn tally(verdicts: impl Iterator<Item = Verdict>) -> String {
    let verdicts: Vec<Verdict> = verdicts.collect();
    let all = verdicts.len();
    let count = |wanted: Verdict| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let parts: Vec<(usize, &str, &str)> = [
        (Verdict::Aborted, "was stopped", "were stopped"),
        (Verdict::Error, "ended in an error", "ended in an error"),
        (Verdict::Fail, "does not hold", "do not hold"),
        (Verdict::Invalid, "proves nothing", "prove nothing"),
        (Verdict::Inconclusive, "cannot be decided", "cannot be decided"),
        (Verdict::Pass, "holds", "hold"),
    ]
    .into_iter()
    .map(|(verdict, one, several)| (count(verdict), one, several))
    .filter(|(count, ..)| *count > 0)
    .collect();
    let said = |(count, one, several): &(usize, &'static str, &'static str)| if *count == 1 { *one } else { *several };
    match &parts[..] {
        [] => "no scenario was run".to_owned(),
        [only] if all == 1 => format!("the one scenario {}", said(only)),
        [only] => format!("all {all} scenarios {}", said(only)),
        [first, rest @ ..] => {
            let rest: Vec<_> = rest.iter().map(|part| format!("{} {}", part.0, said(part))).collect();
            format!("{} of {all} scenarios {}; {}", first.0, said(first), rest.join(", "))
        }
    }
}

/// `1 scenario`, `2 scenarios`.
pub fn many(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(1_234_567), count(7)], ["1,234,567", "7"]);
        assert_eq!([percent(0.9573), percent(1.0), percent(0.999_99)], ["95.73 %", "100 %", "99.999 %"]);
        let times = [0.000_02, 0.004_5, 0.26, 4.884].map(seconds);
        assert_eq!(times.join(" "), "20 us 4.50 ms 260 ms 4.88 s");
        assert_eq!([number(1.234), number(12.34), number(1234.5)], ["1.23", "12.3", "1234"]);
        assert_eq!(
            tally([Verdict::Pass, Verdict::Fail, Verdict::Pass].into_iter()),
            "1 of 3 scenarios does not hold; 2 hold"
        );
        assert_eq!(tally([Verdict::Pass; 14].into_iter()), "all 14 scenarios hold");
        assert_eq!(tally([Verdict::Invalid].into_iter()), "the one scenario proves nothing");
        assert_eq!([many(1, "run"), many(0, "run")], ["1 run", "0 runs"]);
    }
}
