//! Shows findings as compilers do: what is wrong, where, the line with the place marked, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use squall_proxy::config::advice;
use squall_yaml::{Finding, Severity, Source};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Bytes of a line beyond which none of its file is shown.
const MOST_SHOWN: usize = 10_000;

/// Shows all findings on standard error, in colour where colours are wanted.
pub fn print(findings: &[Finding]) {
    anstream::eprint!("{}", render(findings, true));
}

/// All findings as text, and how many errors and warnings there are at the end. With `colours` the text holds ANSI escapes.
pub fn render(findings: &[Finding], colours: bool) -> String {
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let mut texts: HashMap<&PathBuf, String> = HashMap::new();
    let mut shown = String::new();
    for finding in findings {
        // A file that has gone since it was read is shown without its line.
        let text = texts.entry(&finding.file).or_insert_with(|| text_of(&finding.file));
        shown.push_str(&renderer.render(&[group(finding, text)]));
        shown.push_str("\n\n");
    }
    if !findings.is_empty() {
        // Writing to a string never fails.
        let _ = writeln!(shown, "{}", summary(findings));
    }
    shown
}

/// Nothing for what cannot be read, or not be shown in a sensible way.
fn text_of(file: &Path) -> String {
    let text = Source::read(file).map(|source| source.text).unwrap_or_default();
    if text.lines().any(|line| line.len() > MOST_SHOWN) { String::new() } else { text }
}

/// `2 errors, 1 warning`.
pub fn summary(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    match (errors, findings.len() - errors) {
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

fn group<'a>(finding: &'a Finding, text: &'a str) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title = level.primary_title(finding.message.as_str());
    if let Some(code) = finding.code {
        title = title.id(code);
    }
    let path = finding.file.display().to_string();
    let group = if let Some(span) = span(finding, text) {
        let label = finding.expected.as_ref().map(|expected| format!("expected {expected}"));
        let mark = AnnotationKind::Primary.span(span).label(label);
        Group::with_title(title).element(Snippet::source(text).path(path).annotation(mark))
    } else {
        let origin = Origin::path(path).line(finding.place.line.max(1)).char_column(finding.place.column.max(1));
        let group = Group::with_title(title).element(origin);
        match &finding.expected {
            Some(expected) => group.element(Level::NOTE.message(format!("expected {expected}"))),
            None => group,
        }
    };
    let group = match finding.code.and_then(advice::why) {
        Some(why) => group.element(Level::NOTE.message(why)),
        None => group,
    };
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// Bytes of the text that are marked.
fn span(finding: &Finding, text: &str) -> Option<std::ops::Range<usize>> {
    let line = finding.place.line.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?.split('\n').next()?;
    let column = finding.place.column.checked_sub(1)?;
    let from = rest.char_indices().nth(column).map_or(rest.trim_end().len(), |(at, _)| at);
    let marked = rest.get(from..)?;
    let length = match finding.span_len {
        0 => word(marked),
        length => marked.char_indices().nth(length).map_or(marked.trim_end().len(), |(at, _)| at),
    };
    (!rest.is_empty()).then(|| start + from..start + from + length)
}

/// Length of the scalar that begins there, or of the bracket that opens a collection.
fn word(text: &str) -> usize {
    let mut letters = text.chars();
    match letters.next() {
        Some(quote @ ('"' | '\'')) => letters.as_str().find(quote).map_or(1, |end| end + 2),
        Some('{' | '[' | '-') | None => text.len().min(1),
        Some(_) => {
            text.find([',', '}', ']', '\r', '#']).unwrap_or(text.len()).min(text.find(": ").unwrap_or(text.len()))
        }
    }
    .min(text.trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::render;
    use squall_yaml::{Finding, Place, Severity};
    use std::fs;

    #[test]
    fn a_finding_shows_code_place_line_mark_expected_and_help() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cart.yaml");
        fs::write(&file, "scenario: x\nload: {to: carrt, rate: 5/s}\n").unwrap();
        let finding = Finding {
            severity: Severity::Error,
            file,
            place: Place { line: 2, column: 12 },
            span_len: 0,
            message: "no service `carrt`".to_owned(),
            expected: Some("one of `cart`".to_owned()),
            help: Some("did you mean `cart`?".to_owned()),
            code: Some("SQ1002"),
        };
        let shown = render(&[finding], false).replace(&folder.path().display().to_string(), "");
        insta::assert_snapshot!(shown);
    }
}
