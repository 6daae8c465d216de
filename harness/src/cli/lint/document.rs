//! Findings for programs: one JSON document.

use super::why;
use serde_json::{Value, json};
use squall_yaml::{Finding, Severity};

/// All findings, in their order. Lines and columns count from 1, columns in characters; what is not known is null.
pub(super) fn json(findings: &[Finding]) -> Value {
    json!({"findings": findings.iter().map(one).collect::<Vec<_>>()})
}

fn one(finding: &Finding) -> Value {
    let known = |number: usize| (number > 0).then_some(number);
    json!({
        "file": finding.file.display().to_string(),
        "line": known(finding.place.line),
        "column": known(finding.place.column),
        "length": known(finding.span_len),
        "severity": word(finding.severity),
        "code": finding.code,
        "message": finding.message,
        "expected": finding.expected,
        "why": why(finding),
        "help": finding.help,
    })
}

/// All that is said of one: what is wrong, what was expected, what to do.
pub(super) fn text(finding: &Finding) -> String {
    let expected = finding.expected.as_ref().map(|expected| format!("expected {expected}"));
    let said = [Some(finding.message.clone()), expected, finding.help.clone()];
    said.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// `error` or `warning`, as SARIF and GitHub have them too.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::json;
    use crate::cli::lint::tests::findings;

    #[test]
    fn a_finding_has_all_that_people_are_shown_and_null_where_nothing_is_known() {
        let made = json(&findings());
        let one = &made["findings"][0];
        assert_eq!((&one["line"], &one["column"], &one["length"]), (&7.into(), &5.into(), &16.into()));
        assert_eq!((one["severity"].as_str(), one["code"].as_str()), (Some("warning"), Some("SQ0501")));
        assert!(one["why"].as_str().is_some_and(|why| why.ends_with('.')) && one["help"].is_string());
        let other = &made["findings"][1];
        assert!(
            other["line"].is_null() && other["code"].is_null() && other["why"].is_null() && other["help"].is_null()
        );
    }
}
