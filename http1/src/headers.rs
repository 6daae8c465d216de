//! Header fields, in the order in which they came.

use smallvec::SmallVec;

/// Where in [`Headers::text`] or [`Headers::values`] a piece of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        // Heads are limited to far less than 4 GiB.
        Self { start: start as u32, len: len as u32 }
    }

    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name: Span,
    value: Span,
}

/// Fields that a message must have ahead of its body, or not at all.
const NOT_BEHIND: [&str; 8] =
    ["content-length", "transfer-encoding", "host", "connection", "trailer", "te", "upgrade", "content-encoding"];

/// Header fields of one message.
///
/// All names stand in one buffer and all values in another, additions behind what was read, so that a message costs two allocations
/// however many fields it has. Names are lower case from the moment they are read.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// Names, and the method and target of a request.
    text: String,
    /// Values, which need not be text.
    values: Vec<u8>,
    fields: SmallVec<[Field; 24]>,
}

/// Room for what a proxy adds to a head that it has read.
const TO_BE_ADDED: usize = 256;

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all fields and keeps the allocations.
    pub fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
        self.fields.clear();
    }

    /// Forgets all fields for those of a head of so many bytes.
    pub(crate) fn begin(&mut self, head: usize) {
        self.clear();
        self.text.reserve(head / 2 + TO_BE_ADDED);
        self.values.reserve(head + TO_BE_ADDED);
    }

    /// The fields behind a chunked body. Those that would change how the message is read are left out; None: nothing is left.
    pub(crate) fn of_trailers(text: &[u8]) -> Option<Self> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(text, &mut fields) else {
            return None;
        };
        let mut headers = Self::new();
        for field in fields.iter().filter(|field| !NOT_BEHIND.iter().any(|name| field.name.eq_ignore_ascii_case(name)))
        {
            headers.add(field.name, field.value);
        }
        (!headers.is_empty()).then_some(headers)
    }

    /// Keeps a text that is no field: a method or a target.
    pub(crate) fn store(&mut self, text: &str) -> Span {
        let span = Span::new(self.text.len(), text.len());
        self.text.push_str(text);
        span
    }

    /// What stands there.
    pub(crate) fn text(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// Bytes of all names and values, at least.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.values.len() + 4 * self.fields.len()
    }

    fn is_named(&self, field: &Field, name: &str) -> bool {
        // Lengths tell most names apart without a look at them.
        field.name.len as usize == name.len() && self.text(field.name) == name
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True without any field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields as name (lower case) and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (self.text(field.name), &self.values[field.value.range()]))
    }

    /// The first value of `name`, which must be lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        debug_assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()));
        let field = self.fields.iter().find(|field| self.is_named(field, name))?;
        Some(&self.values[field.value.range()])
    }

    /// The first value of `name` if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, which must be lower case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter().filter(move |field| self.is_named(field, name));
        fields.map(|field| &self.values[field.value.range()])
    }

    /// True if `name` occurs.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True if the comma-separated list under `name` holds `token`, in any case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        let is_token = |item: &[u8]| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
        self.get_all(name).any(|value| value.split(|byte| *byte == b',').any(is_token))
    }

    /// Adds a field at the end. Bytes that would end the line are left out of the value.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        debug_assert!(is_token(name.as_bytes()), "{name:?} is no field name");
        let start = self.values.len();
        match memchr::memchr3(b'\r', b'\n', 0, value) {
            None => self.values.extend_from_slice(value),
            Some(_) => self.values.extend(value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))),
        }
        self.push(name, start);
    }

    /// The same for a value that was read, hence checked.
    pub(crate) fn add_read(&mut self, name: &str, value: &[u8]) {
        let start = self.values.len();
        self.values.extend_from_slice(value);
        self.push(name, start);
    }

    /// A field whose value stands behind all others from `start` on.
    fn push(&mut self, name: &str, start: usize) {
        let value = Span::new(start, self.values.len() - start);
        let name = self.store(name);
        self.text[name.range()].make_ascii_lowercase();
        self.fields.push(Field { name, value });
    }

    /// Replaces every field of that name by one.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Removes every field of that name (lower case).
    pub fn remove(&mut self, name: &str) {
        // Most of what is taken off is not there.
        if self.contains(name) {
            self.retain(|known, _| known != name);
        }
    }

    /// Keeps only the fields that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let Self { text, values, fields } = self;
        fields.retain(|field| keep(&text[field.name.range()], &values[field.value.range()]));
    }
}

/// True for what may be the name of a field or a method.
pub fn is_token(text: impl AsRef<[u8]>) -> bool {
    let bytes = text.as_ref();
    !bytes.is_empty() && bytes.iter().all(|byte| is_of_token(*byte))
}

/// True if a token may have this byte.
pub(crate) fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_in_any_case_and_keep_their_order() {
        let mut headers = Headers::new();
        headers.add("X-One", b"1");
        headers.add("Two", b"2");
        headers.add("x-one", b"3");
        assert_eq!(headers.get("x-one"), Some(&b"1"[..]));
        assert_eq!(headers.get_all("x-one").collect::<Vec<_>>(), [b"1", b"3"]);
        headers.set("x-one", b"4");
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("two", &b"2"[..]), ("x-one", &b"4"[..])]);
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        let mut headers = Headers::new();
        headers.add("a", b"1\r\nevil: 2");
        assert_eq!(headers.get("a"), Some(&b"1evil: 2"[..]));
    }

    #[test]
    fn tokens_are_found_in_lists_over_several_fields() {
        let mut headers = Headers::new();
        headers.add("connection", b"foo, Close");
        headers.add("connection", b"bar");
        assert!(headers.has_token("connection", "close"));
        assert!(headers.has_token("connection", "bar"));
        assert!(!headers.has_token("connection", "clos"));
    }
}
