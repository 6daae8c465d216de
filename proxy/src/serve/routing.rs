//! Which route a request takes. Pure.

use crate::filter::rewrite::split;
use crate::policy::{RouteMatch, TextMatch};
use squall_http1::Request;
use std::borrow::Cow;
use std::collections::HashMap;

/// The host of a service in the one spelling that we compare: no port, no trailing dot, lower case, and short names for what stands in
/// the default namespace.
pub(crate) fn canonical(authority: &str) -> String {
    let host = without_port(authority).trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_suffix(".cluster.local").unwrap_or(&host);
    let host = host.strip_suffix(".svc").unwrap_or(host);
    host.strip_suffix(".default").unwrap_or(host).to_owned()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

/// Hosts to whatever holds for them: exact names first, then the longest `*.suffix`, then `*`.
#[derive(Debug, Clone)]
pub(crate) struct Hosts<T> {
    exact: HashMap<String, T>,
    /// Longest first.
    suffixes: Vec<(String, T)>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), suffixes: Vec::new(), any: None }
    }
}

impl<T> Hosts<T> {
    /// Adds a host, unless it is taken: the first to name it wins it.
    pub(crate) fn add(&mut self, host: &str, value: T) {
        if host == "*" {
            self.any.get_or_insert(value);
        } else if let Some(suffix) = host.strip_prefix('*') {
            if !self.suffixes.iter().any(|(known, _)| known == suffix) {
                self.suffixes.push((suffix.to_owned(), value));
                self.suffixes.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
            }
        } else {
            self.exact.entry(canonical(host)).or_insert(value);
        }
    }

    /// What holds for the host asked.
    pub(crate) fn find(&self, authority: &str) -> Option<&T> {
        let host = canonical(authority);
        if let Some(value) = self.exact.get(&host) {
            return Some(value);
        }
        // A wildcard stands for one character at least.
        let wild =
            self.suffixes.iter().find(|(suffix, _)| host.len() > suffix.len() && host.ends_with(suffix.as_str()));
        wild.map(|(_, value)| value).or(self.any.as_ref())
    }
}

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    request: &'a Request,
    path: &'a str,
    query: &'a str,
    authority: &'a str,
    port: u16,
}

impl<'a> Asked<'a> {
    /// A request that came in on a listener for `port`.
    pub(crate) fn new(request: &'a Request, port: u16) -> Self {
        let (path, query) = split(request.target());
        let authority = request.headers.get_str("host").unwrap_or_default();
        Self { request, path, query: query.strip_prefix('?').unwrap_or_default(), authority, port }
    }

    /// True if all conditions of the block hold.
    pub(crate) fn satisfies(&self, block: &RouteMatch) -> bool {
        let path = block.path.as_ref().is_none_or(|path| {
            if block.ignore_path_case { path.matches_ignoring_case(self.path) } else { path.matches(self.path) }
        });
        path && block.method.as_ref().is_none_or(|method| method.matches(self.request.method()))
            && block.authority.as_ref().is_none_or(|authority| authority.matches(self.authority))
            && block.port.is_none_or(|port| port == self.port)
            && block.headers.iter().all(|(name, value)| self.header_matches(name, value))
            && block.without_headers.iter().all(|(name, value)| !self.header_matches_or_empty(name, value))
            && block.query.iter().all(|(name, value)| self.query_value(name).is_some_and(|text| value.matches(&text)))
    }

    fn header_matches(&self, name: &str, value: &TextMatch) -> bool {
        self.header(name).is_some_and(|text| value.matches(&text))
    }

    /// In an inverted condition a missing field counts as the empty text, except for "present".
    fn header_matches_or_empty(&self, name: &str, value: &TextMatch) -> bool {
        match (self.header(name), value) {
            (None, TextMatch::Present) => false,
            (None, value) => value.matches(""),
            (Some(text), value) => value.matches(&text),
        }
    }

    /// Values of one name, joined by commas.
    fn header<'s>(&'s self, name: &'s str) -> Option<Cow<'s, str>> {
        let mut values = self.request.headers.get_all(name).map(String::from_utf8_lossy);
        let first = values.next()?;
        Some(values.fold(first, |joined, value| Cow::Owned(format!("{joined},{value}"))))
    }

    /// First value of the key, as written.
    fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| Cow::Borrowed(value))
    }
}

/// The block by which a route matches: none needed where it has none.
#[allow(clippy::option_option, reason = "whether it matches, and by which block, are two questions")]
pub(crate) fn matching<'r>(blocks: &'r [RouteMatch], asked: &Asked<'_>) -> Option<Option<&'r RouteMatch>> {
    if blocks.is_empty() {
        return Some(None);
    }
    blocks.iter().find(|block| asked.satisfies(block)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn a_service_has_many_spellings() {
        for spelling in [
            "cart",
            "Cart:80",
            "cart.default",
            "cart.default.svc",
            "cart.default.svc.cluster.local",
            "cart.default.svc.cluster.local.:8080",
        ] {
            assert_eq!(canonical(spelling), "cart", "{spelling}");
        }
        assert_eq!(canonical("cart.shop.svc.cluster.local"), "cart.shop");
    }

    #[test]
    fn exact_goes_before_the_longest_suffix_before_any_and_a_wildcard_needs_a_character() {
        let mut hosts = Hosts::default();
        for (host, value) in [("*", 0), ("*.foo.com", 1), ("*.bar.foo.com", 2), ("a.foo.com", 3), ("a.foo.com", 4)] {
            hosts.add(host, value);
        }
        for (asked, expected) in [
            ("a.foo.com", 3),
            ("b.foo.com:8080", 1),
            ("x.bar.foo.com", 2),
            (".foo.com", 0),
            ("foo.com", 0),
            ("other", 0),
        ] {
            assert_eq!(hosts.find(asked), Some(&expected), "{asked}");
        }
    }

    fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request {
        let mut request = Request::new(method, target);
        request.headers.add("host", b"cart:80");
        fields.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
        request
    }

    fn exact(text: &str) -> TextMatch {
        TextMatch::Exact(text.to_owned())
    }

    #[test]
    fn conditions_of_a_block_are_all_needed() {
        let block = RouteMatch {
            path: Some(TextMatch::Prefix("/foo".to_owned())),
            method: Some(exact("GET")),
            headers: vec![("x-user".to_owned(), exact("a,b"))],
            without_headers: vec![("x-bot".to_owned(), TextMatch::Present)],
            query: vec![("id".to_owned(), TextMatch::Regex(Regex::new("^(?:[0-9]+)$").unwrap()))],
            authority: Some(exact("cart:80")),
            port: Some(80),
            ..RouteMatch::default()
        };
        let user = [("x-user", "a"), ("x-user", "b")];
        let matches = |request: &Request, port| Asked::new(request, port).satisfies(&block);
        assert!(matches(&request("GET", "/foobar?id=12&id=x", &user), 80));
        for (wrong, port) in [
            (request("GET", "/bar?id=12", &user), 80),
            (request("get", "/foo?id=12", &user), 80),
            (request("GET", "/foo?id=12", &[("x-user", "a")]), 80),
            (request("GET", "/foo?id=12", &[("x-user", "a,b"), ("x-bot", "")]), 80),
            (request("GET", "/foo?id=x", &user), 80),
            (request("GET", "/foo", &user), 80),
            (request("GET", "/foo?id=12", &user), 81),
        ] {
            assert!(!matches(&wrong, port), "{wrong:?}");
        }
    }

    #[test]
    fn without_headers_takes_a_missing_field_for_the_empty_text() {
        let block = |value| RouteMatch { without_headers: vec![("x".to_owned(), value)], ..RouteMatch::default() };
        let bare = request("GET", "/", &[]);
        let satisfied = |value| Asked::new(&bare, 80).satisfies(&block(value));
        assert!(satisfied(TextMatch::Present));
        assert!(satisfied(exact("a")));
        assert!(!satisfied(TextMatch::Prefix(String::new())));
    }

    #[test]
    fn the_case_of_the_path_is_ignored_for_exact_and_prefix_alone() {
        let block = |path| RouteMatch { path: Some(path), ignore_path_case: true, ..RouteMatch::default() };
        let asked = request("GET", "/FOO/bar", &[]);
        let matches = |path| Asked::new(&asked, 80).satisfies(&block(path));
        assert!(matches(TextMatch::Prefix("/foo".to_owned())));
        assert!(matches(exact("/foo/BAR")));
        assert!(!matches(TextMatch::Regex(Regex::new("^(?:/foo/.*)$").unwrap())));
    }
}
