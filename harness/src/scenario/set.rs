//! `--set PATH=VALUE`: changes a scenario before it is read, so that the change is checked as if it stood in the file.

use squall_yaml::{Document, Node, Place, Value};
use std::fmt;
use std::str::FromStr;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Where: keys, and entries of lists by number from 0 or by the value of their `name` or `phase`.
    pub path: Vec<Step>,
    /// What: YAML.
    pub value: String,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a map: `load`.
    Key(String),
    /// Into a list: `[0]`.
    Index(usize),
    /// Into a list, by `name` or `phase`: `[outage]`.
    Named(String),
}

/// A text that is no change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no change: expected PATH=VALUE, such as `load.rate=800/s` or `timeline[outage].for=10s`")]
pub struct BadSet(String);

/// A change that has nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A step leads nowhere.
    #[error("`--set {set}`: there is no `{step}`")]
    Nowhere {
        /// The change.
        set: String,
        /// The step.
        step: String,
    },
    /// The value is no YAML.
    #[error("`--set {set}`: {reason}")]
    Value {
        /// The change.
        set: String,
        /// Why.
        reason: String,
    },
}

impl Set {
    /// Changes the document, and says where. The last key of the path may be new, all before it must be there.
    pub fn apply(&self, document: &mut Document) -> Result<Place, SetError> {
        let mut value = squall_yaml::parse_value(&self.value)
            .map_err(|reason| SetError::Value { set: self.to_string(), reason })?;
        let mut node = &mut document.root;
        for (number, step) in self.path.iter().enumerate() {
            let last = number + 1 == self.path.len();
            let place = node.place;
            node = match (&mut node.value, step) {
                (Value::Map(entries), Step::Key(key)) => {
                    let at = entries.iter().position(|(name, _)| name.value.scalar() == Some(key));
                    let at = at.or_else(|| {
                        last.then(|| {
                            let new = |value| Node { place, len: 0, value };
                            entries.push((new(Value::Text(key.clone())), new(Value::Null)));
                            entries.len() - 1
                        })
                    });
                    at.and_then(|at| entries.get_mut(at)).map(|(_, value)| value)
                }
                (Value::List(entries), Step::Index(index)) => entries.get_mut(*index),
                (Value::List(entries), Step::Named(name)) => entries.iter_mut().find(|entry| is_called(entry, name)),
                _ => None,
            }
            .ok_or_else(|| SetError::Nowhere { set: self.to_string(), step: step.to_string() })?;
        }
        stand_at(&mut value, node.place);
        node.value = value;
        Ok(node.place)
    }
}

/// Everything of a value that stands in no file is told of at one place.
fn stand_at(value: &mut Value, place: Place) {
    let stand = |node: &mut Node| {
        (node.place, node.len) = (place, 0);
        stand_at(&mut node.value, place);
    };
    match value {
        Value::List(entries) => entries.iter_mut().for_each(stand),
        Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            stand(key);
            stand(value);
        }),
        _ => {}
    }
}

/// True for a map whose `name` or `phase` is that.
fn is_called(node: &Node, wanted: &str) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    entries.iter().any(|(key, value)| {
        matches!(key.value.scalar(), Some("name" | "phase")) && value.value.scalar() == Some(wanted)
    })
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Named(name) => write!(f, "[{name}]"),
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.path.iter().enumerate() {
            let dot = if number > 0 && matches!(step, Step::Key(_)) { "." } else { "" };
            write!(f, "{dot}{step}")?;
        }
        write!(f, "={}", self.value)
    }
}

impl FromStr for Set {
    type Err = BadSet;

    fn from_str(text: &str) -> Result<Self, BadSet> {
        let bad = || BadSet(text.to_owned());
        let (path, value) = text.split_once('=').ok_or_else(bad)?;
        let mut steps = Vec::new();
        for part in path.split('.') {
            let (key, entries) = part.split_at(part.find('[').unwrap_or(part.len()));
            if key.is_empty() || key.contains(']') {
                return Err(bad());
            }
            steps.push(Step::Key(key.to_owned()));
            if entries.is_empty() {
                continue;
            }
            let inner = entries.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(bad)?;
            for entry in inner.split("][") {
                if entry.is_empty() || entry.contains(['[', ']']) {
                    return Err(bad());
                }
                steps.push(entry.parse().map_or_else(|_| Step::Named(entry.to_owned()), Step::Index));
            }
        }
        Ok(Self { path: steps, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Set, Step};

    #[test]
    fn a_path_goes_into_maps_and_lists() {
        let key = |key: &str| Step::Key(key.to_owned());
        for (text, path, value) in [
            ("load.rate=800/s", vec![key("load"), key("rate")], "800/s"),
            ("load[1].to=a=b", vec![key("load"), Step::Index(1), key("to")], "a=b"),
            ("timeline[outage].for=10s", vec![key("timeline"), Step::Named("outage".into()), key("for")], "10s"),
        ] {
            assert_eq!(text.parse(), Ok(Set { path, value: value.to_owned() }), "{text}");
        }
        for text in ["", "load", "=1", "a..b=1", "a[=1", "a[]=1", "a]=1", "a[1]b=1", ".a=1", "a[[1]]=2"] {
            assert!(text.parse::<Set>().is_err(), "{text}");
        }
    }
}
