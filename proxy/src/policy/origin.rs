//! Where things stand in files: for explanations and logs, and no part of what they mean.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Where its fields stand, of objects that advice is given about.
    pub fields: Fields,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Which fields an object was written with, and where, by their paths: `trafficPolicy.outlierDetection`, `subsets.0.name`. Two of them
/// are always equal, so that objects that mean the same are.
#[derive(Clone, Default)]
pub struct Fields(Arc<BTreeMap<String, Spot>>);

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spot {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// Its length in characters.
    pub width: usize,
}

impl Fields {
    /// Of fields with their places.
    pub fn new(places: BTreeMap<String, Spot>) -> Self {
        Self(Arc::new(places))
    }

    /// True if nothing is known of any field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the field was written.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Where a field stands, or the innermost of those around it that was written.
    pub fn nearest(&self, path: &str) -> Option<Spot> {
        let mut path = path;
        loop {
            if let Some(spot) = self.0.get(path) {
                return Some(*spot);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    /// Where the first of all fields stands.
    pub fn first(&self) -> Option<Spot> {
        self.0.values().min_by_key(|spot| (spot.line, spot.column)).copied()
    }

    /// The paths of all fields within a field, as they stand behind its own.
    pub fn within<'f>(&'f self, path: &'f str) -> impl Iterator<Item = &'f str> {
        let inner = move |(known, _): (&'f String, &Spot)| known.strip_prefix(path)?.strip_prefix('.');
        self.0.range(path.to_owned()..).take_while(move |(known, _)| known.starts_with(path)).filter_map(inner)
    }

    /// The path of the first field that ends so.
    pub fn ending(&self, end: &str) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|path| path.ends_with(end))
    }
}

impl PartialEq for Fields {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fields", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_was_not_written_stands_where_the_one_around_it_does() {
        let spot = |line| Spot { line, column: 1, width: 3 };
        let paths = [("tcp", 1), ("tcp.max", 2), ("tcp.max.0", 3), ("tcpx", 4)];
        let fields = Fields::new(paths.map(|(path, line)| (path.to_owned(), spot(line))).into());
        for (path, line) in [("tcp.max", Some(2)), ("tcp.max.1.a", Some(2)), ("tcp.least", Some(1)), ("http", None)] {
            assert_eq!(fields.nearest(path).map(|spot| spot.line), line, "{path}");
        }
        assert_eq!(fields.first(), Some(spot(1)));
        assert!(fields.has("tcpx") && !fields.has("tcp.least"));
        assert_eq!(fields.within("tcp").collect::<Vec<_>>(), ["max", "max.0"]);
        assert_eq!(fields.ending(".0"), Some("tcp.max.0"));
        assert_eq!(fields, Fields::default());
    }
}
