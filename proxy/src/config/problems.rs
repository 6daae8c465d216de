//! What is wrong with one object, and what of it is accepted without effect.

use super::LoadOptions;
use serde::de::DeserializeOwned;
use squall_yaml::{Document, Finding, Place, Severity};
use std::path::{Path, PathBuf};

/// Collects findings of one object.
pub(super) struct Problems<'a> {
    file: &'a Path,
    options: &'a LoadOptions,
    findings: Vec<Finding>,
    accepted: Vec<Finding>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(file: &'a Path, options: &'a LoadOptions) -> Self {
        Self { file, options, findings: Vec::new(), accepted: Vec::new() }
    }

    /// Reads an object of a kind. Fields that are not obeyed are errors, unless they are accepted.
    pub(super) fn read<T: DeserializeOwned>(&mut self, document: &Document, kind: &str) -> Option<T> {
        let read = match document.read::<T>() {
            Ok(read) => read,
            Err(findings) => {
                self.findings.extend(findings);
                return None;
            }
        };
        for finding in read.unsupported {
            let field = format!("{kind}.{}", without_indices(&finding.message));
            let message = format!("`{field}` is valid but not obeyed");
            if self.options.accept_unsupported.contains(&field) {
                self.accepted.push(Finding { severity: Severity::Warning, message, ..finding });
            } else {
                let help = Some(format!("list `{field}` under `accept-unsupported:` if it may stay without effect"));
                self.findings.push(Finding { message, help, code: Some("SQ0302"), ..finding });
            }
        }
        Some(read.value)
    }

    /// True if objects of this kind may stay without effect; it is noted then.
    pub(super) fn accepts(&mut self, kind: &str, place: Place) -> bool {
        let accepted = self.options.accept_unsupported.iter().any(|accepted| accepted == kind);
        if accepted {
            self.push(Severity::Warning, place, format!("`{kind}` is valid but not obeyed"), String::new());
            self.accepted.extend(self.findings.pop());
        }
        accepted
    }

    /// Adds an error.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, place, message.into(), help.into());
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, place, message.into(), help.into());
    }

    fn push(&mut self, severity: Severity, place: Place, message: String, help: String) {
        self.findings.push(Finding {
            severity,
            file: self.file.to_owned(),
            place,
            span_len: 0,
            message,
            expected: None,
            help: (!help.is_empty()).then_some(help),
            code: Some("SQ0303"),
        });
    }

    /// The file, for origins.
    pub(super) fn file(&self) -> PathBuf {
        self.file.to_owned()
    }

    /// Errors and warnings; then fields that were accepted.
    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<Finding>) {
        (self.findings, self.accepted)
    }
}

/// `spec.http[0].mirror` as `spec.http.mirror`.
fn without_indices(path: &str) -> String {
    let mut depth = 0;
    path.chars()
        .filter(|letter| {
            depth += i32::from(*letter == '[');
            let keep = depth == 0;
            depth -= i32::from(*letter == ']');
            keep
        })
        .collect()
}
