//! The hash of a request, by which consistent balancing picks. Pure.

use crate::balance::{combine, key, keys};
use crate::policy::{HashOf, HashPolicy};
use squall_http1::Request;
use std::cell::RefCell;
use std::net::IpAddr;
use std::time::Duration;

/// A cookie that the answer has to set, since the request had none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewCookie {
    /// Its line.
    pub set_cookie: String,
}

/// What all policies of a route give together; `fresh` makes the value of a new cookie.
pub(crate) fn hash(
    policies: &[HashPolicy],
    request: &Request,
    client: IpAddr,
    fresh: impl Fn() -> u64,
) -> (Option<u64>, Vec<NewCookie>) {
    let cookies = RefCell::new(Vec::new());
    let each = policies.iter().map(|policy| {
        let own = match &policy.of {
            HashOf::Header(name) => keys(&mut request.headers.get_all(name).collect::<Vec<_>>()),
            HashOf::SourceIp => Some(key(client.to_string().as_bytes())),
            HashOf::Query(name) => query_value(request.target(), name).map(|value| key(value.as_bytes())),
            HashOf::Cookie { name, ttl, path, attributes } => match (cookie(request, name), ttl) {
                (Some(value), _) => Some(key(&value)),
                (None, Some(ttl)) => {
                    let value = format!("{:016x}", fresh());
                    let set_cookie = line(name, &value, *ttl, path, attributes);
                    cookies.borrow_mut().push(NewCookie { set_cookie });
                    Some(key(value.as_bytes()))
                }
                (None, None) => None,
            },
        };
        (own, policy.terminal)
    });
    let hash = combine(each);
    (hash, cookies.into_inner())
}

fn query_value<'t>(target: &'t str, name: &str) -> Option<&'t str> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn cookie(request: &Request, name: &str) -> Option<Vec<u8>> {
    let pairs = request.headers.get_all("cookie").flat_map(|value| value.split(|byte| *byte == b';'));
    let mut named = pairs.filter_map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|byte| *byte == b'=')?;
        (&pair[..at] == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
    });
    let value = named.next()?;
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(quoted.unwrap_or(value).to_vec())
}

fn line(name: &str, value: &str, ttl: Duration, path: &str, attributes: &[(String, String)]) -> String {
    let mut line = format!("{name}=\"{value}\"");
    if !ttl.is_zero() {
        line.push_str("; Max-Age=");
        line.push_str(itoa::Buffer::new().format(ttl.as_secs()));
    }
    if !path.is_empty() {
        line.push_str("; Path=");
        line.push_str(path);
    }
    for (name, value) in attributes {
        line.push_str("; ");
        line.push_str(name);
        if !value.is_empty() {
            line.push('=');
            line.push_str(value);
        }
    }
    line.push_str("; HttpOnly");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let mut request = Request::new("GET", "/a?user=7&user=8");
        request.headers.add("cookie", b"other=1; session=\"abc\"");
        request.headers.add("x-user", b"anna");
        request
    }

    fn of(policies: &[HashOf]) -> (Option<u64>, Vec<NewCookie>) {
        let policies: Vec<_> = policies.iter().map(|of| HashPolicy { of: of.clone(), terminal: false }).collect();
        hash(&policies, &request(), [10, 0, 0, 1].into(), || 1)
    }

    fn cookie_named(name: &str, ttl: Option<Duration>) -> HashOf {
        HashOf::Cookie { name: name.to_owned(), ttl, path: "/".to_owned(), attributes: Vec::new() }
    }

    #[test]
    fn each_kind_of_key_is_found_and_what_is_absent_gives_none() {
        assert_eq!(of(&[HashOf::Header("x-user".to_owned())]).0, keys(&mut [b"anna"]));
        assert_eq!(of(&[HashOf::Header("x-none".to_owned())]).0, None);
        assert_eq!(of(&[HashOf::SourceIp]).0, Some(key(b"10.0.0.1")));
        assert_eq!(of(&[HashOf::Query("user".to_owned())]).0, Some(key(b"7")));
        assert_eq!(of(&[cookie_named("session", None)]).0, Some(key(b"abc")));
        assert_eq!(of(&[cookie_named("absent", None)]), (None, Vec::new()));
    }

    #[test]
    fn an_absent_cookie_with_a_lifetime_is_made_and_set() {
        let (hash, cookies) = of(&[cookie_named("sticky", Some(Duration::from_secs(60)))]);
        assert_eq!(hash, Some(key(b"0000000000000001")));
        assert_eq!(cookies[0].set_cookie, "sticky=\"0000000000000001\"; Max-Age=60; Path=/; HttpOnly");
        let (_, cookies) = of(&[cookie_named("sticky", Some(Duration::ZERO))]);
        assert_eq!(cookies[0].set_cookie, "sticky=\"0000000000000001\"; Path=/; HttpOnly");
    }
}
