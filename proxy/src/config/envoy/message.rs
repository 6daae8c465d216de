//! A message that is being read: its fields under either spelling, and what is told of the others.

use super::any::Extensions;
use super::reading::Said;
use super::schema::{Schema, Standing, lower_camel};
use super::written::{Choices, Written, acceptable, among};
use crate::config::fields::fields;
use crate::policy::Origin;
use squall_yaml::{Node, Value, suggest};
use std::time::Duration;

/// A message. Every field of it that is not obeyed has been told when it is open.
#[derive(Clone)]
pub(super) struct Message<'a> {
    /// Where it stands.
    pub(super) at: Written<'a>,
    schema: &'static Schema,
    fields: Vec<(&'static str, Written<'a>)>,
}

impl<'a> Message<'a> {
    /// Opens a map as a message; `any` is one that says its type itself.
    pub(super) fn open(at: Written<'a>, schema: &'static Schema, any: bool) -> Self {
        let mut message = Self { at, schema, fields: Vec::new() };
        let node: &'a Node = message.at.node;
        if let Value::Map(entries) = &node.value {
            for (key, value) in entries {
                let name = key.scalar().unwrap_or_default();
                // Null is protobuf's word for a field that is not there.
                let is_type = any && name == "@type";
                if !is_type && !matches!(value.value, Value::Null) {
                    message.take(key, name, value);
                }
            }
        }
        message
    }

    fn take(&mut self, key: &'a Node, written: &'a str, value: &'a Node) {
        let reading = self.at.reading;
        let Some((name, standing)) = self.schema.field(written) else {
            let path = self.at.below(key, written).path;
            reading.error(key, self.unknown(written, &path));
            return;
        };
        let at = self.at.below(value, name);
        let refuse = |said: Said| reading.refuse(key.place, key.len, said, Some(acceptable(&at.path)));
        match standing {
            Standing::Unheeded => return,
            Standing::Refused => {
                let side = self.schema.side;
                let side = if side.is_empty() { String::new() } else { format!(" {side}") };
                let said = Said::from(format!("`{}` is valid but not obeyed{side}", at.path));
                refuse(Said { help: self.instead(written), ..said });
                return;
            }
            Standing::Served => {
                let reason = "it needs a management server, and only static configuration is read";
                refuse(format!("`{}` is valid but not obeyed: {reason}", at.path).into());
                return;
            }
            Standing::Obeyed => {}
        }
        if self.fields.iter().any(|(other, _)| *other == name) {
            let other = lower_camel(name);
            reading.error(key, format!("`{}` stands here twice, as `{name}` and as `{other}`", at.path).into());
            return;
        }
        if self.schema.deprecated.split_whitespace().any(|deprecated| deprecated == name) {
            reading.warn(key, format!("`{}` is deprecated", at.path).into());
        }
        self.fields.push((name, at));
    }

    /// What to write instead of a name of a former version.
    fn instead(&self, written: &str) -> Option<String> {
        let mut former = self.schema.former.iter();
        let (_, instead) = former.find(|(former, _)| *former == written || lower_camel(former) == written)?;
        Some(if instead.contains(' ') { format!("write {instead}") } else { format!("write `{instead}`") })
    }

    fn unknown(&self, written: &str, path: &str) -> Said {
        if let Some(help) = self.instead(written) {
            return Said::from(format!("`{path}` is of a former version of Envoy's API")).help(help);
        }
        let known: Vec<&'static str> = self.schema.obeyed.split_whitespace().collect();
        let said = Said::from(format!("`{path}` is not known to `{}`", self.schema.message));
        let said = if known.is_empty() { said.expected("no field") } else { said.expected(among(&known)) };
        let help = suggest(written, &known).map(|near| format!("did you mean `{near}`?"));
        Said { help, ..said }
    }

    /// True if this is a message of that kind.
    pub(super) fn is(&self, schema: &Schema) -> bool {
        self.schema.message == schema.message
    }

    /// True if no field that is obeyed is there.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Where it stands in the file.
    pub(super) fn origin(&self) -> Origin {
        Origin { file: self.at.reading.file.clone(), line: self.at.node.place.line, ..Origin::default() }
    }

    /// The same with the places of its fields, by their names in the API, for what advice is given about.
    pub(super) fn origin_with_fields(&self) -> Origin {
        if self.at.reading.forget_fields {
            return self.origin();
        }
        Origin { fields: fields(self.at.node, snake), ..self.origin() }
    }

    /// A field, if it is there.
    pub(super) fn value(&self, name: &str) -> Option<&Written<'a>> {
        debug_assert!(
            self.schema.obeyed.split_whitespace().any(|known| known == name),
            "`{name}` is no obeyed field of {}",
            self.schema.message
        );
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// True if a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Tells that a field must be there. True if it is.
    pub(super) fn require(&self, name: &str) -> bool {
        let there = self.has(name);
        if !there {
            self.at.error(format!("`{name}` is missing"));
        }
        there
    }

    /// The one of these fields that is there; tells if there are several, or none where one is required.
    pub(super) fn one_of(&self, names: &[&'static str], required: bool) -> Option<(&'static str, Written<'a>)> {
        let mut found = names.iter().filter_map(|name| Some((*name, self.value(name)?.clone())));
        let first = found.next();
        if let Some((second, value)) = found.next() {
            let first = first.as_ref().map_or("", |(name, _)| name);
            value.error(format!("`{second}` and `{first}` exclude each other"));
        }
        if first.is_none() && required {
            self.at.error(Said::from("a field is missing").expected(among(names)));
        }
        first
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.text().map(str::to_owned)
    }

    /// A text that must be there and must not be empty.
    pub(super) fn required_text(&self, name: &str) -> String {
        if !self.require(name) {
            return String::new();
        }
        let text = self.text(name);
        if text.as_deref() == Some("") {
            self.value(name).into_iter().for_each(|value| value.error("this must not be empty"));
        }
        text.unwrap_or_default()
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name)?.boolean()
    }

    /// `false` where it does not stand.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.boolean(name).unwrap_or(false)
    }

    pub(super) fn count(&self, name: &str) -> Option<u32> {
        self.value(name)?.count()
    }

    pub(super) fn within<T: TryFrom<i128>>(&self, name: &str, least: i128, most: i128) -> Option<T> {
        self.value(name)?.within(least, most)
    }

    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        self.value(name)?.duration()
    }

    /// A duration above zero.
    pub(super) fn positive(&self, name: &str) -> Option<Duration> {
        let value = self.value(name)?;
        let duration = value.duration()?;
        if duration.is_zero() {
            value.error("this must be above 0s");
            return None;
        }
        Some(duration)
    }

    /// A duration of which zero is no limit.
    pub(super) fn limit(&self, name: &str, default: Option<Duration>) -> Option<Duration> {
        if self.has(name) { self.duration(name).filter(|limit| !limit.is_zero()) } else { default }
    }

    pub(super) fn message(&self, name: &str, schema: &'static Schema) -> Option<Message<'a>> {
        self.value(name)?.message(schema)
    }

    /// The values of a list.
    pub(super) fn values(&self, name: &str) -> Vec<Written<'a>> {
        self.value(name).map(Written::list).unwrap_or_default()
    }

    pub(super) fn messages(&self, name: &str, schema: &'static Schema) -> Vec<Message<'a>> {
        self.values(name).iter().filter_map(|value| value.message(schema)).collect()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.values(name).iter().filter_map(|value| value.text().map(str::to_owned)).collect()
    }

    /// The entries of a map.
    pub(super) fn entries(&self, name: &str) -> Vec<(&'a str, Written<'a>)> {
        self.value(name).map(Written::entries).unwrap_or_default()
    }

    pub(super) fn choice<T: Clone>(&self, name: &str, choices: &Choices<T>) -> Option<T> {
        self.value(name)?.choice(choices)
    }

    /// What an extension is configured by: `typed_config`, with a `name` beside it.
    pub(super) fn extension(&self, extensions: &Extensions) -> Option<Message<'a>> {
        self.required_text("name");
        let Some(config) = self.value("typed_config") else {
            let known = extensions.known.first().map_or("", |schema| schema.message);
            self.at.error(
                Said::from("`typed_config` is missing")
                    .help(format!("extensions are found by the `@type` of it, such as `type.googleapis.com/{known}`")),
            );
            return None;
        };
        config.any(extensions)
    }
}

/// The name of a field as the API has it, of either spelling. Of all numbers in names only `5xx` is a word of its own.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        let begins_word = letter.is_ascii_uppercase() || name.get(at..).is_some_and(|rest| rest.starts_with("5xx"));
        if begins_word && at > 0 && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn a_field_has_one_name_whichever_way_it_is_spelt() {
        for (written, name) in [
            ("consecutive5xx", "consecutive_5xx"),
            ("consecutive_5xx", "consecutive_5xx"),
            ("maxEjectionPercent", "max_ejection_percent"),
            ("http2ProtocolOptions", "http2_protocol_options"),
            ("@type", "@type"),
        ] {
            assert_eq!(snake(written), name);
        }
    }
}
