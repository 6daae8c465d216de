//! Fields of a message as telemetry sees them, whatever protocol they came by.

use squall_http1::Headers;

/// Fields of a message.
pub(crate) trait Fields {
    /// The first value under this name, which is in lower case.
    fn get(&self, name: &str) -> Option<&[u8]>;

    /// The same, if it is text.
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// Fields that may be changed.
pub(crate) trait FieldsMut: Fields {
    /// Replaces every field of that name by one.
    fn set(&mut self, name: &str, value: &[u8]);

    /// Removes every field of that name.
    fn remove(&mut self, name: &str);
}

/// A message without fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoFields;

impl Fields for NoFields {
    fn get(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

impl Fields for Headers {
    fn get(&self, name: &str) -> Option<&[u8]> {
        Headers::get(self, name)
    }
}

impl FieldsMut for Headers {
    fn set(&mut self, name: &str, value: &[u8]) {
        Headers::set(self, name, value);
    }

    fn remove(&mut self, name: &str) {
        Headers::remove(self, name);
    }
}
