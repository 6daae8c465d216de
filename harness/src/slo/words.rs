//! Verdicts and numbers in plain words: count first, then share, then limit.

use squall_reports::record::{Arm, ArmKind, Expectation, Reason, Verdict};

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

/// A sentence for each expectation that did not hold, the worst first.
pub(super) fn missed(expectations: &[Expectation]) -> Vec<Reason> {
    let mut missed: Vec<&Expectation> = expectations.iter().filter(|one| one.verdict != Verdict::Pass).collect();
    missed.sort_by_key(|one| std::cmp::Reverse(one.verdict));
    missed
        .into_iter()
        .map(|one| Reason {
            verdict: one.verdict,
            code: "missed".to_owned(),
            text: format!("{}: {}: {}", one.verdict, one.id, one.detail),
        })
        .collect()
}

/// The headline of a scenario in which everything held.
pub(super) fn passed(arms: &[Arm], control: Option<&Arm>) -> String {
    let Some(main) = arms.iter().find(|arm| arm.kind == ArmKind::Main && !arm.superseded) else {
        let cells = arms.iter().filter(|arm| !arm.superseded).count();
        return format!("PASS: every expectation holds over {cells} cells.");
    };
    let whole = |arm: &Arm| arm.totals_of("whole", None).map_or((0, 0), |totals| (totals.lost, totals.planned));
    let (lost, planned) = whole(main);
    let mut text = format!("PASS: {} of {} requests were lost", count(lost), count(planned));
    let heal =
        |kind: &str| main.figures.healing.iter().find(|figure| figure.kind == kind).and_then(|figure| figure.seconds);
    if let Some(out) = heal("ejected") {
        text.extend(["; out after ", &seconds(out)]);
    }
    if let Some(back) = heal("readmitted") {
        text.extend([", back ", &seconds(back), " after the fault ended"]);
    }
    text.push('.');
    if let Some(control) = control {
        let (lost, planned) = whole(control);
        text.extend([" Without healing: ", &count(lost), " of ", &count(planned), "."]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(7), "7");
        assert_eq!(percent(0.9573), "95.73 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_99), "99.999 %");
        assert_eq!(
            [seconds(0.000_02), seconds(0.004_5), seconds(0.26), seconds(4.884)].join(" "),
            "20 us 4.50 ms 260 ms 4.88 s"
        );
    }
}
