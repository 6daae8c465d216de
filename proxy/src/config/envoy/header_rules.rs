//! Changes of fields, as they stand on tables, hosts, routes and weighted clusters.

use super::access_log;
use super::data;
use super::message::Message;
use super::reading::Said;
use super::schema::{HEADER_OPTION, HEADER_VALUE};
use super::written::Written;
use crate::policy::{AppendAction, HeaderAddition, HeaderOperations, HeaderRules};
use squall_http1::is_token;

/// Changes in both directions.
pub(super) fn read(message: &Message<'_>) -> HeaderRules {
    HeaderRules {
        request: HeaderOperations {
            remove: removals(message, "request_headers_to_remove"),
            add: additions(message, "request_headers_to_add"),
        },
        response: HeaderOperations {
            remove: removals(message, "response_headers_to_remove"),
            add: additions(message, "response_headers_to_add"),
        },
    }
}

fn removals(message: &Message<'_>, field: &str) -> Vec<String> {
    let names = message.values(field);
    names.iter().filter_map(|written| name(written).inspect(|name| changeable(written, name))).collect()
}

/// Fields that are added.
pub(super) fn additions(message: &Message<'_>, field: &str) -> Vec<HeaderAddition> {
    let options = message.messages(field, &HEADER_OPTION);
    if options.len() > 1000 {
        message.at.error(format!("`{field}` has {} entries, and 1000 are the most", options.len()));
    }
    options.iter().filter_map(addition).collect()
}

fn addition(option: &Message<'_>) -> Option<HeaderAddition> {
    let actions = [
        ("APPEND_IF_EXISTS_OR_ADD", 0, Some(AppendAction::AppendIfExistsOrAdd)),
        ("ADD_IF_ABSENT", 1, Some(AppendAction::AddIfAbsent)),
        ("OVERWRITE_IF_EXISTS_OR_ADD", 2, Some(AppendAction::OverwriteIfExistsOrAdd)),
        ("OVERWRITE_IF_EXISTS", 3, Some(AppendAction::OverwriteIfExists)),
    ];
    if option.has("append") && option.has("append_action") {
        option.at.error("`append` and `append_action` exclude each other");
    }
    let action = match option.boolean("append") {
        Some(false) => AppendAction::OverwriteIfExistsOrAdd,
        _ => option.choice("append_action", &actions).unwrap_or_default(),
    };
    let keep_empty = option.flag("keep_empty_value");
    option.require("header");
    let header = option.message("header", &HEADER_VALUE)?;
    header.require("key");
    let key = header.value("key").and_then(|key| name(key).inspect(|name| changeable(key, name)));
    let value = match header.one_of(&["value", "raw_value"], false) {
        Some(("value", value)) => value.text().map(|text| (value.clone(), text.to_owned())),
        Some((_, raw)) => {
            let text = data::base64(&raw).and_then(|bytes| String::from_utf8(bytes).ok());
            if text.is_none() {
                raw.refuse("a value that is no text");
            }
            text.map(|text| (raw, text))
        }
        None => Some((header.at.clone(), String::new())),
    };
    let (at, text) = value?;
    if text.chars().any(|letter| matches!(letter, '\0' | '\r' | '\n')) {
        at.error("the value of a field holds no line ends");
    }
    if text.len() > 16_384 {
        at.error("the value of a field has 16384 bytes at most");
    }
    let value = access_log::command(&at, &text);
    Some(HeaderAddition { name: key?, value: value?, action, keep_empty })
}

/// The name of a field, in lower case; a pseudo-header is one too.
pub(super) fn name(written: &Written<'_>) -> Option<String> {
    let text = written.text()?;
    if !is_token(text.strip_prefix(':').unwrap_or(text)) {
        written
            .error(Said::from(format!("`{text}` cannot be the name of a field")).expected("letters, digits and `-`"));
        return None;
    }
    Some(text.to_ascii_lowercase())
}

fn changeable(written: &Written<'_>, name: &str) {
    if name.starts_with(':') || name == "host" {
        let said = Said::from(format!("`{name}` may not be changed by this"));
        written.error(
            said.help(
                "the host is rewritten by `host_rewrite_literal`, the path by `prefix_rewrite` or `regex_rewrite`",
            ),
        );
    }
}
