//! Verdicts in plain words: count first, then share, then limit.

use squall_reports::record::search::Search;
use squall_reports::record::{Arm, ArmKind, Expectation, Reason, Verdict};
pub use squall_reports::words::{count, number, percent, seconds};

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
pub(super) fn passed(arms: &[Arm], searches: &[Search], control: Option<&Arm>) -> String {
    if !searches.is_empty() {
        let found = |search: &Search| {
            let highest = search.highest.map_or_else(|| "none".to_owned(), |rate| format!("{}/s", number(rate)));
            format!("{highest} ({search})")
        };
        let found: Vec<String> = searches.iter().map(found).collect();
        return format!("PASS: the highest rates that hold: {}.", found.join(", "));
    }
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
        let taken = if control.policies.is_empty() { " Without healing: " } else { " Under the other policies: " };
        text.extend([taken, &count(lost), " of ", &count(planned), "."]);
    }
    text
}
