//! What one reading of a bootstrap shares: its file, what was found wrong, and the values of its runtime.

use super::super::mesh::IstioVersion;
use super::super::problems::Problems;
use super::references::Wanted;
use super::runtime::Runtime;
use squall_yaml::{Finding, Node, Place, Severity};
use std::cell::RefCell;
use std::path::PathBuf;

/// One reading. Findings are collected while values are handed on, so that all mistakes are told at once.
pub(super) struct Reading {
    /// The file.
    pub(super) file: PathBuf,
    /// Nobody will ask where fields stand.
    pub(super) forget_fields: bool,
    /// By the Envoy of which Istio it is read.
    pub(super) version: IstioVersion,
    /// Values of the static runtime layers.
    pub(super) runtime: RefCell<Runtime>,
    /// Clusters that are named.
    pub(super) wanted: RefCell<Vec<Wanted>>,
    notes: RefCell<Vec<Note>>,
}

struct Note {
    finding: Finding,
    /// The name by which it may be accepted, if it is a field that is valid and not obeyed.
    field: Option<String>,
}

/// What is said about a value.
pub(super) struct Said {
    /// What is wrong.
    pub(super) message: String,
    /// What was expected instead.
    pub(super) expected: Option<String>,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl From<&str> for Said {
    fn from(message: &str) -> Self {
        Self { message: message.to_owned(), expected: None, help: None }
    }
}

impl From<String> for Said {
    fn from(message: String) -> Self {
        Self { message, expected: None, help: None }
    }
}

impl Said {
    /// With what was expected.
    pub(super) fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// With what to do.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Reading {
    pub(super) fn new(problems: &Problems<'_>) -> Self {
        Self {
            file: problems.file(),
            forget_fields: problems.forget_fields(),
            version: problems.version(),
            runtime: RefCell::default(),
            wanted: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    /// Notes an error at a node.
    pub(super) fn error(&self, node: &Node, said: Said) {
        self.note(Severity::Error, "SQ0303", node.place, node.len, said, None);
    }

    /// Notes a warning at a node.
    pub(super) fn warn(&self, node: &Node, said: Said) {
        self.note(Severity::Warning, "SQ0303", node.place, node.len, said, None);
    }

    /// Notes an error, or a warning where it is not strict, at a place that has been left.
    pub(super) fn at(&self, place: Place, len: usize, strict: bool, said: Said) {
        let severity = if strict { Severity::Error } else { Severity::Warning };
        self.note(severity, "SQ0303", place, len, said, None);
    }

    /// Notes something valid that is not obeyed; it may be accepted by the name of its field, if it has one.
    pub(super) fn refuse(&self, place: Place, len: usize, said: Said, field: Option<String>) {
        self.note(Severity::Error, "SQ0302", place, len, said, field);
    }

    fn note(
        &self,
        severity: Severity,
        code: &'static str,
        place: Place,
        span_len: usize,
        said: Said,
        field: Option<String>,
    ) {
        let Said { message, expected, help } = said;
        let file = self.file.clone();
        let finding = Finding { severity, file, place, span_len, message, expected, help, code: Some(code) };
        self.notes.borrow_mut().push(Note { finding, field });
    }

    /// Hands everything on, in the order of the file. True if there was no error beside what is accepted.
    pub(super) fn hand_over(self, problems: &mut Problems<'_>) -> bool {
        let mut notes = self.notes.into_inner();
        notes.sort_by_key(|note| note.finding.place);
        let mut whole = true;
        for Note { finding, field } in notes {
            if let Some(field) = field {
                whole &= problems.refuse_unless_accepted(&field, finding);
            } else {
                whole &= finding.severity != Severity::Error;
                problems.add(finding);
            }
        }
        whole
    }
}
