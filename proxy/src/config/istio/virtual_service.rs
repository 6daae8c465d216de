//! `VirtualService`.

use super::headers::WrittenHeaders;
use super::retries::{WrittenRetries, retries};
use super::route_match::{WrittenMatch, route_match};
use crate::config::duration::GoDuration;
use crate::config::object::{Metadata, origin};
use crate::config::problems::Problems;
use crate::policy::{
    Action, Delay, Destination, DirectResponse, FaultInjection, Origin, PathRewrite, Redirect, Rewrite, Route,
    VirtualService, Weighted,
};
use regex::Regex;
use serde::Deserialize;
use squall_yaml::{Document, Place, Spanned, Unsupported};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    metadata: Metadata,
    spec: Spec,
    #[serde(rename = "status")]
    _status: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
    #[serde(default)]
    http: Vec<Spanned<HttpRoute>>,
    #[serde(default)]
    gateways: Vec<Spanned<String>>,
    #[serde(rename = "tls")]
    _tls: Option<Unsupported>,
    #[serde(rename = "tcp")]
    _tcp: Option<Unsupported>,
    #[serde(rename = "exportTo")]
    _export_to: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpRoute {
    name: Option<String>,
    #[serde(default, rename = "match")]
    matches: Vec<WrittenMatch>,
    #[serde(default)]
    route: Vec<WrittenDestination>,
    redirect: Option<Spanned<WrittenRedirect>>,
    direct_response: Option<Spanned<WrittenDirect>>,
    rewrite: Option<Spanned<WrittenRewrite>>,
    timeout: Option<Spanned<GoDuration>>,
    retries: Option<WrittenRetries>,
    fault: Option<Spanned<WrittenFault>>,
    #[serde(default)]
    headers: WrittenHeaders,
    #[serde(rename = "mirror")]
    _mirror: Option<Unsupported>,
    #[serde(rename = "mirrors")]
    _mirrors: Option<Unsupported>,
    #[serde(rename = "mirrorPercentage")]
    _mirror_percentage: Option<Unsupported>,
    #[serde(rename = "mirrorPercent")]
    _mirror_percent: Option<Unsupported>,
    #[serde(rename = "delegate")]
    _delegate: Option<Unsupported>,
    #[serde(rename = "corsPolicy")]
    _cors: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenDestination {
    destination: DestinationRef,
    weight: Option<u32>,
    #[serde(default)]
    headers: WrittenHeaders,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DestinationRef {
    host: String,
    subset: Option<String>,
    port: Option<PortRef>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortRef {
    number: u16,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRedirect {
    uri: Option<String>,
    authority: Option<String>,
    scheme: Option<String>,
    redirect_code: Option<u16>,
    #[serde(rename = "port")]
    _port: Option<Unsupported>,
    #[serde(rename = "derivePort")]
    _derive_port: Option<Unsupported>,
    #[serde(rename = "prefixRewrite")]
    _prefix_rewrite: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDirect {
    status: u16,
    body: Option<DirectBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectBody {
    string: Option<String>,
    #[serde(rename = "bytes")]
    _bytes: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRewrite {
    uri: Option<String>,
    authority: Option<String>,
    uri_regex_rewrite: Option<RegexRewrite>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegexRewrite {
    #[serde(rename = "match")]
    pattern: String,
    rewrite: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFault {
    delay: Option<WrittenDelay>,
    abort: Option<WrittenAbort>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenDelay {
    fixed_delay: GoDuration,
    percentage: Option<Percentage>,
    percent: Option<f64>,
    #[serde(rename = "exponentialDelay")]
    _exponential: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenAbort {
    http_status: u16,
    percentage: Option<Percentage>,
    #[serde(rename = "grpcStatus")]
    _grpc: Option<Unsupported>,
    #[serde(rename = "http2Error")]
    _http2: Option<Unsupported>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Percentage {
    #[serde(default)]
    value: f64,
}

/// Reads one.
pub(in crate::config) fn virtual_service(document: &Document, problems: &mut Problems<'_>) -> Option<VirtualService> {
    let object: Object = problems.read(document, "VirtualService")?;
    let spec = object.spec;
    if spec.hosts.is_empty() {
        problems.error(
            document.place(),
            "a VirtualService without hosts is a delegate, which is not obeyed",
            "add `hosts:`",
        );
    }
    if spec.http.is_empty() {
        problems.error(document.place(), "nothing to do: `spec.http` has no rule", "");
    }
    for gateway in spec.gateways.iter().filter(|gateway| gateway.value != "mesh") {
        let help = "only the reserved name `mesh` is obeyed";
        problems.error(gateway.place, format!("gateway `{}` is not obeyed", gateway.value), help);
    }
    let mut routes: Vec<Route> = Vec::new();
    for written in &spec.http {
        if routes.last().is_some_and(|route| route.matches.is_empty()) {
            problems.warning(written.place, "this rule is never reached", "the rule before it matches every request");
        }
        let route_origin = Origin { file: problems.file(), line: written.place.line };
        routes.push(route(&written.value, written.place, route_origin, problems));
    }
    Some(VirtualService {
        name: object.metadata.name(),
        hosts: spec.hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        routes,
        origin: origin(document, problems),
    })
}

fn route(written: &HttpRoute, place: Place, origin: Origin, problems: &mut Problems<'_>) -> Route {
    let timeout = written.timeout.as_ref().map(|timeout| {
        if timeout.value.0.is_zero() {
            problems.error(timeout.place, "Istio refuses `timeout: 0s`", "leave it out for no time-out");
        }
        timeout.value.0
    });
    Route {
        name: written.name.clone(),
        matches: written.matches.iter().map(|block| route_match(block, problems)).collect(),
        action: action(written, place, problems),
        timeout,
        retry: retries(written.retries.as_ref(), problems),
        headers: headers(&written.headers),
        fault: written.fault.as_ref().and_then(|fault| injection(fault, problems)),
        origin,
    }
}

fn headers(written: &WrittenHeaders) -> crate::policy::HeaderRules {
    written.into()
}

fn action(written: &HttpRoute, place: Place, problems: &mut Problems<'_>) -> Action {
    let kinds = [!written.route.is_empty(), written.redirect.is_some(), written.direct_response.is_some()];
    if kinds.iter().filter(|there| **there).count() != 1 {
        problems.error(place, "a rule has exactly one of `route`, `redirect` and `directResponse`", "");
    }
    if let (None, Some(fault)) = (written.route.first(), &written.fault) {
        problems.error(fault.place, "Istio refuses `fault` beside `redirect` and `directResponse`", "");
    }
    if let Some(redirect) = &written.redirect {
        return self::redirect(redirect, problems);
    }
    if let Some(direct) = &written.direct_response {
        if !(200..=599).contains(&direct.value.status) {
            problems.error(direct.place, format!("{} is no status of an answer", direct.value.status), "200 to 599");
        }
        let body = direct.value.body.as_ref().and_then(|body| body.string.clone()).unwrap_or_default();
        return Action::Direct(DirectResponse { status: direct.value.status, body: body.into_bytes() });
    }
    Action::Forward { to: destinations(&written.route, place, problems), rewrite: rewrite(written, problems) }
}

/// Weights: one destination needs none; of several, those without one get nothing.
fn destinations(written: &[WrittenDestination], place: Place, problems: &mut Problems<'_>) -> Vec<Weighted> {
    let single = written.len() == 1;
    let weighted = written.iter().map(|one| Weighted {
        destination: Destination {
            host: one.destination.host.to_ascii_lowercase(),
            port: one.destination.port.as_ref().map(|port| port.number),
            subset: one.destination.subset.clone(),
        },
        weight: if single { 1 } else { one.weight.unwrap_or(0) },
        headers: headers(&one.headers),
    });
    let kept: Vec<_> = weighted.filter(|one| one.weight > 0).collect();
    if kept.is_empty() && !written.is_empty() {
        problems.error(place, "no destination of this rule has a weight", "give one of them `weight: 100`");
    }
    kept
}

fn redirect(written: &Spanned<WrittenRedirect>, problems: &mut Problems<'_>) -> Action {
    let redirect = &written.value;
    let status = redirect.redirect_code.unwrap_or(301);
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        problems.error(written.place, format!("a redirect by {status} does nothing"), "301, 302, 303, 307 or 308");
    }
    if redirect.uri.is_none() && redirect.authority.is_none() && redirect.scheme.is_none() {
        problems.error(
            written.place,
            "this redirect points to where it came from",
            "set `uri`, `authority` or `scheme`",
        );
    }
    Action::Redirect(Redirect {
        status,
        path: redirect.uri.clone(),
        authority: redirect.authority.clone(),
        scheme: redirect.scheme.clone(),
    })
}

fn rewrite(written: &HttpRoute, problems: &mut Problems<'_>) -> Rewrite {
    let Some(rewrite) = &written.rewrite else { return Rewrite::default() };
    let path = match (&rewrite.value.uri, &rewrite.value.uri_regex_rewrite) {
        (Some(_), Some(_)) => {
            problems.error(rewrite.place, "only one of `uri` and `uriRegexRewrite`", "");
            None
        }
        (Some(uri), None) => Some(PathRewrite::Prefix(uri.clone())),
        (None, Some(regex)) => match Regex::new(&regex.pattern) {
            Ok(pattern) => Some(PathRewrite::Regex { pattern, substitution: groups(&regex.rewrite) }),
            Err(error) => {
                problems.error(rewrite.place, format!("the expression is not understood: {error}"), "");
                None
            }
        },
        (None, None) => None,
    };
    Rewrite { path, authority: rewrite.value.authority.clone() }
}

/// Groups are `\1` in Istio and `${1}` here; a dollar sign stands for itself in Istio.
fn groups(substitution: &str) -> String {
    let mut text = String::new();
    let mut letters = substitution.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => text.push_str("$$"),
            '\\' => match letters.next() {
                Some(digit) if digit.is_ascii_digit() => text.extend(["${", digit.encode_utf8(&mut [0; 4]), "}"]),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

/// An absent percentage is 0 %: nothing happens.
fn injection(written: &Spanned<WrittenFault>, problems: &mut Problems<'_>) -> Option<FaultInjection> {
    let fault = &written.value;
    if fault.delay.is_none() && fault.abort.is_none() {
        problems.error(written.place, "a fault has `delay`, `abort` or both", "");
        return None;
    }
    let mut percent = |percentage: Option<Percentage>, old: Option<f64>| {
        let value = percentage.map(|percentage| percentage.value).or(old).unwrap_or(0.0);
        if !(0.0..=100.0).contains(&value) {
            problems.error(written.place, format!("{value} is no percentage"), "0, or 0.0001 to 100");
        }
        value
    };
    let delay = fault
        .delay
        .as_ref()
        .map(|delay| Delay { fixed: delay.fixed_delay.0, percent: percent(delay.percentage, delay.percent) });
    let abort = fault.abort.as_ref().map(|abort| (abort.http_status, percent(abort.percentage, None)));
    if let Some((status, _)) = abort.filter(|(status, _)| !(200..=599).contains(status)) {
        problems.error(written.place, format!("{status} is no status to abort with"), "200 to 599");
    }
    Some(FaultInjection { delay, abort })
}
