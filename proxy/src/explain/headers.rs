//! Changes of fields in words.

use crate::policy::{AppendAction, HeaderOperations, words};

/// All changes, in the order in which they are made.
pub(super) fn changes<'a>(operations: impl Iterator<Item = &'a HeaderOperations>) -> Vec<String> {
    operations.flat_map(of).collect()
}

fn of(operations: &HeaderOperations) -> Vec<String> {
    let removed = operations.remove.iter().map(|name| format!("remove {name}"));
    let added = operations.add.iter().map(|addition| {
        let value = addition.value.to_string();
        let (name, value) = (&addition.name, words::field(&addition.name, &value));
        match addition.action {
            AppendAction::AppendIfExistsOrAdd => format!("add {name}: {value}"),
            AppendAction::AddIfAbsent => format!("add {name}: {value} if there is none"),
            AppendAction::OverwriteIfExistsOrAdd => format!("set {name}: {value}"),
            AppendAction::OverwriteIfExists => format!("set {name}: {value} if there is one"),
        }
    });
    removed.chain(added).collect()
}
