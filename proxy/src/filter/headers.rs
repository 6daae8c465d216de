//! Changes of header fields: removed first, then added, all values made of what was there before.

use crate::policy::{AppendAction, HeaderOperations};
use crate::telemetry::{StreamInfo, Template};
use squall_http1::Headers;

/// Changes of fields, prepared when a policy is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    remove: Vec<String>,
    add: Vec<Addition>,
}

#[derive(Debug, Clone)]
struct Addition {
    name: String,
    value: Value,
    action: AppendAction,
    keep_empty: bool,
}

/// Most values are the same for every request.
#[derive(Debug, Clone)]
enum Value {
    Fixed(Vec<u8>),
    Made(Template),
}

impl Changes {
    /// Prepares changes; `hostname` is that of this machine.
    pub(crate) fn new(operations: &HeaderOperations, hostname: &str) -> Self {
        let add = operations.add.iter().map(|addition| Addition {
            name: field(&addition.name).to_owned(),
            value: match addition.value.as_literal() {
                Some(text) => Value::Fixed(text.as_bytes().to_vec()),
                None => Value::Made(Template::new(&addition.value, hostname)),
            },
            action: addition.action,
            keep_empty: addition.keep_empty,
        });
        Self { remove: operations.remove.iter().map(|name| field(name).to_owned()).collect(), add: add.collect() }
    }

    /// True if nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }

    /// The values that are made of a request and its answer, to be made before any field changes.
    pub(crate) fn values(&self, info: &StreamInfo<'_>) -> Values {
        let made = self.add.iter().filter_map(|addition| match &addition.value {
            Value::Fixed(_) => None,
            Value::Made(template) => {
                let mut value = Vec::new();
                template.field(info, &mut value);
                Some(value)
            }
        });
        Values(made.collect())
    }

    /// Makes them.
    pub(crate) fn make(&self, headers: &mut Headers, values: &Values) {
        self.remove.iter().for_each(|name| headers.remove(name));
        let mut made = values.0.iter();
        for addition in &self.add {
            let value: &[u8] = match &addition.value {
                Value::Fixed(value) => value,
                Value::Made(_) => made.next().map_or(&[], Vec::as_slice),
            };
            if value.is_empty() && !addition.keep_empty {
                continue;
            }
            let there = headers.contains(&addition.name);
            match addition.action {
                // A request has one host.
                AppendAction::AppendIfExistsOrAdd if addition.name == "host" => headers.set("host", value),
                AppendAction::AppendIfExistsOrAdd => headers.add(&addition.name, value),
                AppendAction::AddIfAbsent if there => {}
                AppendAction::AddIfAbsent => headers.add(&addition.name, value),
                AppendAction::OverwriteIfExistsOrAdd => headers.set(&addition.name, value),
                AppendAction::OverwriteIfExists if there => headers.set(&addition.name, value),
                AppendAction::OverwriteIfExists => {}
            }
        }
    }
}

/// Values that were made for [`Changes`], in their order; those that are the same for every request are not among them.
#[derive(Debug)]
pub(crate) struct Values(Vec<Vec<u8>>);

/// `:authority` is the host.
fn field(name: &str) -> &str {
    if name == ":authority" { "host" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::policy::{Format, HeaderAddition};

    fn changed(remove: &[&str], add: &[(&str, &str, AppendAction)]) -> Vec<String> {
        let operations = HeaderOperations {
            remove: remove.iter().map(|name| (*name).to_owned()).collect(),
            add: add
                .iter()
                .map(|(name, value, action)| HeaderAddition {
                    name: (*name).to_owned(),
                    value: Format::parse(value).unwrap(),
                    action: *action,
                    keep_empty: false,
                })
                .collect(),
        };
        let mut headers = Headers::new();
        for (name, value) in [("host", "cart"), ("x-gone", "1"), ("x-add", "one"), ("x-set", "old")] {
            headers.add(name, value.as_bytes());
        }
        let before = headers.clone();
        let info = StreamInfo { request: &before, ..StreamInfo::new(now(), now()) };
        let changes = Changes::new(&operations, "here");
        changes.make(&mut headers, &changes.values(&info));
        headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect()
    }

    #[test]
    fn removal_comes_first_and_each_addition_does_as_it_says() {
        use AppendAction::{AddIfAbsent, AppendIfExistsOrAdd, OverwriteIfExists, OverwriteIfExistsOrAdd};
        let all = changed(
            &["x-gone"],
            &[
                ("x-add", "two", AppendIfExistsOrAdd),
                ("x-set", "new", OverwriteIfExistsOrAdd),
                ("x-set", "lost", AddIfAbsent),
                ("x-gone", "again", AddIfAbsent),
                ("x-none", "lost", OverwriteIfExists),
                (":authority", "other", OverwriteIfExistsOrAdd),
            ],
        );
        assert_eq!(all, ["x-add=one", "x-add=two", "x-set=new", "x-gone=again", "host=other"]);
    }

    #[test]
    fn values_are_made_of_what_was_there_before_and_empty_ones_are_not_added() {
        let appended = AppendAction::AppendIfExistsOrAdd;
        let all = changed(
            &["x-gone", "x-set"],
            &[("x-was", "%REQ(x-gone)%-%REQ(x-set)%", appended), ("x-empty", "%REQ(x-none)%", appended)],
        );
        assert_eq!(all, ["host=cart", "x-add=one", "x-was=1-old"]);
    }
}
