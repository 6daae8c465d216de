//! Rewriting path and host, after the fields were changed. Pure.

use crate::policy::{HostRewrite, PathMatch, PathRewrite, Redirect, RedirectPort, Rewrite};
use squall_http1::Request;

/// Rewrites a request. `matched` is the condition on the path by which its route was chosen. A host that is the endpoint's own waits
/// until that is picked. `tells_original`: fields of ours say what stood there.
pub(crate) fn rewrite(rewrite: &Rewrite, matched: &PathMatch, request: &mut Request, tells_original: bool) {
    if rewrite.path.is_none() && rewrite.host.is_none() {
        return;
    }
    let path_before = request.target().to_owned();
    if let Some(path_rewrite) = &rewrite.path {
        let (path, query) = split(&path_before);
        let path = rewritten(path_rewrite, matched, path);
        if tells_original {
            request.headers.set("x-envoy-original-path", path_before.as_bytes());
        }
        request.set_target(&format!("{path}{query}"));
    }
    let host = match &rewrite.host {
        Some(HostRewrite::Literal(host)) => Some(host.clone()),
        Some(HostRewrite::Header(name)) => request.headers.get_str(name).map(ToOwned::to_owned),
        Some(HostRewrite::PathRegex { pattern, substitution }) => {
            let (path, _) = split(&path_before);
            Some(pattern.replace_all(path, substitution.as_str()).into_owned())
        }
        Some(HostRewrite::Auto) | None => None,
    };
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        set_host(request, &host, rewrite.append_forwarded_host, tells_original);
    }
}

/// Puts another host in place.
pub(crate) fn set_host(request: &mut Request, host: &str, append_forwarded: bool, tells_original: bool) {
    if let Some(old) = request.headers.get_str("host").map(ToOwned::to_owned) {
        if append_forwarded {
            let before = request.headers.get_str("x-forwarded-host");
            let hosts = before.map_or_else(|| old.clone(), |before| format!("{before},{old}"));
            request.headers.set("x-forwarded-host", hosts.as_bytes());
        }
        if tells_original {
            request.headers.set("x-envoy-original-host", old.as_bytes());
        }
    }
    request.headers.set("host", host.as_bytes());
}

/// Where a redirect points.
pub(crate) fn location(
    redirect: &Redirect,
    matched: &PathMatch,
    (scheme, listener_port): (&str, u16),
    authority: &str,
    target: &str,
) -> String {
    let new_scheme = redirect.scheme.as_deref().unwrap_or(scheme);
    let (old_host, old_port) = host_and_port(authority);
    let host = redirect.host.as_deref().unwrap_or(old_host);
    let port = match redirect.port {
        RedirectPort::Explicit(port) => Some(port.to_string()),
        RedirectPort::OfProtocol => None,
        RedirectPort::OfListener => Some(listener_port.to_string()),
        // With another host the old port means nothing; with another scheme a standard one does not either.
        RedirectPort::Kept if redirect.host.is_some() => None,
        RedirectPort::Kept => old_port.map(ToOwned::to_owned),
    };
    let port = port.filter(|port| !matches!((new_scheme, port.as_str()), ("http", "80") | ("https", "443")));
    let port = port.filter(|port| {
        let standard_before = matches!((scheme, port.as_str()), ("http", "80") | ("https", "443"));
        !(redirect.scheme.is_some() && standard_before && redirect.port == RedirectPort::Kept)
    });
    let (path, query) = split(target);
    let path = redirect.path.as_ref().map_or_else(|| path.to_owned(), |new| rewritten(new, matched, path));
    // A query of the policy's own goes before that of the request.
    let query = if redirect.strip_query || path.contains('?') { "" } else { query };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{new_scheme}://{host}{port}{path}{query}")
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

/// The path, and the query with its question mark.
pub(crate) fn split(target: &str) -> (&str, &str) {
    target.split_at(target.find(['?', '#']).unwrap_or(target.len()))
}

fn rewritten(rewrite: &PathRewrite, matched: &PathMatch, path: &str) -> String {
    match (rewrite, matched) {
        (PathRewrite::Prefix(new), PathMatch::Prefix(prefix)) => {
            format!("{new}{}", path.get(prefix.len()..).unwrap_or_default())
        }
        (PathRewrite::Prefix(new), PathMatch::SegmentPrefix(prefix)) => {
            let rest = path.get(prefix.trim_end_matches('/').len()..).unwrap_or_default();
            let new = if rest.starts_with('/') { new.trim_end_matches('/') } else { new };
            let joined = format!("{new}{rest}");
            if joined.is_empty() { "/".to_owned() } else { joined }
        }
        (PathRewrite::Prefix(new), PathMatch::Any) => {
            format!("{}{path}", new.trim_end_matches('/'))
        }
        (PathRewrite::Prefix(new) | PathRewrite::Whole(new), _) => new.clone(),
        (PathRewrite::Regex { pattern, substitution }, _) => {
            pattern.replace_all(path, substitution.as_str()).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn path(new: PathRewrite, matched: &PathMatch) -> String {
        let mut request = Request::new("GET", "/shop/cart?id=1");
        let whole = Rewrite { path: Some(new), ..Rewrite::default() };
        rewrite(&whole, matched, &mut request, true);
        assert_eq!(request.headers.get("x-envoy-original-path"), Some(&b"/shop/cart?id=1"[..]));
        request.target().to_owned()
    }

    #[test]
    fn a_prefix_is_replaced_alone_and_anything_else_whole_with_the_query_kept() {
        let new = || PathRewrite::Prefix("/v2".to_owned());
        assert_eq!(path(new(), &PathMatch::Prefix("/shop".to_owned())), "/v2/cart?id=1");
        assert_eq!(path(new(), &PathMatch::SegmentPrefix("/shop".to_owned())), "/v2/cart?id=1");
        assert_eq!(path(new(), &PathMatch::Exact("/shop/cart".to_owned())), "/v2?id=1");
        let root = PathRewrite::Prefix("/".to_owned());
        assert_eq!(path(root, &PathMatch::SegmentPrefix("/shop/cart".to_owned())), "/?id=1");
    }

    #[test]
    fn a_regex_replaces_every_match_in_the_path() {
        let every = PathRewrite::Regex { pattern: Regex::new("[aeiou]").unwrap(), substitution: "_".to_owned() };
        assert_eq!(path(every, &PathMatch::Any), "/sh_p/c_rt?id=1");
    }

    #[test]
    fn the_host_is_what_the_policy_a_field_or_the_path_says() {
        let host = |host| {
            let mut request = Request::new("GET", "/tenant-a/cart?x");
            request.headers.add("host", b"old");
            request.headers.add("x-host", b"of-field");
            let whole = Rewrite { host: Some(host), append_forwarded_host: true, ..Rewrite::default() };
            rewrite(&whole, &PathMatch::Any, &mut request, true);
            let told = |name| request.headers.get_str(name).unwrap_or_default().to_owned();
            (told("host"), told("x-forwarded-host"))
        };
        let pattern = Regex::new("^/([^/]+)/.*$").unwrap();
        for (rewrite, expected) in [
            (HostRewrite::Literal("new".to_owned()), ("new", "old")),
            (HostRewrite::Header("x-host".to_owned()), ("of-field", "old")),
            (HostRewrite::Header("x-none".to_owned()), ("old", "")),
            (HostRewrite::PathRegex { pattern, substitution: "${1}".to_owned() }, ("tenant-a", "old")),
            (HostRewrite::Auto, ("old", "")),
        ] {
            assert_eq!(host(rewrite), (expected.0.to_owned(), expected.1.to_owned()));
        }
    }

    #[test]
    fn a_redirect_keeps_what_it_does_not_change_and_leaves_out_standard_ports() {
        let plain = || Redirect {
            status: 301,
            path: None,
            host: None,
            scheme: None,
            port: RedirectPort::Kept,
            strip_query: false,
        };
        let own = str::to_owned;
        let matched = PathMatch::Prefix("/a".to_owned());
        for (redirect, expected) in [
            (Redirect { scheme: Some(own("https")), ..plain() }, "https://cart:8080/a/b?c"),
            (Redirect { host: Some(own("shop")), ..plain() }, "http://shop/a/b?c"),
            (
                Redirect { port: RedirectPort::Explicit(8443), scheme: Some(own("https")), ..plain() },
                "https://cart:8443/a/b?c",
            ),
            (Redirect { port: RedirectPort::Explicit(80), ..plain() }, "http://cart/a/b?c"),
            (Redirect { port: RedirectPort::OfProtocol, ..plain() }, "http://cart/a/b?c"),
            (Redirect { port: RedirectPort::OfListener, ..plain() }, "http://cart:9090/a/b?c"),
            (Redirect { path: Some(PathRewrite::Whole(own("/x"))), ..plain() }, "http://cart:8080/x?c"),
            (Redirect { path: Some(PathRewrite::Whole(own("/x?y"))), ..plain() }, "http://cart:8080/x?y"),
            (
                Redirect { path: Some(PathRewrite::Prefix(own("/z"))), strip_query: true, ..plain() },
                "http://cart:8080/z/b",
            ),
        ] {
            assert_eq!(location(&redirect, &matched, ("http", 9090), "cart:8080", "/a/b?c"), expected);
        }
        let https = Redirect { scheme: Some(own("https")), ..plain() };
        assert_eq!(location(&https, &matched, ("http", 9090), "cart:80", "/"), "https://cart/");
    }
}
