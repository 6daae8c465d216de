//! A value as YAML in block style.

use serde_json::Value;
use std::fmt::Write;

/// The whole text; null is written `none`.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(_) | Value::Array(_) if !is_empty(value) => block(value, 0, &mut text),
        value => text.push_str(&scalar(value)),
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The entries of a collection, each on lines of its own.
fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                pad(indent, text);
                text.push_str(&plain_or_quoted(key));
                text.push(':');
                if is_nested(value) {
                    text.push('\n');
                    block(value, indent + 2, text);
                } else {
                    text.push(' ');
                    text.push_str(&scalar(value));
                    text.push('\n');
                }
            }
        }
        Value::Array(entries) => {
            for value in entries {
                pad(indent, text);
                text.push_str("- ");
                if is_nested(value) {
                    // The first entry stands behind the dash.
                    let mut inner = String::new();
                    block(value, indent + 2, &mut inner);
                    text.push_str(inner.trim_start_matches(' '));
                } else {
                    text.push_str(&scalar(value));
                    text.push('\n');
                }
            }
        }
        _ => {}
    }
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn is_nested(value: &Value) -> bool {
    (value.is_object() || value.is_array()) && !is_empty(value)
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(known) => known.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain_or_quoted(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A text as it is where no reader can take it for anything else, else between quotation marks.
fn plain_or_quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./%|:*".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let digits_first = text.starts_with(|c: char| c.is_ascii_digit());
    let has_unit = digits_first && text.ends_with(|c: char| c.is_ascii_alphabetic() || c == '%') && !text.contains(':');
    let exponent = digits_first && text.chars().all(|c| c.is_ascii_digit() || "eExXoO._+-".contains(c));
    let words = ["true", "false", "null", "none", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.iter().any(|word| word.eq_ignore_ascii_case(text));
    let safe = text.chars().all(is_plain) && !text.ends_with(':') && (starts_well || has_unit) && !exponent && !is_word;
    if safe { text.to_owned() } else { quoted(text) }
}

/// JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || "\u{feff}\u{2028}\u{2029}".contains(c) => {
                // Writing to a string never fails.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
