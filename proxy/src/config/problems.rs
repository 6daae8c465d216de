//! What is wrong with one object, and what of it is accepted without effect.

use super::LoadOptions;
use super::fields;
use super::kinds::Kind;
use super::mesh::IstioVersion;
use super::sieve::sieve;
use crate::policy::Origin;
use serde::de::DeserializeOwned;
use squall_yaml::{Document, Finding, Node, Place, Severity};
use std::fmt;
use std::path::{Path, PathBuf};

/// Collects findings of one object.
pub(super) struct Problems<'a> {
    file: &'a Path,
    options: &'a LoadOptions,
    /// The kind that is read, empty until it is.
    kind: &'static str,
    findings: Vec<Finding>,
    accepted: Vec<Finding>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(file: &'a Path, options: &'a LoadOptions) -> Self {
        Self { file, options, kind: "", findings: Vec::new(), accepted: Vec::new() }
    }

    /// Reads an object of a kind. Fields that are not obeyed are errors, unless they are accepted.
    pub(super) fn read<T: DeserializeOwned>(&mut self, document: &Document, kind: &'static Kind) -> Option<T> {
        self.kind = kind.name;
        match sieve(document, kind, self).read::<T>() {
            Ok(read) => Some(read.value),
            Err(findings) => {
                self.findings.extend(findings);
                None
            }
        }
    }

    /// Tells of a field, such as `VirtualService.spec.http.mirror`, that is valid but not obeyed; an error unless it is accepted.
    pub(super) fn unsupported(&mut self, place: Place, span_len: usize, field: &str) {
        self.not_obeyed(place, span_len, field, format!("`{field}` is valid but not obeyed"));
    }

    /// The same of one value of a field of the object that is read, such as `spec.trafficPolicy.tls.mode`.
    pub(super) fn unsupported_value(&mut self, place: Place, span_len: usize, field: &str, value: &dyn fmt::Display) {
        let field = format!("{}.{field}", self.kind);
        self.not_obeyed(place, span_len, &field, format!("`{field}: {value}` is valid but not obeyed"));
    }

    fn not_obeyed(&mut self, place: Place, span_len: usize, field: &str, message: String) {
        let accepted = self.options.accept_unsupported.iter().any(|accepted| accepted == field);
        let help = format!("list `{field}` under `accept-unsupported:` if it may stay without effect");
        let finding = Finding {
            severity: if accepted { Severity::Warning } else { Severity::Error },
            file: self.file(),
            place,
            span_len,
            message,
            expected: None,
            help: (!accepted).then_some(help),
            code: Some("SQ0302"),
        };
        if accepted { self.accepted.push(finding) } else { self.findings.push(finding) }
    }

    /// Adds a field that is valid and not obeyed: an error, unless it is accepted. True if it is.
    pub(super) fn refuse_unless_accepted(&mut self, field: &str, finding: Finding) -> bool {
        let accepted = self.options.accept_unsupported.iter().any(|accepted| accepted == field);
        if accepted {
            self.accepted.push(Finding { severity: Severity::Warning, code: None, ..finding });
        } else {
            let help = format!("list `{field}` under `accept-unsupported:` if it may stay without effect");
            self.findings.push(Finding { help: finding.help.or(Some(help)), ..finding });
        }
        accepted
    }

    /// Adds a finding as it is.
    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// True if objects of this kind may stay without effect; it is noted then.
    pub(super) fn accepts(&mut self, kind: &str, place: Place) -> bool {
        let accepted = self.options.accept_unsupported.iter().any(|accepted| accepted == kind);
        if accepted {
            self.unsupported(place, kind.len(), kind);
        }
        accepted
    }

    /// Does something again that tells the same findings as before; they count only the first time.
    pub(super) fn once<T>(&mut self, first: bool, again: impl FnOnce(&mut Self) -> T) -> T {
        let (findings, accepted) = (self.findings.len(), self.accepted.len());
        let done = again(self);
        if !first {
            self.findings.truncate(findings);
            self.accepted.truncate(accepted);
        }
        done
    }

    /// Whose fields and defaults hold.
    pub(super) fn version(&self) -> IstioVersion {
        self.options.version
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

    /// A file that a policy names: beside the policy's own, unless it says where from the root on.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// Where something of the file stands.
    pub(super) fn origin(&self, place: Place) -> Origin {
        Origin { file: self.file(), line: place.line, ..Origin::default() }
    }

    /// The same of an object that advice is given about: with the places of the fields of `root`, where that is known.
    pub(super) fn origin_of(&self, place: Place, root: Option<&Node>) -> Origin {
        Origin {
            fields: root
                .filter(|_| !self.options.forget_fields)
                .map(|root| fields::fields(root, str::to_owned))
                .unwrap_or_default(),
            ..self.origin(place)
        }
    }

    /// True if nobody will ask where fields stand.
    pub(super) fn forget_fields(&self) -> bool {
        self.options.forget_fields
    }

    /// Errors and warnings; then fields that were accepted.
    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<Finding>) {
        (self.findings, self.accepted)
    }
}
