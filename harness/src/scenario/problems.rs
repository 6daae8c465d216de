//! Collects everything that is wrong with a scenario, so that all of it is shown at once.

use super::resolved::Place;
use squall_yaml::{Finding, Severity, suggest};
use std::path::{Path, PathBuf};

/// What has been found in one file.
#[derive(Debug)]
pub(super) struct Problems {
    file: PathBuf,
    findings: Vec<Finding>,
}

impl Problems {
    /// None yet.
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), findings: Vec::new() }
    }

    /// Adds an error; what was expected and what helps can be added to what is returned.
    pub(super) fn error(&mut self, code: &'static str, place: Place, message: impl Into<String>) -> Problem<'_> {
        self.push(Severity::Error, code, place, message.into())
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, code: &'static str, place: Place, message: impl Into<String>) -> Problem<'_> {
        self.push(Severity::Warning, code, place, message.into())
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Takes over findings made elsewhere.
    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// Moves what was found in a text to where the text stands in the file.
    pub(super) fn move_to(&mut self, text: &Path, place: squall_yaml::Place) {
        for finding in self.findings.iter_mut().filter(|finding| finding.file == text) {
            finding.file.clone_from(&self.file);
            (finding.place, finding.span_len) = (place, 0);
        }
    }

    /// True once there is an error among them.
    pub(super) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// All, in the order of the file, each once: a file can be read as policy and as manifest.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| (finding.file != self.file, finding.place.line, finding.place.column));
        let mut told = Vec::with_capacity(self.findings.len());
        for finding in self.findings {
            if !told.contains(&finding) {
                told.push(finding);
            }
        }
        told
    }

    fn push(&mut self, severity: Severity, code: &'static str, place: Place, message: String) -> Problem<'_> {
        let at = self.findings.len();
        self.findings.push(Finding {
            severity,
            file: self.file.clone(),
            place: squall_yaml::Place { line: place.line, column: place.column },
            span_len: 0,
            message,
            expected: None,
            help: None,
            code: Some(code),
        });
        Problem(&mut self.findings[at])
    }
}

/// A finding that can still be given more to say.
#[derive(Debug)]
pub(super) struct Problem<'a>(&'a mut Finding);

impl Problem<'_> {
    /// What was expected in its place.
    pub(super) fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// What to do about it.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.0.help = Some(help.into());
        self
    }

    /// Lists the names that there are, and suggests the nearest.
    pub(super) fn names<'n>(&mut self, name: &str, known: impl IntoIterator<Item = &'n str>) -> &mut Self {
        let known: Vec<&str> = known.into_iter().collect();
        if known.is_empty() {
            return self.expected("a name, but there is none to choose from");
        }
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.expected(format!("one of {list}"));
        if let Some(nearest) = suggest(name, &known) {
            self.help(format!("did you mean `{nearest}`?"));
        }
        self
    }
}
