//! Errors of reading: what serde says, and the node that it is about.

use crate::Node;
use serde::de::{Expected, Unexpected};
use std::fmt::{self, Display};

/// An error on its way to a finding.
#[derive(Debug, Default)]
pub(crate) struct Error {
    /// Address of the node, once a reader of a node has seen the error.
    pub(crate) node: Option<*const Node>,
    /// Address of the node whose place is shown, if it is another one.
    pub(crate) shown: Option<*const Node>,
    pub(crate) message: String,
    pub(crate) expected: Option<String>,
    pub(crate) help: Option<String>,
    /// Follows from another one that has been found before: prunes, but is not shown.
    pub(crate) silent: bool,
    /// Name of a key that is missing.
    pub(crate) missing: Option<&'static str>,
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    pub(crate) fn at(mut self, node: &Node) -> Self {
        self.node.get_or_insert(node);
        self
    }

    fn among(message: String, name: &str, known: &'static [&'static str]) -> Self {
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = crate::suggest(name, known).map(|nearest| format!("did you mean `{nearest}`?"));
        let expected = (!known.is_empty()).then(|| if known.len() == 1 { list } else { format!("one of {list}") });
        Self { message, expected, help, ..Self::default() }
    }
}

/// What serde expects, in the words of people who write YAML.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number, perhaps below 0".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" => "a text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ if expected.starts_with("struct ") => "a map".to_owned(),
        _ => expected.to_owned(),
    }
}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: message.to_string(), ..Self::default() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit | Unexpected::Option => "found nothing".to_owned(),
            Unexpected::Seq => "found a list".to_owned(),
            Unexpected::Map => "found a map".to_owned(),
            Unexpected::Str(text) => format!("found the text `{text}`"),
            Unexpected::Unsigned(number) => format!("found the number {number}"),
            Unexpected::Signed(number) => format!("found the number {number}"),
            Unexpected::Float(number) => format!("found the number {number}"),
            Unexpected::Bool(value) => format!("found `{value}`"),
            other => format!("found {other}"),
        };
        Self { message: found, expected: Some(in_words(&expected.to_string())), ..Self::default() }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::among(format!("`{name}` is not known here"), name, known)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::among(format!("unknown key `{name}`"), name, known)
    }

    fn missing_field(name: &'static str) -> Self {
        Self { message: format!("`{name}` is missing"), missing: Some(name), ..Self::default() }
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::custom(format_args!("the key `{name}` stands here twice"))
    }
}
