//! `squall doctor`.

use super::{Exit, color};
use crate::run::machine::{self, Finding, Grade};
use std::io::Write;

/// Looks at the machine and says what it can do.
pub(super) fn main(color: color::When) -> Exit {
    let mut out = anstream::AutoStream::new(std::io::stdout(), color::choice(color::stdout(color)));
    let findings = machine::examine();
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    for Finding { what, grade, text } in &findings {
        let sign = match grade {
            Grade::Good => "\x1b[32m✓\x1b[0m",
            Grade::Limited => "\x1b[33m!\x1b[0m",
            Grade::Missing => "\x1b[31m✗\x1b[0m",
        };
        // A closed pipe ends quietly.
        let _ = writeln!(out, "{sign} {what:width$}  {text}");
    }
    if findings.iter().any(|finding| finding.grade == Grade::Missing) { Exit::Error } else { Exit::Success }
}
