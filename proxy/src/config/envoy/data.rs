//! Data that stands in the bootstrap, in a file, or in the environment.

use super::message::Message;
use super::reading::Said;
use super::schema::DATA_SOURCE;
use super::written::Written;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::path::PathBuf;

const SPECIFIERS: [&str; 4] = ["filename", "inline_bytes", "inline_string", "environment_variable"];

/// The data itself, wherever it is.
pub(super) fn bytes(message: &Message<'_>, name: &str) -> Option<Vec<u8>> {
    let source = message.message(name, &DATA_SOURCE)?;
    let (kind, value) = source.one_of(&SPECIFIERS, true)?;
    match kind {
        "inline_string" => Some(value.text()?.as_bytes().to_owned()),
        "inline_bytes" => base64(&value),
        "environment_variable" => {
            let text = value.text()?;
            let read = std::env::var(text).ok();
            if read.is_none() {
                value.error(format!("there is no environment variable `{text}`"));
            }
            read.map(String::into_bytes)
        }
        _ => {
            let path = value.text()?;
            let read = squall_yaml::read_plain(path.as_ref());
            read.map_err(|error| value.error(format!("`{path}` cannot be read: {error}"))).ok()
        }
    }
}

/// The file that it is in. Data that is in no file is refused: `what` says what it is.
pub(super) fn file(message: &Message<'_>, name: &str, what: &str) -> Option<PathBuf> {
    let source = message.message(name, &DATA_SOURCE)?;
    let (kind, value) = source.one_of(&SPECIFIERS, true)?;
    if kind != "filename" {
        let said = Said::from(format!("`{}`: {what} outside of a file is valid but not obeyed", value.path));
        let help = said.help("write it to a file, and name that under `filename`");
        value.reading.refuse(value.node.place, value.node.len, help, None);
        return None;
    }
    let path = value.text()?;
    if path.is_empty() {
        value.error("this must not be empty");
    }
    Some(PathBuf::from(path))
}

/// Bytes in base64, with or without padding.
pub(super) fn base64(written: &Written<'_>) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = written.text()?;
    let url_safe = text.contains(['-', '_']);
    let alphabet = if url_safe { &base64::alphabet::URL_SAFE } else { &base64::alphabet::STANDARD };
    let read = GeneralPurpose::new(alphabet, config).decode(text);
    if read.is_err() {
        written.error(Said::from("this is no base64").expected("bytes in base64"));
    }
    read.ok()
}
