//! `squall doctor`.

use super::Exit;
use crate::run::machine::{self, Finding, Grade};

/// Looks at the machine and says what it can do.
pub(super) fn main() -> Exit {
    let findings = machine::examine();
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    for Finding { what, grade, text } in &findings {
        let sign = match grade {
            Grade::Good => "\x1b[32m✓\x1b[0m",
            Grade::Limited => "\x1b[33m!\x1b[0m",
            Grade::Missing => "\x1b[31m✗\x1b[0m",
        };
        anstream::println!("{sign} {what:width$}  {text}");
    }
    if findings.iter().any(|finding| finding.grade == Grade::Missing) { Exit::Error } else { Exit::Success }
}
