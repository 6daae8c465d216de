//! Access logs to files and to the standard streams.

use super::any::Extensions;
use super::data;
use super::message::Message;
use super::reading::Said;
use super::schema::{ACCESS_LOG, FILE_LOG, LOG_FORMAT, STDERR_LOG, STDOUT_LOG};
use super::written::Written;
use crate::policy::{AccessLog, Format, LogFormat, LogSink};
use squall_yaml::Value;
use std::path::PathBuf;

const LOGGERS: Extensions = Extensions {
    known: &[&FILE_LOG, &STDOUT_LOG, &STDERR_LOG],
    package: "envoy.extensions.access_loggers.",
    others: "dynamic_modules fluentd grpc open_telemetry stats wasm",
};

/// All logs of a field.
pub(super) fn all(message: &Message<'_>, name: &str) -> Vec<AccessLog> {
    message.messages(name, &ACCESS_LOG).iter().filter_map(one).collect()
}

fn one(log: &Message<'_>) -> Option<AccessLog> {
    if !log.require("typed_config") {
        return None;
    }
    let logger = log.value("typed_config")?.any(&LOGGERS)?;
    if logger.is(&FILE_LOG) {
        let path = PathBuf::from(logger.required_text("path"));
        let kinds = ["log_format", "format", "json_format", "typed_json_format"];
        let format = match logger.one_of(&kinds, false) {
            Some(("log_format", format)) => substitution(&format),
            Some(("format", text)) => text.text().and_then(|format| plain(&text, format)),
            Some((_, fields)) => json(&fields),
            None => default_format(),
        };
        return Some(AccessLog { to: LogSink::File(path), format: format? });
    }
    let to = if logger.is(&STDOUT_LOG) { LogSink::Stdout } else { LogSink::Stderr };
    let format = logger.value("log_format").map_or_else(default_format, substitution);
    Some(AccessLog { to, format: format? })
}

fn default_format() -> Option<LogFormat> {
    Format::parse(LogFormat::ENVOY).ok().map(LogFormat::Text)
}

fn substitution(written: &Written<'_>) -> Option<LogFormat> {
    let format = written.message(&LOG_FORMAT)?;
    match format.one_of(&["text_format_source", "json_format", "text_format"], true)? {
        ("text_format", text) => plain(&text, text.text()?),
        ("json_format", fields) => json(&fields),
        (_, source) => {
            let bytes = data::bytes(&format, "text_format_source")?;
            let text = String::from_utf8(bytes).map_err(|_| source.error("this is no text in UTF-8")).ok()?;
            plain(&source, &text)
        }
    }
}

fn plain(at: &Written<'_>, text: &str) -> Option<LogFormat> {
    command(at, text).map(LogFormat::Text)
}

/// A text with commands; tells what cannot be read.
pub(super) fn command(at: &Written<'_>, text: &str) -> Option<Format> {
    Format::parse(text).map_err(|error| at.error(Said::from(error.to_string()))).ok()
}

fn json(fields: &Written<'_>) -> Option<LogFormat> {
    let mut read = Vec::new();
    let entries = fields.entries();
    let all = entries.len();
    for (key, value) in entries {
        match &value.node.value {
            Value::List(_) | Value::Map(_) => value.refuse("a list or a map in a log of JSON"),
            Value::Text(text) => read.extend(command(&value, text).map(|format| (key.to_owned(), format))),
            // As it is: Envoy's own formatter prints a number or truth value as such.
            other => read.push((key.to_owned(), Format::literal(other.scalar().unwrap_or_default()))),
        }
    }
    (read.len() == all).then_some(LogFormat::Json(read))
}
