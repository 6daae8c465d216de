//! Names of services, and patterns of them.

use std::net::IpAddr;

/// Behind the namespace of every Kubernetes Service.
const DOMAIN: &str = ".svc.cluster.local";

/// Whose objects hold for all namespaces.
pub(in crate::config) const ROOT_NAMESPACE: &str = "istio-system";

/// A namespace; `default` where none is written.
pub(in crate::config) fn namespace(written: &str) -> &str {
    if written.is_empty() { "default" } else { written }
}

/// The host of a Kubernetes Service.
pub(in crate::config) fn of_service(name: &str, in_namespace: &str) -> String {
    format!("{name}.{}{DOMAIN}", namespace(in_namespace))
}

/// A host as an object of a namespace means it: a name without a dot is a Service of that namespace; anything else is whole.
pub(in crate::config) fn qualified(host: &str, in_namespace: &str) -> String {
    let host = host.strip_suffix('.').filter(|host| host.contains('.')).unwrap_or(host).to_ascii_lowercase();
    if host.is_empty() || host == "*" || host.contains('.') || host.parse::<IpAddr>().is_ok() {
        return host;
    }
    of_service(&host, in_namespace)
}

/// Name and namespace of a Kubernetes Service's host.
pub(in crate::config) fn of_kubernetes(host: &str) -> Option<(&str, &str)> {
    let (name, namespace) = host.strip_suffix(DOMAIN)?.split_once('.')?;
    (!name.is_empty() && !namespace.is_empty() && !namespace.contains('.')).then_some((name, namespace))
}

/// Every other spelling by which callers of a namespace may ask for a host.
pub(super) fn spellings(host: &str, caller: &str) -> Vec<String> {
    let mut spellings = Vec::new();
    if host.parse::<IpAddr>().is_err() && !host.starts_with('*') {
        spellings.push(format!("{host}."));
    }
    if let Some((name, namespace)) = of_kubernetes(host) {
        if namespace == caller {
            spellings.push(name.to_owned());
        }
        spellings.push(format!("{name}.{namespace}.svc"));
        spellings.push(format!("{name}.{namespace}"));
    }
    spellings
}

/// True if every host that `inner` stands for is one that `outer` stands for.
pub(in crate::config) fn covers(outer: &str, inner: &str) -> bool {
    match (outer.strip_prefix('*'), inner.strip_prefix('*')) {
        (Some(outer), Some(inner)) => inner.ends_with(outer),
        (Some(outer), None) => inner.ends_with(outer),
        (None, Some(_)) => false,
        (None, None) => outer == inner,
    }
}

/// True if either covers the other.
pub(in crate::config) fn overlap(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// The narrower of two of which one covers the other.
pub(in crate::config) fn narrower<'h>(one: &'h str, other: &'h str) -> Option<&'h str> {
    if covers(other, one) {
        Some(one)
    } else if covers(one, other) {
        Some(other)
    } else {
        None
    }
}

/// How specific a pattern is for a host: exact above all, then the longest; none if it does not cover it.
pub(in crate::config) fn specificity(pattern: &str, host: &str) -> Option<usize> {
    if pattern == host { Some(usize::MAX) } else { covers(pattern, host).then_some(pattern.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_dot_is_of_the_objects_namespace() {
        for (written, namespace, host) in [
            ("cart", "shop", "cart.shop.svc.cluster.local"),
            ("Cart", "", "cart.default.svc.cluster.local"),
            ("cart.shop", "other", "cart.shop"),
            ("cart.shop.svc.cluster.local.", "other", "cart.shop.svc.cluster.local"),
            ("*", "shop", "*"),
            ("*.shop.svc.cluster.local", "other", "*.shop.svc.cluster.local"),
            ("10.0.0.1", "shop", "10.0.0.1"),
            ("::1", "shop", "::1"),
            ("", "shop", ""),
        ] {
            assert_eq!(qualified(written, namespace), host, "{written}");
        }
    }

    #[test]
    fn a_short_name_is_for_callers_of_the_same_namespace_alone() {
        let host = "cart.shop.svc.cluster.local";
        assert_eq!(spellings(host, "shop"), ["cart.shop.svc.cluster.local.", "cart", "cart.shop.svc", "cart.shop"]);
        assert_eq!(spellings(host, "other"), ["cart.shop.svc.cluster.local.", "cart.shop.svc", "cart.shop"]);
        assert_eq!(spellings("api.example.com", "shop"), ["api.example.com."]);
        assert!(spellings("10.0.0.1", "shop").is_empty());
    }

    #[test]
    fn a_wildcard_covers_what_ends_like_it() {
        for (outer, inner, covered) in [
            ("*.foo.com", "a.foo.com", true),
            ("*.foo.com", "foo.com", false),
            ("*.com", "*.foo.com", true),
            ("*.foo.com", "*.com", false),
            ("*", "*.com", true),
            ("a.com", "a.com", true),
            ("a.com", "*.com", false),
        ] {
            assert_eq!(covers(outer, inner), covered, "{outer} {inner}");
        }
        assert_eq!(narrower("*.com", "a.com"), Some("a.com"));
        assert_eq!(narrower("a.com", "*.com"), Some("a.com"));
        assert_eq!(narrower("a.com", "b.com"), None);
        assert!(specificity("a.b.com", "a.b.com") > specificity("*.b.com", "a.b.com"));
        assert!(specificity("*.b.com", "a.b.com") > specificity("*.com", "a.b.com"));
    }
}
