//! Conditions on fields, in the present form and in the deprecated ones.

use super::header_rules;
use super::message::Message;
use super::reading::Said;
use super::schema::{HEADER_MATCH, INT64_RANGE};
use super::text_match;
use super::written::Written;
use crate::policy::{HeaderMatch, Pattern, TextMatch};

const KINDS: [&str; 8] = [
    "string_match",
    "present_match",
    "range_match",
    "exact_match",
    "safe_regex_match",
    "prefix_match",
    "suffix_match",
    "contains_match",
];

/// All conditions of a field.
pub(super) fn all(message: &Message<'_>, name: &str) -> Vec<HeaderMatch> {
    message.values(name).iter().filter_map(one).collect()
}

/// One condition; without any specifier the field must be there.
pub(super) fn one(written: &Written<'_>) -> Option<HeaderMatch> {
    let message = written.message(&HEADER_MATCH)?;
    message.require("name");
    let name = message.value("name").and_then(header_rules::name);
    let mut invert = message.flag("invert_match");
    let missing_is_empty = message.flag("treat_missing_header_as_empty");
    let value = match message.one_of(&KINDS, false) {
        None => Some(TextMatch::present()),
        Some(("present_match", present)) => {
            // Not there at all is there, turned round.
            invert ^= present.boolean() == Some(false);
            Some(TextMatch::present())
        }
        Some((kind, value)) => specified(kind, &value),
    };
    Some(HeaderMatch { name: name?, value: value?, invert, missing_is_empty })
}

fn specified(kind: &str, value: &Written<'_>) -> Option<TextMatch> {
    let pattern = match kind {
        "string_match" => return text_match::text_match(value),
        "range_match" => {
            let (start, end) = range(value)?;
            Pattern::Range(start, end)
        }
        "exact_match" => Pattern::Exact(value.text()?.to_owned()),
        "safe_regex_match" => Pattern::Regex(text_match::whole(value)?),
        "prefix_match" => Pattern::Prefix(text_match::full(value)?),
        "suffix_match" => Pattern::Suffix(text_match::full(value)?),
        _ => Pattern::Contains(text_match::full(value)?),
    };
    Some(pattern.into())
}

/// A half-open range.
pub(super) fn range(value: &Written<'_>) -> Option<(i64, i64)> {
    let range = value.message(&INT64_RANGE)?;
    let bound = |name| match range.value(name) {
        Some(value) => value.within::<i64>(i128::from(i64::MIN), i128::from(i64::MAX)),
        None => Some(0),
    };
    let (start, end) = (bound("start")?, bound("end")?);
    if start >= end {
        value.error(
            Said::from(format!("nothing is from {start} up to, not including, {end}"))
                .help("`end` must be above `start`"),
        );
    }
    Some((start, end))
}
