//! Conditions on text, and regular expressions.

use super::message::Message;
use super::reading::Said;
use super::schema::{GOOGLE_RE2, REGEX, REGEX_REWRITE, STRING_MATCH};
use super::written::Written;
use crate::policy::{Pattern, TextMatch};
use regex::{Regex, RegexBuilder};

/// Largest compiled expression, bytes.
const MOST_BYTES: usize = 1 << 20;

/// A condition on text.
pub(super) fn text_match(written: &Written<'_>) -> Option<TextMatch> {
    let message = written.message(&STRING_MATCH)?;
    let ignore_case = message.flag("ignore_case");
    let (kind, value) = message.one_of(&["exact", "prefix", "suffix", "safe_regex", "contains"], true)?;
    let pattern = match kind {
        "safe_regex" => {
            if ignore_case {
                value.warn("`ignore_case` has no effect on a regular expression; write `(?i)` at its beginning");
            }
            Pattern::Regex(whole(&value)?)
        }
        "exact" => Pattern::Exact(value.text()?.to_owned()),
        "prefix" => Pattern::Prefix(full(&value)?),
        "suffix" => Pattern::Suffix(full(&value)?),
        _ => Pattern::Contains(full(&value)?),
    };
    Some(TextMatch { pattern, ignore_case })
}

/// A text that must not be empty.
pub(super) fn full(written: &Written<'_>) -> Option<String> {
    let text = written.text()?;
    if text.is_empty() {
        written.error("this must not be empty");
    }
    Some(text.to_owned())
}

/// A regular expression that must match the whole text.
pub(super) fn whole(written: &Written<'_>) -> Option<Regex> {
    regex(written, |text| format!("^(?:{text})$"))
}

/// A regular expression that may match anywhere.
pub(super) fn somewhere(written: &Written<'_>) -> Option<Regex> {
    regex(written, str::to_owned)
}

fn regex(written: &Written<'_>, form: impl Fn(&str) -> String) -> Option<Regex> {
    let message = written.message(&REGEX)?;
    message.message("google_re2", &GOOGLE_RE2);
    let text = message.required_text("regex");
    if text.is_empty() {
        return None;
    }
    let alone = RegexBuilder::new(&text).size_limit(MOST_BYTES).build();
    // The expression by itself first: `a)(b` is none, and would be one between brackets.
    let read = alone.and_then(|_| RegexBuilder::new(&form(&text)).size_limit(MOST_BYTES).build());
    read.map_err(|error| {
        let reason = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
        let said = Said::from(format!("`{text}` is no regular expression: {reason}"));
        message.value("regex").unwrap_or(written).error(said.expected("one that RE2 can read"));
    })
    .ok()
}

/// An expression with what stands in place of its matches. RE2's `\1` becomes `${1}`.
pub(super) fn rewrite(written: &Written<'_>) -> Option<(Regex, String)> {
    let message: Message<'_> = written.message(&REGEX_REWRITE)?;
    message.require("pattern");
    let pattern = message.value("pattern").and_then(somewhere)?;
    let text = message.text("substitution").unwrap_or_default();
    let mut substitution = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => substitution.push_str("$$"),
            '\\' => match letters.next() {
                Some('\\') => substitution.push('\\'),
                Some(digit) if digit.is_ascii_digit() => {
                    let group = digit.to_digit(10).unwrap_or(0) as usize;
                    if group >= pattern.captures_len() {
                        written.error(format!("the substitution names group {group}, which the pattern does not have"));
                    }
                    substitution.extend(["${", digit.encode_utf8(&mut [0; 4]), "}"]);
                }
                _ => written.error("a `\\` in a substitution is followed by a digit or by another one"),
            },
            _ => substitution.push(letter),
        }
    }
    Some((pattern, substitution))
}
