//! Which virtual host an authority means.

use foldhash::HashMap;
use std::borrow::Cow;

/// Hosts to whatever holds for them: exact names first, then the longest `*.suffix`, then the longest `prefix.*`, then `*`.
#[derive(Debug, Clone)]
pub(crate) struct Hosts<T> {
    exact: HashMap<String, T>,
    /// Longest first, as are prefixes.
    suffixes: Vec<(String, T)>,
    prefixes: Vec<(String, T)>,
    any: Option<T>,
    ignore_port: bool,
}

impl<T> Hosts<T> {
    /// None yet. `ignore_port`: the port of an authority does not count.
    pub(crate) fn new(ignore_port: bool) -> Self {
        Self { exact: HashMap::default(), suffixes: Vec::new(), prefixes: Vec::new(), any: None, ignore_port }
    }

    /// Adds a domain in lower case, unless it is taken: the first to name it wins it.
    pub(crate) fn add(&mut self, domain: &str, value: T) {
        let longest_first = |list: &mut Vec<(String, T)>, part: &str, value| {
            if !list.iter().any(|(known, _)| known == part) {
                let place = list.partition_point(|(known, _)| known.len() >= part.len());
                list.insert(place, (part.to_owned(), value));
            }
        };
        if domain == "*" {
            self.any.get_or_insert(value);
        } else if let Some(suffix) = domain.strip_prefix('*') {
            longest_first(&mut self.suffixes, suffix, value);
        } else if let Some(prefix) = domain.strip_suffix('*') {
            longest_first(&mut self.prefixes, prefix, value);
        } else {
            self.exact.entry(domain.to_owned()).or_insert(value);
        }
    }

    /// What holds for the authority asked.
    pub(crate) fn find(&self, authority: &str) -> Option<&T> {
        let asked = if self.ignore_port { without_port(authority) } else { authority };
        let host = lower(asked);
        if let Some(value) = self.exact.get(&*host) {
            return Some(value);
        }
        // A wildcard stands for one character at least.
        let longer = |part: &str| host.len() > part.len();
        let by_suffix = || self.suffixes.iter().find(|(part, _)| longer(part) && host.ends_with(part.as_str()));
        let by_prefix = || self.prefixes.iter().find(|(part, _)| longer(part) && host.starts_with(part.as_str()));
        by_suffix().or_else(by_prefix).map(|(_, value)| value).or(self.any.as_ref())
    }
}

fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}

/// An authority without its port.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(ignore_port: bool) -> Hosts<usize> {
        let mut hosts = Hosts::new(ignore_port);
        let domains =
            ["*", "*.foo.com", "*.bar.foo.com", "a.foo.com", "a.foo.com", "*-x.foo.com", "foo.*", "foo.bar.*", "a:80"];
        domains.iter().enumerate().for_each(|(at, domain)| hosts.add(domain, at));
        hosts
    }

    #[test]
    fn exact_goes_before_the_longest_suffix_before_the_longest_prefix_before_any() {
        for (asked, expected) in [
            ("a.foo.com", 3),
            ("A.Foo.COM", 3),
            ("a.foo.com:8080", 3),
            ("b.foo.com", 1),
            ("x.bar.foo.com", 2),
            ("a-x.foo.com", 5),
            ("foo.net", 6),
            ("foo.bar.net", 7),
            ("other", 0),
        ] {
            assert_eq!(hosts(true).find(asked), Some(&expected), "{asked}");
        }
    }

    #[test]
    fn a_wildcard_needs_a_character() {
        for (asked, expected) in [(".foo.com", 0), ("foo.com", 6), ("-x.foo.com", 1)] {
            assert_eq!(hosts(true).find(asked), Some(&expected), "{asked}");
        }
        assert_eq!(hosts(true).find("foo."), Some(&0));
    }

    #[test]
    fn the_port_counts_unless_it_is_to_be_ignored() {
        assert_eq!(hosts(false).find("a:80"), Some(&8));
        assert_eq!(hosts(false).find("a.foo.com:80"), Some(&0));
        assert_eq!((without_port("[::1]:80"), without_port("[::1]"), without_port("::1")), ("[::1]", "[::1]", "::1"));
    }
}
