//! Filters of rules and backends.

mod cors;
mod path;

use super::backend::{BackendRef, backend};
use crate::config::istio::{Block, operations, rules};
use crate::config::number::{Percent, Port};
use crate::config::objects::{HttpAction, HttpRule, MirrorTo};
use crate::config::problems::Problems;
use crate::policy::{Fraction, HeaderOperations, HeaderRules, HostRewrite, PathMatch, Redirect, RedirectPort, Rewrite};
use cors::{Cors, cors_policy};
use path::{PathModifier, rewrite};
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenFilter {
    #[serde(rename = "type")]
    kind: Spanned<String>,
    request_header_modifier: Option<Modifier>,
    response_header_modifier: Option<Modifier>,
    request_mirror: Option<Mirror>,
    request_redirect: Option<Keyed<WrittenRedirect>>,
    url_rewrite: Option<UrlRewrite>,
    cors: Option<Cors>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modifier {
    #[serde(default)]
    set: Vec<Field>,
    #[serde(default)]
    add: Vec<Field>,
    #[serde(default)]
    remove: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: Spanned<String>,
    value: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Mirror {
    backend_ref: BackendRef,
    percent: Option<Percent>,
    fraction: Option<Spanned<Share>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    numerator: u32,
    denominator: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRedirect {
    scheme: Option<Spanned<String>>,
    hostname: Option<String>,
    path: Option<PathModifier>,
    port: Option<Port>,
    status_code: Option<Spanned<u16>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlRewrite {
    hostname: Option<String>,
    path: Option<PathModifier>,
}

/// The kinds of filters, with the key that each has.
const KINDS: [(&str, &str); 6] = [
    ("RequestHeaderModifier", "requestHeaderModifier"),
    ("ResponseHeaderModifier", "responseHeaderModifier"),
    ("RequestMirror", "requestMirror"),
    ("RequestRedirect", "requestRedirect"),
    ("URLRewrite", "urlRewrite"),
    ("CORS", "cors"),
];

/// Tells of a filter that is of no kind, or does not have what its kind has.
fn check(filter: &Spanned<WrittenFilter>, of_backend: bool, problems: &mut Problems<'_>) {
    let WrittenFilter { kind, .. } = &filter.value;
    let there = [
        filter.value.request_header_modifier.is_some(),
        filter.value.response_header_modifier.is_some(),
        filter.value.request_mirror.is_some(),
        filter.value.request_redirect.is_some(),
        filter.value.url_rewrite.is_some(),
        filter.value.cors.is_some(),
    ];
    let Some(index) = KINDS.iter().position(|(name, _)| *name == kind.value) else {
        // What it holds is told as a field that is not obeyed.
        if !matches!(kind.value.as_str(), "ExtensionRef" | "ExternalAuth") {
            let names = KINDS.map(|(name, _)| name);
            let help = match squall_yaml::suggest(&kind.value, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", names.join(", ")),
            };
            problems.error(kind.place, format!("`{}` is no type of a filter", kind.value), help);
        }
        return;
    };
    for (at, (name, key)) in KINDS.iter().enumerate() {
        let has = there.get(at).copied().unwrap_or(false);
        // What a backend's filter has beyond changes of fields was told as not obeyed.
        if at == index && !has && !(of_backend && at > 1) {
            problems.error(kind.place, format!("a filter of type `{name}` has `{key}`"), format!("add `{key}:`"));
        } else if at != index && has {
            problems.error(kind.place, format!("a filter of type `{}` has no `{key}`", kind.value), "make two of it");
        }
    }
}

/// Changes of fields.
pub(super) fn changes(
    filters: &[Spanned<WrittenFilter>],
    of_backend: bool,
    problems: &mut Problems<'_>,
) -> HeaderRules {
    let mut of = HeaderRules::default();
    for filter in filters {
        check(filter, of_backend, problems);
        if let Some(modifier) = &filter.value.request_header_modifier {
            of.request = modified(modifier, of_backend, problems);
        }
        if let Some(modifier) = &filter.value.response_header_modifier {
            of.response = modified(modifier, of_backend, problems);
        }
    }
    rules(of.request, of.response)
}

/// Of fields that are named twice the first counts.
fn modified(modifier: &Modifier, of_backend: bool, problems: &mut Problems<'_>) -> HeaderOperations {
    let first = |fields: &[Field]| {
        let mut pairs: Vec<(Spanned<String>, Spanned<String>)> = Vec::new();
        for field in fields {
            if !pairs.iter().any(|(name, _)| name.value.eq_ignore_ascii_case(&field.name.value)) {
                pairs.push((field.name.clone(), field.value.clone()));
            }
        }
        pairs
    };
    let field = if of_backend { "spec.rules.backendRefs.filters" } else { "spec.rules.filters" };
    operations(
        &first(&modifier.set),
        &first(&modifier.add),
        &modifier.remove,
        Block { of_request: true, field },
        problems,
    )
}

/// Puts what the filters of a rule say into one rule, whose one condition stands already.
pub(super) fn apply(
    filters: &[Spanned<WrittenFilter>],
    namespace: &str,
    rule: &mut HttpRule,
    problems: &mut Problems<'_>,
) {
    let path = rule.matches.first().map_or(PathMatch::Any, |block| block.request.path.clone());
    rule.headers = changes(filters, false, problems);
    for filter in filters {
        let WrittenFilter { request_mirror, request_redirect, url_rewrite, cors, .. } = &filter.value;
        if let Some(written) = request_mirror {
            let share = share(written, problems);
            let to = backend(&written.backend_ref, namespace, problems);
            rule.mirrors.extend(to.filter(|_| share > Fraction::NONE).map(|to| MirrorTo { to, share }));
        }
        if let Some(written) = request_redirect {
            rule.action = HttpAction::Redirect(redirect(written, &path, problems));
        }
        if let Some(written) = url_rewrite {
            rule.rewrite = Some(Rewrite {
                path: written.path.as_ref().and_then(|written| rewrite(written, &path, problems)),
                host: written.hostname.clone().map(HostRewrite::Literal),
                append_forwarded_host: false,
            });
        }
        if let Some(written) = cors {
            rule.cors = Some(cors_policy(written, filter.place, problems));
        }
    }
    let both =
        filters.iter().filter(|filter| filter.value.request_redirect.is_some() || filter.value.url_rewrite.is_some());
    if let Some(second) =
        both.skip(1).find(|_| rule.rewrite.is_some() && matches!(rule.action, HttpAction::Redirect(_)))
    {
        problems.error(second.place, "a redirect and a rewrite exclude each other", "take one out");
    }
}

fn share(written: &Mirror, problems: &mut Problems<'_>) -> Fraction {
    match (&written.fraction, written.percent) {
        (Some(fraction), percent) => {
            let Share { numerator, denominator } = fraction.value;
            let denominator = denominator.unwrap_or(100);
            if percent.is_some() {
                problems.error(fraction.place, "only one of `percent` and `fraction`", "take one out");
            }
            if denominator == 0 || numerator > denominator {
                let message = format!("{numerator} of {denominator} is no share");
                problems.error(fraction.place, message, "a numerator that is not above the denominator");
                return Fraction::NONE;
            }
            Fraction::percent(100.0 * f64::from(numerator) / f64::from(denominator))
        }
        (None, Some(percent)) => Fraction::percent(percent.0),
        (None, None) => Fraction::ALL,
    }
}

fn redirect(written: &Keyed<WrittenRedirect>, path: &PathMatch, problems: &mut Problems<'_>) -> Redirect {
    let WrittenRedirect { scheme, hostname, path: to, port, status_code } = &written.value;
    if let Some(bad) = scheme.as_ref().filter(|scheme| scheme.value != "http" && scheme.value != "https") {
        problems.error(bad.place, format!("`{}` is no scheme of a redirect", bad.value), "`http` or `https`");
    }
    if let Some(bad) = status_code.filter(|code| !matches!(code.value, 301 | 302 | 303 | 307 | 308)) {
        problems.error(bad.place, format!("{} is no status of a redirect", bad.value), "301, 302, 303, 307 or 308");
    }
    Redirect {
        // What the Gateway API says where nothing is written.
        status: status_code.map_or(302, |code| code.value),
        path: to.as_ref().and_then(|to| rewrite(to, path, problems)),
        host: hostname.clone(),
        scheme: scheme.as_ref().map(|scheme| scheme.value.clone()),
        port: match (port, scheme) {
            (Some(port), _) => RedirectPort::Explicit(port.0),
            (None, Some(_)) => RedirectPort::OfProtocol,
            (None, None) => RedirectPort::OfListener,
        },
        strip_query: false,
    }
}
