//! What becomes of a request: exactly one of `route`, `redirect`, `directResponse` and `delegate`.

use super::Context;
use super::destination::destinations;
use super::http::WrittenRule;
use crate::config::names::is_label;
use crate::config::objects::{HttpAction, PlaceInFile};
use crate::config::problems::Problems;
use crate::policy::{DirectResponse, PathRewrite, Redirect, RedirectPort};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use squall_yaml::{Keyed, Place, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenRedirect {
    #[serde(default)]
    uri: String,
    prefix_rewrite: Option<Keyed<String>>,
    #[serde(default)]
    authority: String,
    #[serde(default)]
    scheme: String,
    redirect_code: Option<Spanned<u32>>,
    port: Option<Spanned<u32>>,
    derive_port: Option<Keyed<DerivePort>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DerivePort {
    FromProtocolDefault,
    FromRequestPort,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDirect {
    status: Spanned<u32>,
    body: Option<Spanned<DirectBody>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectBody {
    string: Option<String>,
    bytes: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDelegate {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

/// Largest body that Istio takes, and the largest that it takes without a warning; bytes.
const MOST_OF_A_BODY: usize = 1 << 20;
const MUCH_OF_A_BODY: usize = 100 << 10;

/// The one action of a rule; none where there is none.
pub(super) fn action(
    written: &WrittenRule,
    place: Place,
    context: &Context<'_>,
    problems: &mut Problems<'_>,
) -> Option<HttpAction> {
    let route = written.route.as_ref().filter(|route| !route.value.is_empty());
    let named = [
        ("delegate", written.delegate.as_ref().map(|delegate| delegate.key)),
        ("redirect", written.redirect.as_ref().map(|redirect| redirect.key)),
        ("directResponse", written.direct_response.as_ref().map(|direct| direct.key)),
        ("route", route.map(|route| route.key)),
    ];
    let mut there = named.into_iter().filter_map(|(name, key)| Some((name, key?)));
    let Some((first, first_place)) = there.next() else {
        let help = "add `route:`, `redirect:` or `directResponse:`";
        problems.error(place, "nothing is said of what becomes of the request", help);
        return None;
    };
    for (name, place) in there {
        let message = format!(
            "a rule has exactly one of `route`, `redirect`, `directResponse` and `delegate`, not `{name}` beside `{first}`"
        );
        problems.error(place, message, "make two rules of it");
    }
    if first == "redirect" || first == "directResponse" {
        let beside = [
            ("fault", written.fault.as_ref().map(|fault| fault.key)),
            ("rewrite", written.rewrite.as_ref().map(|rewrite| rewrite.key)),
        ];
        for (name, place) in beside.into_iter().filter_map(|(name, key)| Some((name, key?))) {
            problems.error(place, format!("Istio refuses `{name}` beside `{first}`"), "take it out");
        }
    }
    if let Some(delegate) = &written.delegate {
        return delegated(delegate, first_place, context, problems);
    }
    if let Some(written_redirect) = &written.redirect {
        return redirect(written_redirect, written, problems).map(HttpAction::Redirect);
    }
    if let Some(written_direct) = &written.direct_response {
        return direct(&written_direct.value, problems).map(HttpAction::Direct);
    }
    route.map(|route| HttpAction::Route(destinations(&route.value, route.key, problems)))
}

fn delegated(
    written: &Keyed<WrittenDelegate>,
    place: Place,
    context: &Context<'_>,
    problems: &mut Problems<'_>,
) -> Option<HttpAction> {
    if context.is_delegate {
        problems.error(place, "a delegate cannot delegate again", "one level is allowed: give it a `route`");
    }
    let WrittenDelegate { name, namespace } = &written.value;
    if !name.split('.').all(is_label) || !(namespace.is_empty() || is_label(namespace)) {
        problems.error(place, "`delegate` names no VirtualService", "as in `delegate: {name: cart, namespace: shop}`");
        return None;
    }
    let namespace = if namespace.is_empty() { context.namespace } else { namespace };
    Some(HttpAction::Delegate { name: name.clone(), namespace: namespace.to_owned(), place: PlaceInFile(place) })
}

fn redirect(written: &Keyed<WrittenRedirect>, rule: &WrittenRule, problems: &mut Problems<'_>) -> Option<Redirect> {
    let WrittenRedirect { uri, prefix_rewrite, authority, scheme, redirect_code, port, derive_port } = &written.value;
    let prefix = prefix_rewrite.as_ref().filter(|prefix| !prefix.value.is_empty());
    let nothing = uri.is_empty() && prefix.is_none() && authority.is_empty() && scheme.is_empty();
    if nothing && port.is_none() && derive_port.is_none() {
        let help = "set `uri`, `prefixRewrite`, `authority`, `scheme` or `port`";
        problems.error(written.key, "this redirect points to where it came from", help);
    }
    if let Some(prefix) = prefix {
        let by_prefix =
            rule.matches.iter().all(|block| block.value.uri.as_ref().is_none_or(|uri| uri.value.prefix.is_some()));
        if !uri.is_empty() {
            problems.error(prefix.key, "only one of `uri` and `prefixRewrite`", "take one out");
        } else if !by_prefix {
            let help = "match the path by `prefix`, or write `uri` for the whole path";
            problems.error(prefix.key, "`prefixRewrite` needs a prefix to replace", help);
        }
    }
    if !scheme.is_empty() && scheme != "http" && scheme != "https" {
        problems.error(written.key, format!("`{scheme}` is no scheme of a redirect"), "`http` or `https`");
    }
    let status = redirect_code.as_ref().map_or(301, |code| if code.value == 0 { 301 } else { code.value });
    if let Some(code) = redirect_code.as_ref().filter(|_| !matches!(status, 301 | 302 | 303 | 307 | 308)) {
        let message = if (300..400).contains(&status) {
            format!("a redirect by {status} does nothing: Istio makes no action of it")
        } else {
            format!("{status} is no status of a redirect")
        };
        problems.error(code.place, message, "301, 302, 303, 307 or 308");
        return None;
    }
    if let (Some(_), Some(derive)) = (port, derive_port) {
        problems.error(derive.key, "only one of `port` and `derivePort`", "take one out");
    }
    let path = match prefix {
        Some(prefix) => Some(PathRewrite::Prefix(prefix.value.clone())),
        None => Some(uri).filter(|uri| !uri.is_empty()).map(|uri| PathRewrite::Whole(uri.clone())),
    };
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Some(Redirect {
        status: status as u16,
        path,
        host: some(authority),
        scheme: some(scheme),
        port: redirect_port(port.as_ref(), derive_port.as_ref(), problems),
        strip_query: false,
    })
}

fn redirect_port(
    port: Option<&Spanned<u32>>,
    derive: Option<&Keyed<DerivePort>>,
    problems: &mut Problems<'_>,
) -> RedirectPort {
    if let Some(port) = crate::config::istio::route_match::port(port, problems) {
        return RedirectPort::Explicit(port);
    }
    match derive.map(|derive| derive.value) {
        Some(DerivePort::FromRequestPort) => RedirectPort::OfListener,
        // Istio writes no port then, as if nothing had been said.
        Some(DerivePort::FromProtocolDefault) | None => RedirectPort::Kept,
    }
}

fn direct(written: &WrittenDirect, problems: &mut Problems<'_>) -> Option<DirectResponse> {
    let body = written.body.as_ref().map_or(Some(Vec::new()), |body| bytes(body, problems));
    let status = u16::try_from(written.status.value).ok().filter(|status| (200..600).contains(status));
    let Some(status) = status else {
        problems.error(
            written.status.place,
            format!("{} is no status of an answer", written.status.value),
            "200 to 599",
        );
        return None;
    };
    Some(DirectResponse { status, body: body? })
}

fn bytes(written: &Spanned<DirectBody>, problems: &mut Problems<'_>) -> Option<Vec<u8>> {
    let body = match &written.value {
        DirectBody { string: Some(_), bytes: Some(_) } => {
            problems.error(written.place, "only one of `string` and `bytes`", "take one out");
            return None;
        }
        DirectBody { string: Some(text), bytes: None } => text.clone().into_bytes(),
        DirectBody { string: None, bytes: None } => Vec::new(),
        DirectBody { string: None, bytes: Some(coded) } => {
            let letters: String = coded.value.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
            let Ok(bytes) = BASE64_STANDARD.decode(&letters) else {
                problems.error(coded.place, "`bytes` is no base64", "write text under `string`");
                return None;
            };
            bytes
        }
    };
    if body.len() > MOST_OF_A_BODY {
        problems.error(
            written.place,
            format!("a body of {} bytes: Istio takes {MOST_OF_A_BODY}", body.len()),
            "make it shorter",
        );
    } else if body.len() > MUCH_OF_A_BODY {
        problems.warning(written.place, format!("a body of {} bytes is large for a policy", body.len()), "");
    }
    Some(body)
}
