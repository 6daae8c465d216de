use std::path::PathBuf;

/// A place in a file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A file that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is done with the file.
    Error,
    /// It is likely not what was meant.
    Warning,
}

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
    /// Characters that are concerned, 0 if that is not known.
    pub span_len: usize,
    /// What is wrong.
    pub message: String,
    /// What was expected in its place.
    pub expected: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// A code that can be searched for.
    pub code: Option<&'static str>,
}

impl std::fmt::Display for Finding {
    /// One line, for logs; people are shown more.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, place, message, .. } = self;
        write!(f, "{}", file.display())?;
        if place.line > 0 {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {message}")?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// The known name that is likely meant.
pub fn suggest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(name, candidate);
    let nearest = known.iter().copied().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(nearest) > 0.8).then_some(nearest)
}
