//! Names by the rules of Kubernetes and Istio: hosts, labels, header fields.

use std::net::IpAddr;

/// Longest label of a name.
const MOST_OF_A_LABEL: usize = 63;
/// Longest name.
const MOST_OF_A_NAME: usize = 255;

/// A label of a name, as of namespaces and subsets: letters, digits and dashes inside.
pub(super) fn is_label(text: &str) -> bool {
    let inside = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    let edge = |letter: Option<u8>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.len() <= MOST_OF_A_LABEL
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && text.bytes().all(inside)
}

/// A name of labels and dots; a dot may end it.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a name is missing".to_owned());
    }
    if name.len() > MOST_OF_A_NAME {
        return Err(format!("the name is longer than {MOST_OF_A_NAME} characters"));
    }
    let labels: Vec<&str> = name.strip_suffix('.').unwrap_or(name).split('.').collect();
    if let Some(last) = labels.last().filter(|last| last.parse::<u64>().is_ok()) {
        return Err(format!("`{name}` is no host name: it ends in the number `{last}`"));
    }
    match labels.into_iter().find(|label| !is_label(label)) {
        Some(bad) => Err(format!("`{name}` is no host name: `{bad}` is no label of one")),
        None => Ok(()),
    }
}

/// The same, whose first label may be `*`, or begin with it.
pub(super) fn check_host(host: &str) -> Result<(), String> {
    let (first, rest) = host.split_once('.').map_or((host, None), |(first, rest)| (first, Some(rest)));
    let plain = first.strip_prefix("*-").or_else(|| first.strip_prefix('*')).unwrap_or(first);
    let wild = first.starts_with('*') && first.len() <= MOST_OF_A_LABEL;
    if !wild {
        return check_name(host);
    }
    if host.len() > MOST_OF_A_NAME {
        return Err(format!("the name is longer than {MOST_OF_A_NAME} characters"));
    }
    if !(first == "*" || is_label(plain)) {
        return Err(format!("`{host}` is no host name: `{first}` is no label of one"));
    }
    rest.map_or(Ok(()), |rest| check_name(rest).map_err(|_| format!("`{host}` is no host name: `{rest}` is none")))
}

/// A host, or an address in its place.
pub(super) fn check_host_or_address(host: &str) -> Result<(), String> {
    if host.parse::<IpAddr>().is_ok() { Ok(()) } else { check_host(host) }
}

/// True for a server name that Istio makes of a port and a host, as `outbound_.80_._.cart.shop.svc.cluster.local`.
pub(super) fn is_generated(name: &str) -> bool {
    let mut parts = name.split('_').map(|part| part.trim_matches('.'));
    let (outbound, port, _, host) = (parts.next(), parts.next(), parts.next(), parts.next());
    outbound == Some("outbound")
        && port.is_some_and(|port| port.contains(|letter: char| letter.is_ascii_digit()))
        && host.is_some_and(|host| host.contains(|letter: char| letter.is_ascii_alphabetic()))
}

/// True for a wildcard that is neither `*` nor `*.suffix`.
pub(super) fn is_partial_wildcard(host: &str) -> bool {
    host.contains('*') && host != "*" && !host.starts_with("*.")
}

/// True if some host is meant by both.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        (Some(suffix), None) => other.ends_with(suffix),
        (None, Some(suffix)) => one.ends_with(suffix),
        (None, None) => one == other,
    }
}

/// True if every host that is meant by `inner` is meant by `outer`.
pub(super) fn within(inner: &str, outer: &str) -> bool {
    match (inner.strip_prefix('*'), outer.strip_prefix('*')) {
        (Some(inner), Some(outer)) => inner.ends_with(outer),
        (Some(_), None) => false,
        (None, Some(suffix)) => inner.ends_with(suffix),
        (None, None) => inner == outer,
    }
}

/// A label's value, or the part of its key behind the prefix: letters, digits, and dashes, underlines and dots inside.
fn is_qualified(text: &str) -> bool {
    let edge = |letter: Option<u8>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.len() <= MOST_OF_A_LABEL
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter))
}

/// A label of an object: a key, perhaps behind a domain and a slash, and a value, perhaps empty.
pub(super) fn check_object_label(key: &str, value: &str) -> Result<(), String> {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    if domain.is_some_and(|domain| domain.len() > 253 || !domain.split('.').all(is_label)) || !is_qualified(name) {
        return Err(format!("`{key}` is no key of a label"));
    }
    if !value.is_empty() && !is_qualified(value) {
        return Err(format!("`{value}` is no value of a label"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_labels_of_which_the_first_may_be_a_wildcard() {
        let long = format!("{}.example", "a".repeat(63));
        for good in
            ["cart", "cart.default.svc", "Cart.example.", "*", "*.example.com", "*-api.example.com", "*api", &long]
        {
            assert_eq!(check_host(good), Ok(()), "{good}");
        }
        let too_long = format!("{}.example", "a".repeat(64));
        let name = "a.".repeat(128);
        for bad in ["", "a..b", "-a", "a-", "a_b", "a.*.b", "**", "10.0.0.1", "a/b", "*.", "a b", &too_long, &name] {
            assert!(check_host(bad).is_err(), "{bad}");
        }
        assert!(
            is_generated("outbound_.80_._.cart.svc") && !is_generated("outbound_.x_._.cart") && !is_generated("cart")
        );
        assert!(check_name("*.a").is_err());
        assert!(check_host_or_address("10.0.0.1").is_ok() && check_host_or_address("fe80::1").is_ok());
    }

    #[test]
    fn hosts_overlap_where_some_name_is_meant_by_both() {
        for (one, other, yes) in [
            ("a.com", "a.com", true),
            ("*.com", "a.com", true),
            ("*.a.com", "*.com", true),
            ("*", "*.com", true),
            ("*.a.com", "a.com", false),
            ("a.com", "b.com", false),
        ] {
            assert_eq!((overlap(one, other), overlap(other, one)), (yes, yes), "{one} {other}");
        }
        assert!(within("x.a.com", "*.a.com") && within("*.x.a.com", "*.a.com") && within("a", "*"));
        assert!(!within("*.com", "*.a.com") && !within("*.a.com", "x.a.com"));
    }

    #[test]
    fn labels_of_objects_may_have_a_domain_and_an_empty_value() {
        for (key, value, good) in [
            ("app", "cart", true),
            ("app.kubernetes.io/name", "cart_1.2", true),
            ("app", "", true),
            ("", "cart", false),
            ("app/", "cart", false),
            ("-app", "cart", false),
            ("app", "a b", false),
            ("a_b/c", "d", false),
        ] {
            assert_eq!(check_object_label(key, value).is_ok(), good, "{key}: {value}");
        }
    }
}
