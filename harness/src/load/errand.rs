//! A request that a journey asks for: what differs in it, and what is remembered of its answer.

use super::request::Template;
use super::wire;
use regex::bytes::Regex;
use std::cell::RefCell;
use std::rc::Rc;

/// A request of one user.
#[derive(Debug)]
pub(super) struct Errand {
    /// None: that of its flow, of which nothing differs.
    request: Option<Template>,
    wanted: Rc<[Capture]>,
    heard: RefCell<Heard>,
}

/// What an answer held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Values of the captures, in their order.
    pub(super) values: Vec<String>,
    /// `Set-Cookie`, as it came.
    pub(super) cookies: Vec<String>,
}

/// Where a value of an answer is found.
#[derive(Debug)]
pub(super) enum Capture {
    Json(String),
    Header(String),
    Regex(Box<Regex>),
}

impl Capture {
    /// None for an expression that is none; the harness has refused it before.
    pub(super) fn new(source: &wire::Source) -> Option<Self> {
        Some(match source {
            wire::Source::Json(pointer) => Self::Json(pointer.clone()),
            wire::Source::Header(name) => Self::Header(name.to_ascii_lowercase()),
            wire::Source::Regex(text) => Self::Regex(Box::new(Regex::new(text).ok()?)),
        })
    }

    fn find(&self, fields: &[(String, Vec<u8>)], body: &[u8]) -> Option<String> {
        let found = match self {
            Self::Header(wanted) => {
                fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice())?.to_vec()
            }
            Self::Regex(regex) => {
                let groups = regex.captures(body)?;
                groups.get(1).or_else(|| groups.get(0))?.as_bytes().to_vec()
            }
            Self::Json(pointer) => {
                let json: serde_json::Value = serde_json::from_slice(body).ok()?;
                match json.pointer(pointer)? {
                    serde_json::Value::Null => return None,
                    serde_json::Value::String(text) => text.clone().into_bytes(),
                    other => other.to_string().into_bytes(),
                }
            }
        };
        // It will stand in a head: what would end a line there is no value.
        String::from_utf8(found).ok().filter(|text| !text.chars().any(char::is_control))
    }
}

impl Errand {
    pub(super) fn new(request: Option<Template>, wanted: &Rc<[Capture]>) -> Self {
        Self { request, wanted: Rc::clone(wanted), heard: RefCell::default() }
    }

    /// What is asked, if it is not what its flow always asks.
    pub(super) fn request(&self) -> Option<&Template> {
        self.request.as_ref()
    }

    /// True if something is looked for in the answer's body.
    pub(super) fn wants_body(&self) -> bool {
        self.wanted.iter().any(|one| !matches!(one, Capture::Header(_)))
    }

    /// What the answer held; nothing before it was complete.
    pub(super) fn heard(&self) -> Heard {
        self.heard.take()
    }
}

/// Listens to an answer for the journey that has asked.
#[derive(Debug)]
pub(super) struct Listener<'a> {
    errand: &'a Errand,
    fields: Vec<(String, Vec<u8>)>,
    cookies: Vec<String>,
}

impl<'a> Listener<'a> {
    pub(super) fn new(errand: &'a Errand) -> Self {
        Self { errand, fields: Vec::new(), cookies: Vec::new() }
    }

    pub(super) fn fields<'h>(&mut self, fields: impl Iterator<Item = (&'h str, &'h [u8])>) {
        for (name, value) in fields {
            if name == "set-cookie" {
                self.cookies.extend(String::from_utf8(value.to_vec()));
            } else if self.errand.wanted.iter().any(|one| matches!(one, Capture::Header(wanted) if wanted == name)) {
                self.fields.push((name.to_owned(), value.to_vec()));
            }
        }
    }

    /// The answer is complete, and this is its body: true if all that was wanted is in it.
    pub(super) fn conclude(&mut self, body: &[u8]) -> bool {
        let find = |capture: &Capture| capture.find(&self.fields, body);
        let values: Option<Vec<String>> = self.errand.wanted.iter().map(find).collect();
        let complete = values.is_some();
        let cookies = std::mem::take(&mut self.cookies);
        *self.errand.heard.borrow_mut() = Heard { values: values.unwrap_or_default(), cookies };
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"items": [{"id": 7, "name": "a b"}, {"id": null}], "next": "/items?page=2"}"#;

    fn heard(sources: &[wire::Source], body: &[u8]) -> (bool, Heard) {
        let wanted: Rc<[Capture]> = sources.iter().map(|source| Capture::new(source).unwrap()).collect();
        let errand = Errand::new(None, &wanted);
        let mut listener = Listener::new(&errand);
        let fields: [(&str, &[u8]); 4] =
            [("location", b"/cart/9"), ("set-cookie", b"a=1; Path=/"), ("x-other", b"x"), ("set-cookie", b"b=2")];
        listener.fields(fields.into_iter());
        let complete = listener.conclude(body);
        (complete, errand.heard())
    }

    #[test]
    fn values_are_found_in_json_fields_and_by_expressions() {
        use wire::Source::{Header, Json, Regex};
        let text = |text: &str| text.to_owned();
        for (source, expected) in [
            (Json(text("/items/0/id")), Some("7")),
            (Json(text("/items/0/name")), Some("a b")),
            (Json(text("/items/1/id")), None),
            (Json(text("/items/2/id")), None),
            (Json(text("/items/0")), Some(r#"{"id":7,"name":"a b"}"#)),
            (Header(text("Location")), Some("/cart/9")),
            (Header(text("x-none")), None),
            (Regex(text(r#""id": (\d+)"#)), Some("7")),
            (Regex(text(r"page=\d")), Some("page=2")),
            (Regex(text("nothing")), None),
        ] {
            let (complete, heard) = heard(std::slice::from_ref(&source), BODY);
            assert_eq!(heard.values.first().map(String::as_str), expected, "{source:?}");
            assert_eq!(complete, expected.is_some(), "{source:?}");
        }
    }

    #[test]
    fn what_would_end_a_line_of_a_head_is_no_value() {
        let (complete, _) = heard(&[wire::Source::Json("/a".to_owned())], br#"{"a": "x\r\nhost: evil"}"#);
        assert!(!complete);
    }

    #[test]
    fn cookies_are_kept_though_nobody_asked() {
        let (complete, heard) = heard(&[], BODY);
        assert!(complete);
        assert_eq!(heard.cookies, ["a=1; Path=/", "b=2"]);
    }
}
