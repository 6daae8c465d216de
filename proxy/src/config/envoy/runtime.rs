//! Values of the static runtime layers: what stands in place of a default that has a runtime key.

use super::message::Message;
use super::reading::Said;
use super::schema::{ADMIN_LAYER, FRACTIONAL_PERCENT, LAYERED_RUNTIME, RUNTIME_LAYER};
use super::share;
use super::written::{Written, acceptable};
use crate::policy::Fraction;
use squall_yaml::{Place, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Values by their keys, later layers before earlier ones.
#[derive(Default)]
pub(super) struct Runtime {
    values: BTreeMap<String, Entry>,
    asked: BTreeSet<String>,
}

#[derive(Clone)]
struct Entry {
    number: Option<f64>,
    share: Option<Fraction>,
    path: String,
    place: Place,
}

impl Runtime {
    /// A number under a key.
    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        self.ask(key)?.number
    }

    /// A whole number of 32 bits under a key.
    pub(super) fn count(&mut self, key: &str) -> Option<u32> {
        self.number(key).filter(|number| (0.0..=f64::from(u32::MAX)).contains(number)).map(|number| number as u32)
    }

    /// A share under a key; a bare number is in percent.
    pub(super) fn share(&mut self, key: &str) -> Option<Fraction> {
        let entry = self.ask(key)?;
        entry.share.or(entry.number.map(Fraction::percent))
    }

    fn ask(&mut self, key: &str) -> Option<Entry> {
        let entry = self.values.get(key).cloned();
        if entry.is_some() {
            self.asked.insert(key.to_owned());
        }
        entry
    }
}

/// Reads the layers. What of them nothing has asked for is told by [`leftovers`], when all is read.
pub(super) fn read(bootstrap: &Message<'_>) {
    let Some(runtime) = bootstrap.message("layered_runtime", &LAYERED_RUNTIME) else { return };
    let mut names = BTreeSet::new();
    for layer in runtime.messages("layers", &RUNTIME_LAYER) {
        let name = layer.required_text("name");
        if !names.insert(name.clone()) {
            layer.at.error(format!("another layer is called `{name}` too"));
        }
        match layer.one_of(&["static_layer", "admin_layer"], false) {
            Some(("static_layer", values)) => flatten(&values, ""),
            Some((_, values)) => {
                values.message(&ADMIN_LAYER);
            }
            None => {}
        }
    }
}

fn flatten(values: &Written<'_>, prefix: &str) {
    let is_share =
        |value: &Written<'_>| value.node.get("numerator").is_some() || value.node.get("denominator").is_some();
    for (key, value) in values.entries() {
        let key = format!("{prefix}{key}");
        match &value.node.value {
            Value::Map(_) if is_share(&value) => {
                let share = value.message(&FRACTIONAL_PERCENT).and_then(|message| share::fraction(&message));
                insert(key, None, share, &value);
            }
            Value::Map(_) => flatten(&value, &format!("{key}.")),
            Value::Unsigned(..) | Value::Signed(..) | Value::Float(..) => insert(key, value.number(), None, &value),
            Value::Text(text) if text.parse::<f64>().is_ok() => insert(key, value.number(), None, &value),
            Value::Bool(flag) => insert(key, Some(f64::from(u8::from(*flag))), None, &value),
            _ => insert(key, None, None, &value),
        }
    }
}

fn insert(key: String, number: Option<f64>, share: Option<Fraction>, value: &Written<'_>) {
    let entry = Entry { number, share, path: value.path.clone(), place: value.node.place };
    value.reading.runtime.borrow_mut().values.insert(key, entry);
}

/// Tells of each value that nothing has asked for.
pub(super) fn leftovers(bootstrap: &Message<'_>) {
    let reading = bootstrap.at.reading;
    let runtime = reading.runtime.borrow();
    for (key, entry) in runtime.values.iter().filter(|(key, _)| !runtime.asked.contains(*key)) {
        let said = Said::from(format!("`{}`: the runtime key `{key}` is valid but not obeyed", entry.path));
        let field = format!("{}.{key}", acceptable(&entry.path));
        reading.refuse(
            entry.place,
            key.len(),
            said.help("leave it out: nothing that is obeyed here asks for it"),
            Some(field),
        );
    }
}
