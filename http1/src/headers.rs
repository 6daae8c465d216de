//! Header fields, in the order in which they came.

use smallvec::SmallVec;

/// Where in [`Headers::text`] a piece of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        // Heads are limited to far less than 4 GiB.
        Self { start: start as u32, len: len as u32 }
    }

    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..][..self.len as usize]
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
/// All names and values stand in one buffer, additions behind the original head, so that a message costs one
/// allocation however many fields it has. Names are lower case from the moment they are read.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    pub(crate) text: Vec<u8>,
    fields: SmallVec<[Field; 24]>,
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all fields and keeps the allocation.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
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

    pub(crate) fn push_span(&mut self, name: Span, value: Span) {
        self.text[name.start as usize..][..name.len as usize].make_ascii_lowercase();
        self.fields.push(Field { name, value });
    }

    pub(crate) fn store(&mut self, bytes: &[u8]) -> Span {
        let span = Span::new(self.text.len(), bytes.len());
        self.text.extend_from_slice(bytes);
        span
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
        self.fields.iter().map(|field| (self.name(*field), field.value.of(&self.text)))
    }

    fn name(&self, field: Field) -> &str {
        // Names are tokens, hence ASCII: checked when read, asserted when added.
        std::str::from_utf8(field.name.of(&self.text)).unwrap_or_default()
    }

    /// The first value of `name`, which must be lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        debug_assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()));
        let field = self.fields.iter().find(|field| field.name.of(&self.text) == name.as_bytes())?;
        Some(field.value.of(&self.text))
    }

    /// The first value of `name` if it is visible text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, which must be lower case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter().filter(move |field| field.name.of(&self.text) == name.as_bytes());
        fields.map(|field| field.value.of(&self.text))
    }

    /// True if `name` occurs.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True if the comma-separated list under `name` holds `token`, in any case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Adds a field at the end. Bytes that would end the line are left out of the value.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        debug_assert!(is_token(name.as_bytes()), "{name:?} is no field name");
        let name = self.store(name.as_bytes());
        let start = self.text.len();
        match memchr::memchr3(b'\r', b'\n', 0, value) {
            None => self.text.extend_from_slice(value),
            Some(_) => self.text.extend(value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))),
        }
        let value = Span::new(start, self.text.len() - start);
        self.push_span(name, value);
    }

    /// Replaces every field of that name by one.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Removes every field of that name (lower case).
    pub fn remove(&mut self, name: &str) {
        let text = &self.text;
        self.fields.retain(|field| field.name.of(text) != name.as_bytes());
    }

    /// Keeps only the fields that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let text = &self.text;
        self.fields
            .retain(|field| keep(std::str::from_utf8(field.name.of(text)).unwrap_or_default(), field.value.of(text)));
    }
}

/// True if `bytes` may be the name of a field or a method.
pub fn is_token(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(allowed)
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
