//! Rewriting path and host, after the fields were changed.

use crate::policy::{PathRewrite, Redirect, Rewrite, TextMatch};
use squall_http1::Request;

/// Rewrites a request. `matched` is the condition on the path by which its route was chosen.
pub(crate) fn rewrite(rewrite: &Rewrite, matched: Option<&TextMatch>, request: &mut Request) {
    if let Some(path_rewrite) = &rewrite.path {
        let target = request.target().to_owned();
        let (path, query) = split(&target);
        let path = rewritten(path_rewrite, matched, path);
        request.headers.set("x-envoy-original-path", target.as_bytes());
        request.set_target(&format!("{path}{query}"));
    }
    if let Some(authority) = &rewrite.authority {
        request.headers.set("host", authority.as_bytes());
    }
}

/// Where a redirect points.
pub(crate) fn location(redirect: &Redirect, authority: &str, target: &str) -> String {
    let scheme = redirect.scheme.as_deref().unwrap_or("http");
    let authority = redirect.authority.as_deref().unwrap_or(authority);
    let (path, query) = split(target);
    match &redirect.path {
        // A query of the policy's own goes before that of the request.
        Some(path) if path.contains('?') => format!("{scheme}://{authority}{path}"),
        Some(path) => format!("{scheme}://{authority}{path}{query}"),
        None => format!("{scheme}://{authority}{path}{query}"),
    }
}

/// The path, and the query with its question mark.
pub(crate) fn split(target: &str) -> (&str, &str) {
    target.split_at(target.find(['?', '#']).unwrap_or(target.len()))
}

fn rewritten(rewrite: &PathRewrite, matched: Option<&TextMatch>, path: &str) -> String {
    match (rewrite, matched) {
        (PathRewrite::Prefix(new), Some(TextMatch::Prefix(prefix))) => {
            format!("{new}{}", path.get(prefix.len()..).unwrap_or_default())
        }
        (PathRewrite::Prefix(new), _) => new.clone(),
        (PathRewrite::Regex { pattern, substitution }, _) => {
            pattern.replace_all(path, substitution.as_str()).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn path(new: PathRewrite, matched: &TextMatch) -> String {
        let mut request = Request::new("GET", "/shop/cart?id=1");
        rewrite(&Rewrite { path: Some(new), authority: None }, Some(matched), &mut request);
        assert_eq!(request.headers.get("x-envoy-original-path"), Some(&b"/shop/cart?id=1"[..]));
        request.target().to_owned()
    }

    #[test]
    fn a_prefix_is_replaced_alone_and_anything_else_whole_with_the_query_kept() {
        let new = || PathRewrite::Prefix("/v2".to_owned());
        assert_eq!(path(new(), &TextMatch::Prefix("/shop".to_owned())), "/v2/cart?id=1");
        assert_eq!(path(new(), &TextMatch::Exact("/shop/cart".to_owned())), "/v2?id=1");
    }

    #[test]
    fn a_regex_replaces_every_match_in_the_path() {
        let every = PathRewrite::Regex { pattern: Regex::new("[aeiou]").unwrap(), substitution: "_".to_owned() };
        assert_eq!(path(every, &TextMatch::Present), "/sh_p/c_rt?id=1");
    }
}
