//! Findings as commands in GitHub's log, which shows them beside the lines of a change.

use super::document::{self, word};
use crate::output::in_repository;
use squall_reports::escape::{annotation, annotation_property};
use squall_yaml::Finding;
use std::path::Path;

/// A line for each finding.
pub(super) fn github(findings: &[Finding], workspace: Option<&Path>) -> String {
    findings.iter().map(|finding| one(finding, workspace) + "\n").collect()
}

fn one(finding: &Finding, workspace: Option<&Path>) -> String {
    let file = in_repository(&finding.file.display().to_string(), workspace);
    let place = finding.place;
    let title = finding.code.unwrap_or("policy");
    format!(
        "::{} file={},line={},col={},title={}::{}",
        word(finding.severity),
        annotation_property(&file),
        place.line.max(1),
        place.column.max(1),
        annotation_property(title),
        annotation(&document::text(finding))
    )
}

#[cfg(test)]
mod tests {
    use super::github;
    use crate::cli::lint::tests::findings;

    #[test]
    fn a_finding_is_one_line_with_its_place_all_that_is_said_and_its_code_as_title() {
        assert_eq!(
            github(&findings(), None),
            "::warning file=policies/cart 1.yaml,line=7,col=5,title=SQ0501::no instance of cart: 10 %25, is ever ejected%0AoutlierDetection:%0A  maxEjectionPercent: 34\n\
             ::error file=policies/cart 1.yaml,line=1,col=1,title=policy::found the number 10%0Aexpected a text\n"
        );
    }
}
