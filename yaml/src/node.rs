use crate::Place;
use std::path::Path;
use std::sync::Arc;

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) file: Arc<Path>,
    /// The tree.
    pub root: Node,
}

impl Document {
    /// Where it begins.
    pub fn place(&self) -> Place {
        self.root.place
    }

    /// A part of it, or what was made of one, as a document of the same file.
    pub fn part(&self, root: Node) -> Self {
        Self { file: Arc::clone(&self.file), root }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// Characters of a scalar, 1 for a collection.
    pub len: usize,
    /// What.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, not below 0.
    Unsigned(u64, String),
    /// A whole number below 0.
    Signed(i64, String),
    /// Another number.
    Float(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// A plain scalar by the core schema of YAML 1.2, without octal, hexadecimal, infinities and exponents.
    pub(crate) fn plain(text: &str) -> Self {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let numeric = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.');
        let only = |extra: &str| digits.chars().all(|c| c.is_ascii_digit() || extra.contains(c));
        match text {
            "" | "~" | "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ if numeric && only("") => text
                .parse()
                .map(|number| Self::Unsigned(number, text.to_owned()))
                .or_else(|_| text.parse().map(|number| Self::Signed(number, text.to_owned())))
                .unwrap_or_else(|_| Self::Text(text.to_owned())),
            _ if numeric && only(".") && digits.matches('.').count() == 1 => {
                text.parse().map_or_else(|_| Self::Text(text.to_owned()), |number| Self::Float(number, text.to_owned()))
            }
            _ => Self::Text(text.to_owned()),
        }
    }

    /// A scalar as it was written.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Null => Some("null"),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Unsigned(_, text) | Self::Signed(_, text) | Self::Float(_, text) | Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl Node {
    /// The scalar as it was written, if it is one.
    pub fn scalar(&self) -> Option<&str> {
        self.value.scalar()
    }

    /// The value under a key, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(key, _)| key.scalar() == Some(name)).map(|(_, value)| value)
    }

    /// The entries of a map; none if it is something else.
    pub fn map(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entries of a list; none if it is something else.
    pub fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(entries) => entries,
            _ => &[],
        }
    }
}
