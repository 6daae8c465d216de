//! Whether a request satisfies conditions. Pure.

use crate::policy::{Fraction, HeaderMatch, PathMatch, QueryMatch, RouteMatch};
use crate::telemetry::is_grpc;
use squall_http1::Request;
use std::borrow::Cow;

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    request: &'a Request,
    /// Without query.
    pub path: &'a str,
    query: &'a str,
    /// The host asked.
    pub(crate) authority: &'a str,
    scheme: &'a str,
    /// Even over all requests, for routes that are for a share of them.
    draw: u32,
}

/// A condition that a request does not satisfy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unmet<'c> {
    /// On its path.
    Path(&'c PathMatch),
    /// On a field of it.
    Header(&'c HeaderMatch),
    /// On a query parameter.
    Query(&'c QueryMatch),
    /// It is no gRPC.
    Grpc,
    /// It is not among this share of the requests.
    Fraction(Fraction),
}

impl<'a> Asked<'a> {
    /// A request that came by `scheme`; `draw` is between 0 and 999,999.
    pub(crate) fn new(request: &'a Request, scheme: &'a str, draw: u32) -> Self {
        let target = request.target();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.split('#').next().unwrap_or(path);
        let authority = request.headers.get_str("host").unwrap_or_default();
        Self { request, path, query, authority, scheme, draw }
    }

    /// The same request with another draw.
    pub(crate) fn drawn(self, draw: u32) -> Self {
        Self { draw, ..self }
    }

    /// True if the request satisfies all conditions.
    pub(crate) fn satisfies(&self, conditions: &RouteMatch) -> bool {
        self.unmet(conditions).is_none()
    }

    /// The first condition that the request does not satisfy.
    pub(crate) fn unmet<'c>(&self, conditions: &'c RouteMatch) -> Option<Unmet<'c>> {
        if !self.path_fits(conditions) {
            return Some(Unmet::Path(&conditions.path));
        }
        if let Some(unmet) = conditions.headers.iter().find(|condition| !self.header_fits(condition)) {
            return Some(Unmet::Header(unmet));
        }
        if let Some(unmet) = conditions.query.iter().find(|condition| !self.query_fits(condition)) {
            return Some(Unmet::Query(unmet));
        }
        if conditions.grpc_only && !is_grpc(&self.request.headers) {
            return Some(Unmet::Grpc);
        }
        let drawn_out = conditions.fraction.filter(|fraction| self.draw >= fraction.0);
        drawn_out.map(Unmet::Fraction)
    }

    fn path_fits(&self, conditions: &RouteMatch) -> bool {
        let same = |a: &str, b: &str| {
            if conditions.ignore_path_case { a.eq_ignore_ascii_case(b) } else { a == b }
        };
        let begins = |prefix: &str| self.path.get(..prefix.len()).is_some_and(|start| same(start, prefix));
        match &conditions.path {
            PathMatch::Any => true,
            PathMatch::Exact(exact) => same(self.path, exact),
            PathMatch::Prefix(prefix) => begins(prefix),
            PathMatch::SegmentPrefix(prefix) => {
                let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
                begins(prefix) && matches!(self.path.as_bytes().get(prefix.len()), None | Some(b'/'))
            }
            PathMatch::Regex(regex) => regex.is_match(self.path),
            PathMatch::Connect => self.request.method() == "CONNECT",
        }
    }

    /// True if a field satisfies a condition; method, scheme, path and authority are fields, too.
    pub(crate) fn header_fits(&self, condition: &HeaderMatch) -> bool {
        match self.own(&condition.name) {
            Some(own) => condition.fits(std::iter::once(own.as_bytes())),
            None => condition.fits(self.request.headers.get_all(&condition.name)),
        }
    }

    /// The first value of a name; what stands for `:method` and its like.
    pub(crate) fn first(&self, name: &str) -> Option<&'a str> {
        self.own(name).or_else(|| self.request.headers.get_str(name))
    }

    /// Values of one name, joined by commas; what stands for `:method` and its like.
    pub(crate) fn field<'s>(&'s self, name: &'s str) -> Option<Cow<'s, str>> {
        if let Some(own) = self.own(name) {
            return Some(own.into());
        }
        let mut values = self.request.headers.get_all(name).map(String::from_utf8_lossy);
        let first = values.next()?;
        Some(values.fold(first, |joined, value| Cow::Owned(format!("{joined},{value}"))))
    }

    /// What is no field of HTTP/1, or stands for one.
    fn own(&self, name: &str) -> Option<&'a str> {
        match name {
            ":method" => Some(self.request.method()),
            ":authority" | "host" => Some(self.authority),
            ":scheme" => Some(self.scheme),
            ":path" => Some(self.request.target()),
            _ => None,
        }
    }

    /// By the first value of the key, as written.
    fn query_fits(&self, condition: &QueryMatch) -> bool {
        self.query_value(&condition.name).is_some_and(|value| condition.value.matches(value))
    }

    /// First value of a query parameter, as written.
    pub(crate) fn query_value(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Pattern, TextMatch};
    use regex::Regex;

    fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request {
        let mut request = Request::new(method, target);
        request.headers.add("host", b"cart:80");
        fields.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
        request
    }

    fn header(name: &str, value: TextMatch) -> HeaderMatch {
        HeaderMatch { name: name.to_owned(), value, invert: false, missing_is_empty: false }
    }

    fn satisfied(request: &Request, conditions: &RouteMatch) -> bool {
        Asked::new(request, "http", 500_000).satisfies(conditions)
    }

    #[test]
    fn conditions_of_a_route_are_all_needed() {
        let conditions = RouteMatch {
            path: PathMatch::Prefix("/foo".to_owned()),
            headers: vec![
                header(":method", TextMatch::exact("GET")),
                header(":authority", TextMatch::exact("cart:80")),
                header(":scheme", TextMatch::exact("http")),
                header("x-user", TextMatch::exact("b")),
                HeaderMatch { invert: true, ..header("x-bot", TextMatch::present()) },
            ],
            query: vec![QueryMatch {
                name: "id".to_owned(),
                value: Pattern::Regex(Regex::new("^(?:[0-9]+)$").unwrap()).into(),
            }],
            ..RouteMatch::default()
        };
        let user = [("x-user", "a"), ("x-user", "b")];
        assert!(satisfied(&request("GET", "/foobar?id=12&id=x", &user), &conditions));
        for wrong in [
            request("GET", "/bar?id=12", &user),
            request("get", "/foo?id=12", &user),
            request("GET", "/foo?id=12", &[("x-user", "a")]),
            request("GET", "/foo?id=12", &[("x-user", "a,b")]),
            request("GET", "/foo?id=12", &[("x-user", "b"), ("x-bot", "")]),
            request("GET", "/foo?id=x", &user),
            request("GET", "/foo", &user),
        ] {
            assert!(!satisfied(&wrong, &conditions), "{wrong:?}");
        }
    }

    #[test]
    fn an_inverted_condition_takes_a_missing_field_for_the_empty_text() {
        let without = |value| RouteMatch {
            headers: vec![HeaderMatch { invert: true, missing_is_empty: true, ..header("x", value) }],
            ..RouteMatch::default()
        };
        let bare = request("GET", "/", &[]);
        assert!(satisfied(&bare, &without(TextMatch::present())));
        assert!(satisfied(&bare, &without(TextMatch::exact("a"))));
        assert!(!satisfied(&bare, &without(Pattern::Prefix(String::new()).into())));
    }

    #[test]
    fn one_value_of_a_field_is_enough_and_turned_round_none_of_them_may_fit() {
        let both = request("GET", "/", &[("x", "a"), ("x", "b")]);
        let fits = |value, invert| {
            let headers = vec![HeaderMatch { invert, ..header("x", value) }];
            satisfied(&both, &RouteMatch { headers, ..RouteMatch::default() })
        };
        assert!(fits(TextMatch::exact("a"), false) && fits(TextMatch::exact("b"), false));
        assert!(!fits(TextMatch::exact("a"), true) && !fits(TextMatch::exact("b"), true));
        assert!(!fits(TextMatch::exact("a,b"), false) && fits(TextMatch::exact("a,b"), true));
        assert!(fits(TextMatch::present(), false) && !fits(TextMatch::present(), true));
    }

    #[test]
    fn a_missing_field_has_no_value_that_an_inverted_condition_could_like() {
        let without = |value| RouteMatch {
            headers: vec![HeaderMatch { invert: true, ..header("x", value) }],
            ..RouteMatch::default()
        };
        let bare = request("GET", "/", &[]);
        assert!(!satisfied(&bare, &without(TextMatch::exact("a"))));
        assert!(satisfied(&bare, &without(TextMatch::present())));
    }

    #[test]
    fn the_case_of_the_path_is_ignored_for_exact_and_prefix_alone() {
        let asked = request("GET", "/FOO/bar", &[]);
        let fits = |path| satisfied(&asked, &RouteMatch { path, ignore_path_case: true, ..RouteMatch::default() });
        assert!(fits(PathMatch::Prefix("/foo".to_owned())));
        assert!(fits(PathMatch::Exact("/foo/BAR".to_owned())));
        assert!(!fits(PathMatch::Regex(Regex::new("^(?:/foo/.*)$").unwrap())));
    }

    #[test]
    fn a_prefix_is_text_unless_it_is_of_segments() {
        let fits =
            |target: &str, path| satisfied(&request("GET", target, &[]), &RouteMatch { path, ..RouteMatch::default() });
        for (target, by_text, by_segment) in
            [("/foo", true, true), ("/foo/bar", true, true), ("/foobar", true, false), ("/foo?a", true, true)]
        {
            assert_eq!(fits(target, PathMatch::Prefix("/foo".to_owned())), by_text, "{target}");
            assert_eq!(fits(target, PathMatch::SegmentPrefix("/foo".to_owned())), by_segment, "{target}");
        }
        assert!(fits("/anything", PathMatch::SegmentPrefix("/".to_owned())));
    }

    #[test]
    fn a_share_of_the_requests_is_drawn_and_grpc_is_told_by_its_content_type() {
        let share = |fraction| RouteMatch { fraction: Some(Fraction(fraction)), ..RouteMatch::default() };
        let bare = request("POST", "/", &[]);
        assert!(satisfied(&bare, &share(500_001)) && !satisfied(&bare, &share(500_000)));
        let grpc = RouteMatch { grpc_only: true, ..RouteMatch::default() };
        for (kind, expected) in
            [("application/grpc", true), ("application/grpc+proto", true), ("application/grpc-web", false)]
        {
            assert_eq!(satisfied(&request("POST", "/", &[("content-type", kind)]), &grpc), expected, "{kind}");
        }
    }
}
