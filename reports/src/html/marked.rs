//! Texts that were run, with the lines that mattered marked.

use crate::record::{Arm, Record, Verdict};

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) marked: bool,
    /// Why, on the first line of a block.
    pub(super) note: Option<String>,
}

/// Keys of policies that decide whether and how a mesh heals.
const HEALING: [(&str, &str); 12] = [
    ("outlierDetection", "takes instances out"),
    ("retries", "tries again"),
    ("timeout", "bounds a request"),
    ("perTryTimeout", "bounds a try"),
    ("connectionPool", "sheds load"),
    ("loadBalancer", "spreads the load"),
    ("livenessProbe", "restarts"),
    ("readinessProbe", "takes out of rotation"),
    ("restartPolicy", "restarts"),
    ("fault", "injects"),
    ("weight", "splits the load"),
    ("retryBudget", "bounds retries"),
];

/// A policy with the lines that bear on healing.
pub(super) fn policy(text: &str) -> Vec<Line> {
    let mut block: Option<usize> = None;
    text.lines()
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            let key = line.trim_start().trim_start_matches("- ").split(':').next().unwrap_or("").trim();
            let known = HEALING.iter().find(|(name, _)| *name == key);
            // A block lasts while lines are deeper than its key, or blank.
            if block.is_some_and(|depth| !line.trim().is_empty() && indent <= depth) {
                block = None;
            }
            let note = known.filter(|_| block.is_none()).map(|(_, why)| (*why).to_owned());
            if known.is_some() && block.is_none() {
                block = Some(indent);
            }
            Line { text: line.to_owned(), marked: block.is_some() && !line.trim().is_empty(), note }
        })
        .collect()
}

/// The scenario with the lines of what did not hold, and of its faults.
pub(super) fn scenario(record: &Record) -> Vec<Line> {
    let arms: Vec<&Arm> = record.arms.iter().collect();
    let kinds: Vec<&str> = arms.iter().flat_map(|arm| &arm.faults).map(|fault| fault.kind.as_str()).collect();
    record
        .scenario
        .source
        .lines()
        .enumerate()
        .map(|(number, text)| {
            let here = record.expectations.iter().filter(|one| one.line == number + 1);
            let missed: Vec<String> = here
                .filter(|one| matches!(one.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::Invalid))
                .map(|one| format!("{}: {} where {} was asked", one.verdict, one.observed.text, one.limit_text))
                .collect();
            let fault = kinds.iter().any(|kind| text.contains(&format!("{kind}:")) && text.contains("fault"))
                || kinds
                    .iter()
                    .any(|kind| text.trim_start().trim_start_matches("- {").starts_with(&format!("{kind}:")));
            let note = if missed.is_empty() { fault.then(|| "the fault".to_owned()) } else { Some(missed.join("; ")) };
            Line { text: text.to_owned(), marked: note.is_some(), note }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_a_policy_is_marked_to_its_end() {
        let text =
            "spec:\n  host: cart\n  outlierDetection:\n    interval: 1s\n\n    baseEjectionTime: 3s\n  subsets: []\n";
        let marked: Vec<bool> = policy(text).into_iter().map(|line| line.marked).collect();
        assert_eq!(marked, [false, false, true, true, false, true, false]);
        assert_eq!(policy(text)[2].note.as_deref(), Some("takes instances out"));
    }
}
