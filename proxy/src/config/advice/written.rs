//! A policy as it was written: in whose words, with which fields, and where they stand.

use super::words::{Dialect, Word};
use super::{Advice, Code};
use crate::policy::Origin;
use squall_yaml::Place;

/// A policy as it was written.
#[derive(Debug, Clone)]
pub(super) struct Written<'a> {
    pub(super) dialect: Dialect,
    pub(super) origin: &'a Origin,
    /// Paths of the places that may hold a block, the one that goes ahead of the others first.
    bases: Vec<String>,
}

impl<'a> Written<'a> {
    /// A route, whose fields stand right below it.
    pub(super) fn route(dialect: Dialect, origin: &'a Origin) -> Self {
        Self { dialect, origin, bases: Vec::new() }
    }

    /// A policy whose blocks may stand at several places.
    pub(super) fn at(dialect: Dialect, origin: &'a Origin, bases: Vec<String>) -> Self {
        Self { dialect, origin, bases }
    }

    /// The field's own name.
    pub(super) fn name(&self, word: Word) -> &'static str {
        word.name(self.dialect)
    }

    /// True if the field was written in the block that holds.
    pub(super) fn has(&self, word: Word) -> bool {
        self.origin.fields.has(&self.path(word))
    }

    /// The field's path in the object: in the first place that has its block.
    pub(super) fn path(&self, word: Word) -> String {
        let path = word.path(self.dialect);
        let block = path.split('.').next().unwrap_or(path);
        let below =
            |base: &String, inner: &str| if base.is_empty() { inner.to_owned() } else { format!("{base}.{inner}") };
        let holding = self.bases.iter().find(|base| self.origin.fields.has(&below(base, block)));
        holding.or(self.bases.last()).map_or_else(|| path.to_owned(), |base| below(base, path))
    }

    /// Advice at a field, or at the block that it is missing in.
    pub(super) fn advise(&self, code: &'static Code, at: Word, what: String, fix: &[(Word, String)]) -> Advice {
        self.advise_at(code, &self.path(at), what, self.dialect.lines(fix))
    }

    /// Advice at the field with this path.
    pub(super) fn advise_at(&self, code: &'static Code, path: &str, what: String, fix: String) -> Advice {
        advice_at(self.origin, code, path, what, fix)
    }
}

/// Advice at a field of an object, or else at its first, or where none is known at its line.
pub(super) fn advice_at(origin: &Origin, code: &'static Code, path: &str, what: String, fix: String) -> Advice {
    let spot = origin.fields.nearest(path).or_else(|| origin.fields.first());
    let line = || Place { line: origin.line, column: 1 };
    Advice {
        code,
        what,
        fix,
        file: origin.file.clone(),
        place: spot.map_or_else(line, |spot| Place { line: spot.line, column: spot.column }),
        span_len: spot.map_or(0, |spot| spot.width),
    }
}
