//! A value as it stands in a bootstrap, with its path, read by the rules of protobuf's JSON.

use super::message::Message;
use super::reading::{Reading, Said};
use super::schema::Schema;
use squall_yaml::{Node, Value, suggest};
use std::fmt::Display;
use std::time::Duration;

/// A value with the way to it: `static_resources.clusters[0].connect_timeout`.
#[derive(Clone)]
pub(super) struct Written<'a> {
    pub(super) node: &'a Node,
    pub(super) path: String,
    pub(super) reading: &'a Reading,
}

/// Names of an enum, with their numbers and what they mean here; `None` is valid and not obeyed.
pub(super) type Choices<T> = [(&'static str, i64, Option<T>)];

impl<'a> Written<'a> {
    /// A value below this one.
    pub(super) fn below(&self, node: &'a Node, step: &str) -> Self {
        let dot = if self.path.is_empty() || step.starts_with('[') { "" } else { "." };
        Self { node, path: format!("{}{dot}{step}", self.path), reading: self.reading }
    }

    /// Notes that this value is wrong.
    pub(super) fn error(&self, said: impl Into<Said>) {
        let said = said.into();
        self.reading.error(self.node, Said { message: format!("`{}`: {}", self.path, said.message), ..said });
    }

    /// Notes that this value is likely not what was meant.
    pub(super) fn warn(&self, said: impl Into<Said>) {
        let said = said.into();
        self.reading.warn(self.node, Said { message: format!("`{}`: {}", self.path, said.message), ..said });
    }

    /// Notes that this value is valid where its field is obeyed, and is not obeyed itself.
    pub(super) fn refuse(&self, what: impl Display) {
        let said = Said::from(format!("`{}`: {what} is valid but not obeyed", self.path));
        self.reading.refuse(self.node.place, self.node.len, said, None);
    }

    /// The same, for what can be left out without changing the rest, such as a filter; it may be accepted by this name.
    pub(super) fn refuse_part(&self, name: &str) {
        let path = format!("{}.{name}", self.path);
        let said = Said::from(format!("`{path}` is valid but not obeyed"));
        self.reading.refuse(self.node.place, self.node.len, said, Some(acceptable(&path)));
    }

    fn mismatch(&self, expected: impl Into<String>) {
        let found = match &self.node.value {
            Value::Null => "found nothing".to_owned(),
            Value::List(_) => "found a list".to_owned(),
            Value::Map(_) => "found a map".to_owned(),
            Value::Bool(value) => format!("found `{value}`"),
            Value::Unsigned(_, text) | Value::Signed(_, text) | Value::Float(_, text) => {
                format!("found the number {text}")
            }
            Value::Text(text) => format!("found the text `{text}`"),
        };
        self.error(Said::from(found).expected(expected));
    }

    /// A text. Numbers and `true` are none unless they are quoted, as for Envoy.
    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => return Some(text),
            Value::Bool(_) | Value::Unsigned(..) | Value::Signed(..) | Value::Float(..) => {
                self.mismatch("a text: write it in quotes");
            }
            _ => self.mismatch("a text"),
        }
        None
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.node.value {
            Value::Bool(value) => return Some(value),
            _ => self.mismatch("`true` or `false`"),
        }
        None
    }

    /// A whole number, perhaps written as text.
    pub(super) fn integer(&self) -> Option<i128> {
        let number = match &self.node.value {
            Value::Unsigned(number, _) => Some(i128::from(*number)),
            Value::Signed(number, _) => Some(i128::from(*number)),
            Value::Float(number, _) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i128),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.mismatch("a whole number");
        }
        number
    }

    /// A whole number between two bounds, both included.
    pub(super) fn within<T: TryFrom<i128>>(&self, least: i128, most: i128) -> Option<T> {
        let number = self.integer()?;
        let inside = (least..=most).contains(&number).then(|| T::try_from(number).ok()).flatten();
        if inside.is_none() {
            let expected = match most {
                _ if most >= i128::from(u32::MAX) => format!("a whole number from {least} on"),
                _ => format!("a whole number from {least} to {most}"),
            };
            self.error(Said::from(format!("{number} is out of range")).expected(expected));
        }
        inside
    }

    /// A number of 32 bits.
    pub(super) fn count(&self) -> Option<u32> {
        self.within(0, i128::from(u32::MAX))
    }

    /// A number.
    pub(super) fn number(&self) -> Option<f64> {
        let number = match &self.node.value {
            Value::Unsigned(number, _) => Some(*number as f64),
            Value::Signed(number, _) => Some(*number as f64),
            Value::Float(number, _) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            self.mismatch("a number");
        }
        number
    }

    /// A duration in seconds with an `s`: `0.25s`.
    pub(super) fn duration(&self) -> Option<Duration> {
        const MOST_SECONDS: u64 = 315_576_000_000;
        let expected = "seconds with an `s`, such as 0.25s";
        let Value::Text(text) = &self.node.value else {
            let help = match &self.node.value {
                Value::Unsigned(..) | Value::Float(..) => self.node.scalar().map(|text| format!("write `{text}s`")),
                _ => None,
            };
            self.error(Said { message: "this is no duration".to_owned(), expected: Some(expected.to_owned()), help });
            return None;
        };
        let read = seconds(text).filter(|duration| duration.as_secs() <= MOST_SECONDS);
        if read.is_none() {
            let go = super::super::duration::parse(text);
            let help = go.map(|duration| format!("write `{}s`", duration.as_secs_f64()));
            let message = format!("`{text}` is no duration");
            self.error(Said { message, expected: Some(expected.to_owned()), help });
        }
        read
    }

    /// The entries of a list.
    pub(super) fn list(&self) -> Vec<Self> {
        let Value::List(entries) = &self.node.value else {
            self.mismatch("a list");
            return Vec::new();
        };
        entries.iter().enumerate().map(|(number, entry)| self.below(entry, &format!("[{number}]"))).collect()
    }

    /// The entries of a map with keys of one's own.
    pub(super) fn entries(&self) -> Vec<(&'a str, Self)> {
        let Value::Map(entries) = &self.node.value else {
            self.mismatch("a map");
            return Vec::new();
        };
        let pairs = entries.iter().map(|(key, value)| (key.scalar().unwrap_or_default(), value));
        pairs.map(|(key, value)| (key, self.below(value, &format!("[{key}]")))).collect()
    }

    /// A message.
    pub(super) fn message(&self, schema: &'static Schema) -> Option<Message<'a>> {
        if !matches!(self.node.value, Value::Map(_)) {
            self.mismatch("a map");
            return None;
        }
        Some(Message::open(self.clone(), schema, false))
    }

    /// A name of an enum, or its number.
    pub(super) fn choice<T: Clone>(&self, choices: &Choices<T>) -> Option<T> {
        let names: Vec<&'static str> = choices.iter().map(|(name, ..)| *name).collect();
        let chosen = match &self.node.value {
            Value::Text(text) => choices.iter().find(|(name, ..)| name == text),
            Value::Unsigned(number, _) => {
                choices.iter().find(|(_, known, _)| i128::from(*known) == i128::from(*number))
            }
            _ => None,
        };
        let Some((name, _, value)) = chosen else {
            let written = self.node.scalar().unwrap_or("this");
            let said = Said::from(format!("`{written}` is not known here")).expected(among(&names));
            let near = suggest(&written.to_ascii_uppercase(), &names);
            self.error(Said { help: near.map(|near| format!("did you mean `{near}`?")), ..said });
            return None;
        };
        if value.is_none() {
            self.refuse(format_args!("`{name}`"));
        }
        value.clone()
    }
}

/// `one of a, b or c`.
pub(super) fn among(names: &[&str]) -> String {
    match names {
        [one] => format!("`{one}`"),
        _ => format!("one of {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// The name by which a field may be accepted: `Bootstrap.static_resources.clusters.lb_subset_config`.
pub(super) fn acceptable(path: &str) -> String {
    let mut depth = 0_u32;
    let mut name = String::from("Bootstrap.");
    for letter in path.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => name.push(letter),
            _ => {}
        }
    }
    name
}

/// Seconds with at most nine decimals and an `s`.
fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let nanos: u32 = format!("{decimals:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}
