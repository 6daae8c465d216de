//! What is done to a path before anything is decided by it: what is matched is what is sent on. Pure.

use crate::policy::{EscapedSlashes, PathRules};
use std::borrow::Cow;

/// What became of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Normalized<'p> {
    /// The target, perhaps another one.
    Target(Cow<'p, str>),
    /// The client has to come again for this one.
    Redirect(String),
    /// It cannot be made unambiguous.
    Refused,
}

/// Normalises the target of a request by the rules of its listener.
pub(crate) fn normalize(rules: PathRules, target: &str) -> Normalized<'_> {
    if target.contains('#') {
        return Normalized::Refused;
    }
    if !target.starts_with('/') {
        return Normalized::Target(target.into());
    }
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut path = Cow::Borrowed(path);
    let mut redirect = false;
    if has_escaped_slash(&path) {
        match rules.escaped_slashes {
            EscapedSlashes::Keep => {}
            EscapedSlashes::Reject => return Normalized::Refused,
            EscapedSlashes::Forward => path = unescape_slashes(&path).into(),
            EscapedSlashes::Redirect => {
                path = unescape_slashes(&path).into();
                redirect = true;
            }
        }
    }
    if rules.normalize && needs_resolving(&path) {
        match resolve(&path) {
            Some(resolved) => path = resolved.into(),
            None => return Normalized::Refused,
        }
    }
    if rules.merge_slashes && path.contains("//") {
        path = merge(&path).into();
    }
    match (path, redirect) {
        (path, true) => Normalized::Redirect(format!("{path}{query}")),
        (Cow::Borrowed(_), false) => Normalized::Target(target.into()),
        (Cow::Owned(path), false) => Normalized::Target(format!("{path}{query}").into()),
    }
}

fn has_escaped_slash(path: &str) -> bool {
    path.as_bytes().windows(3).any(is_escaped_slash)
}

fn is_escaped_slash(letters: &[u8]) -> bool {
    letters.eq_ignore_ascii_case(b"%2f") || letters.eq_ignore_ascii_case(b"%5c")
}

/// Slashes of both kinds, without their escapes.
pub(crate) fn unescape_slashes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.as_bytes().windows(3).position(is_escaped_slash) {
        out.push_str(&rest[..at]);
        out.push(if rest[at..at + 3].eq_ignore_ascii_case("%2f") { '/' } else { '\\' });
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

/// True if resolving would change anything: most paths are left alone.
fn needs_resolving(path: &str) -> bool {
    path.contains("/.") || path.contains('%') || path.contains('\\')
}

/// Resolves `.` and `..`, turns backslashes, decodes what needs no escape. None: an escape that is none.
fn resolve(path: &str) -> Option<String> {
    let decoded = decode_unreserved(&path.replace('\\', "/"))?;
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = decoded.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." if last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

/// Letters, digits, `-._~` need no escape; all other escapes stay as they are.
fn decode_unreserved(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3)?;
        let byte =
            u8::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(digits);
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    Some(out)
}

fn merge(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !out.ends_with('/') {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: PathRules = PathRules {
        normalize: true,
        merge_slashes: true,
        escaped_slashes: EscapedSlashes::Forward,
        underscores: crate::policy::Underscores::Allow,
    };

    fn normalized(rules: PathRules, target: &str) -> Option<String> {
        match normalize(rules, target) {
            Normalized::Target(target) => Some(target.into_owned()),
            Normalized::Redirect(target) => Some(format!("redirect {target}")),
            Normalized::Refused => None,
        }
    }

    #[test]
    fn dots_are_resolved_and_needless_escapes_decoded_where_asked_for() {
        let rules = PathRules { normalize: true, ..PathRules::default() };
        for (target, expected) in [
            ("/a/../b?x=/../y", "/b?x=/../y"),
            ("/a/./b/.", "/a/b/"),
            ("/../../etc", "/etc"),
            ("/a/..", "/"),
            ("/%61%2e%2E/x", "/a../x"),
            ("/%2e%2e/x", "/x"),
            ("/a%2fb", "/a%2fb"),
            ("/a\\..\\b", "/b"),
            ("/a//b", "/a//b"),
            ("*", "*"),
        ] {
            assert_eq!(normalized(rules, target).as_deref(), Some(expected), "{target}");
            assert_eq!(normalized(PathRules::default(), target).as_deref(), Some(target), "left alone by default");
        }
        assert_eq!(normalized(rules, "/a%zz"), None);
        assert_eq!(normalized(PathRules::default(), "/a#b"), None);
    }

    #[test]
    fn escaped_slashes_are_kept_refused_redirected_or_decoded() {
        let rules = |escaped_slashes| PathRules { escaped_slashes, ..PathRules::default() };
        let told = |action| normalized(rules(action), "/a%2Fb%5cc?d");
        assert_eq!(told(EscapedSlashes::Keep).as_deref(), Some("/a%2Fb%5cc?d"));
        assert_eq!(told(EscapedSlashes::Reject), None);
        assert_eq!(told(EscapedSlashes::Redirect).as_deref(), Some("redirect /a/b\\c?d"));
        assert_eq!(told(EscapedSlashes::Forward).as_deref(), Some("/a/b\\c?d"));
    }

    #[test]
    fn slashes_are_merged_where_asked_for() {
        let rules = PathRules { merge_slashes: true, ..PathRules::default() };
        assert_eq!(normalized(rules, "//a///b?c=//").as_deref(), Some("/a/b?c=//"));
    }

    proptest! {
        #[test]
        fn what_has_been_normalised_stays_as_it_is(path in "/[a-c./%2eE5fFcC\\\\]{0,20}") {
            if let Some(once) = normalized(ALL, &path) {
                prop_assert!(!once.contains("/../") && !once.contains("//"), "{once}");
            }
        }
    }
}
