//! Changes of header fields, and texts with fields of the request in them.

use super::words;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;

/// Changes of fields in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeaderRules {
    /// Of the request.
    pub request: HeaderOperations,
    /// Of the answer.
    pub response: HeaderOperations,
}

/// Changes of fields: removed first, then added, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeaderOperations {
    /// Removed; in lower case.
    pub remove: Vec<String>,
    /// Added or overwritten.
    pub add: Vec<HeaderAddition>,
}

/// A field that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderAddition {
    /// Its name, in lower case; `:authority` is the host.
    pub name: String,
    /// Its value.
    pub value: Format,
    /// What becomes of one that is there.
    pub action: AppendAction,
    /// Added even if its value turns out empty.
    pub keep_empty: bool,
}

impl Serialize for HeaderAddition {
    /// Without a value that is secret.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value = self.value.to_string();
        let mut map = to.serialize_map(Some(4))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("value", words::field(&self.name, &value))?;
        map.serialize_entry("action", &self.action)?;
        map.serialize_entry("keep-empty", &self.keep_empty)?;
        map.end()
    }
}

/// What becomes of a field that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppendAction {
    /// Another one beside it.
    #[default]
    AppendIfExistsOrAdd,
    /// It stays alone.
    AddIfAbsent,
    /// Overwritten; added where there is none.
    OverwriteIfExistsOrAdd,
    /// Overwritten; not added where there is none.
    OverwriteIfExists,
}

impl HeaderOperations {
    /// True if nothing changes.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

/// A text in which Envoy's commands, `%REQ(x-user)%`, stand for what a request has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Format {
    /// One behind the other.
    pub pieces: Vec<Piece>,
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// What a request has.
    Command(Command),
}

/// What stands for something that a request has: `%NAME(argument):length%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// In upper case, one of [`Command::KNOWN`].
    pub name: &'static str,
    /// Between the brackets.
    pub argument: String,
    /// Cut to so many bytes.
    pub max_length: Option<usize>,
}

impl Command {
    /// Commands that are obeyed.
    pub const KNOWN: [&'static str; 41] = [
        "BYTES_RECEIVED",
        "BYTES_SENT",
        "CONNECTION_ID",
        "CONNECTION_TERMINATION_DETAILS",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_LOCAL_ADDRESS",
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_LOCAL_PORT",
        "DOWNSTREAM_LOCAL_SUBJECT",
        "DOWNSTREAM_LOCAL_URI_SAN",
        "DOWNSTREAM_PEER_SUBJECT",
        "DOWNSTREAM_PEER_URI_SAN",
        "DOWNSTREAM_REMOTE_ADDRESS",
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_REMOTE_PORT",
        "DOWNSTREAM_TLS_VERSION",
        "DURATION",
        "GRPC_STATUS",
        "GRPC_STATUS_NUMBER",
        "HOSTNAME",
        "METHOD",
        "PATH",
        "PROTOCOL",
        "REQ",
        "REQUESTED_SERVER_NAME",
        "REQUEST_DURATION",
        "RESP",
        "RESPONSE_CODE",
        "RESPONSE_CODE_DETAILS",
        "RESPONSE_DURATION",
        "RESPONSE_FLAGS",
        "ROUTE_NAME",
        "START_TIME",
        "TRAILER",
        "UPSTREAM_CLUSTER",
        "UPSTREAM_HOST",
        "UPSTREAM_LOCAL_ADDRESS",
        "UPSTREAM_REQUEST_ATTEMPT_COUNT",
        "UPSTREAM_TRANSPORT_FAILURE_REASON",
        "VIRTUAL_CLUSTER_NAME",
    ];
}

impl fmt::Display for Format {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('%', "%%"))?,
                Piece::Command(command) => {
                    write!(f, "%{}", command.name)?;
                    if !command.argument.is_empty() || command.max_length.is_some() {
                        write!(f, "({})", command.argument)?;
                    }
                    if let Some(length) = command.max_length {
                        write!(f, ":{length}")?;
                    }
                    f.write_str("%")?;
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A format that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFormat {
    /// A `%` that opens and does not close.
    #[error("a `%` is not closed: a single one is written `%%`")]
    Unbalanced,
    /// No such command.
    #[error("`%{0}%` is no command that is obeyed")]
    Unknown(String),
}

impl Format {
    /// A text without commands.
    pub fn literal(text: &str) -> Self {
        let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.to_owned())] };
        Self { pieces }
    }

    /// The text, if it has no commands.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Reads a text with commands; `%%` is a percent sign.
    pub fn parse(text: &str) -> Result<Self, BadFormat> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let inside = &rest[at + 1..];
            let end = command_end(inside).ok_or(BadFormat::Unbalanced)?;
            rest = &inside[end + 1..];
            if end == 0 {
                literal.push('%');
                continue;
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Command(command(&inside[..end])?));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self { pieces })
    }
}

/// Where the percent sign stands that closes a command; one between its brackets, as in `START_TIME(%s)`, does not.
fn command_end(inside: &str) -> Option<usize> {
    let first = inside.find(['%', '('])?;
    let behind = if inside[first..].starts_with('(') { first + inside[first..].find(')')? } else { first };
    Some(behind + inside[behind..].find('%')?)
}

fn command(text: &str) -> Result<Command, BadFormat> {
    let unknown = || BadFormat::Unknown(text.to_owned());
    let (call, max_length) = match text.rsplit_once("):") {
        Some((call, length)) => (format!("{call})"), Some(length.parse().map_err(|_| unknown())?)),
        None => (text.to_owned(), None),
    };
    let (name, argument) = match call.split_once('(') {
        Some((name, argument)) => (name, argument.strip_suffix(')').ok_or_else(unknown)?),
        None => (call.as_str(), ""),
    };
    let name = Command::KNOWN.into_iter().find(|known| *known == name).ok_or_else(unknown)?;
    Ok(Command { name, argument: argument.to_owned(), max_length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_between_percent_signs() {
        let format = Format::parse("a %REQ(x-user?:authority):8% 100%% %DURATION%").unwrap();
        let command = |name, argument: &str, max_length| {
            Piece::Command(Command { name, argument: argument.to_owned(), max_length })
        };
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            format.pieces,
            [text("a "), command("REQ", "x-user?:authority", Some(8)), text(" 100% "), command("DURATION", "", None)]
        );
        let time = Format::parse("%START_TIME(%Y-%m-%d %s)% %PROTOCOL%").unwrap();
        let expected = [command("START_TIME", "%Y-%m-%d %s", None), text(" "), command("PROTOCOL", "", None)];
        assert_eq!(time.pieces, expected);
        for text in ["a %REQ(x-user?:authority):8% 100%% %DURATION%", "%START_TIME(%Y-%m-%d %s)% %PROTOCOL%", "plain"] {
            assert_eq!(Format::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Format::parse("%START_TIME(%s%"), Err(BadFormat::Unbalanced));
        assert_eq!(Format::parse("plain").unwrap(), Format::literal("plain"));
        assert_eq!(Format::parse("50% off"), Err(BadFormat::Unbalanced));
        assert_eq!(Format::parse("%NOPE%"), Err(BadFormat::Unknown("NOPE".to_owned())));
    }
}
