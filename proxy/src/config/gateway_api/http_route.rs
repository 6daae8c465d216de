//! `HTTPRoute`.

use super::backend::{BackendRef, action};
use super::filter::{WrittenFilter, apply};
use super::order::sorted;
use super::parent::{ParentRef, for_parents};
use super::value::{WrittenValue, value};
use crate::config::duration::GoDuration;
use crate::config::istio::conditions;
use crate::config::kinds;
use crate::config::number::Count;
use crate::config::object::Object;
use crate::config::objects::{HttpRule, MatchBlock, VirtualService};
use crate::config::problems::Problems;
use crate::config::re2;
use crate::policy::{HeaderMatch, HeaderRules, PathMatch, QueryMatch, RetryPolicy, RouteMatch, TextMatch};
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Node, Place, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    parent_refs: Vec<Spanned<ParentRef>>,
    #[serde(default)]
    hostnames: Vec<Spanned<String>>,
    rules: Option<Vec<Spanned<WrittenRule>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    matches: Vec<Spanned<WrittenMatch>>,
    #[serde(default)]
    filters: Vec<Spanned<WrittenFilter>>,
    #[serde(default)]
    backend_refs: Vec<Spanned<BackendRef>>,
    timeouts: Option<Timeouts>,
    retry: Option<Retry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timeouts {
    request: Option<GoDuration>,
    backend_request: Option<Keyed<GoDuration>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    #[serde(default)]
    codes: Vec<Spanned<u16>>,
    attempts: Option<Count>,
    backoff: Option<GoDuration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenMatch {
    path: Option<WrittenPath>,
    method: Option<Spanned<String>>,
    #[serde(default)]
    headers: Vec<WrittenValue>,
    #[serde(default)]
    query_params: Vec<WrittenValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPath {
    #[serde(default, rename = "type")]
    kind: PathType,
    value: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum PathType {
    Exact,
    #[default]
    PathPrefix,
    RegularExpression,
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Reads one: a VirtualService for each of its parents.
pub(in crate::config) fn http_route(document: &Document, problems: &mut Problems<'_>) -> Vec<VirtualService> {
    let Some(Object { metadata, spec }) = problems.read::<Object<Spec>>(document, &kinds::HTTP_ROUTE) else {
        return Vec::new();
    };
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    // Without any there is one for every path, which nobody takes.
    let every = || vec![Spanned { value: WrittenRule::default(), place: document.place() }];
    let nodes = document.root.get("spec").and_then(|spec| spec.get("rules")).map_or(&[][..], Node::list);
    let mut rules = Vec::new();
    for (index, written) in spec.rules.unwrap_or_else(every).iter().enumerate() {
        let name = if written.value.name.is_empty() {
            format!("{namespace}.{}.{index}", metadata.name)
        } else {
            written.value.name.clone()
        };
        rules.extend(self::rules(written, nodes.get(index), &name, &namespace, problems));
    }
    let route = VirtualService {
        http: sorted(rules),
        of_gateway_api: true,
        origin: problems.origin(document.place()),
        created: metadata.created(),
        name: metadata.name,
        namespace,
        ..VirtualService::default()
    };
    for_parents(&route, &spec.parent_refs, &spec.hostnames, document.place(), problems)
}

/// A rule for each of its conditions, since they are sorted apart; without any it is for every path.
fn rules(
    written: &Spanned<WrittenRule>,
    node: Option<&Node>,
    name: &str,
    namespace: &str,
    problems: &mut Problems<'_>,
) -> Vec<HttpRule> {
    let rule = &written.value;
    let origin = problems.origin_of(written.place, node);
    let every = [Spanned { value: WrittenMatch::default(), place: written.place }];
    let blocks = if rule.matches.is_empty() { &every[..] } else { &rule.matches };
    let mut retry = rule.retry.as_ref().map(|retry| self::retry(retry, problems));
    let mut timeout = rule.timeouts.as_ref().and_then(|timeouts| timeouts.request).map(|timeout| timeout.0);
    timeout = timeout.filter(|timeout| !timeout.is_zero());
    if let Some(one) =
        rule.timeouts.as_ref().and_then(|timeouts| timeouts.backend_request).filter(|one| !one.value.0.is_zero())
    {
        if timeout.is_some_and(|whole| whole < one.value.0) {
            problems.error(one.key, "`backendRequest` is longer than `request`", "one try is a part of the whole");
        }
        match &mut retry {
            Some(retry) => retry.per_try_timeout = Some(one.value.0),
            None => timeout = Some(one.value.0),
        }
    }
    let action = action(&rule.backend_refs, namespace, problems);
    let mut all: Vec<HttpRule> = Vec::new();
    for block in blocks {
        let mut matched = route_match(block, problems);
        matched.origin.fields = origin.fields.clone();
        let mut one = HttpRule {
            avoid_previous_hosts: None,
            name: name.to_owned(),
            matches: vec![matched],
            action: action.clone(),
            timeout,
            retry: retry.clone(),
            headers: HeaderRules::default(),
            rewrite: None,
            fault: None,
            cors: None,
            mirrors: Vec::new(),
            origin: origin.clone(),
        };
        problems.once(all.is_empty(), |problems| apply(&rule.filters, namespace, &mut one, problems));
        all.push(one);
    }
    all
}

/// Connections that fail are tried again too, whatever the codes; twice where no number is written.
fn retry(written: &Retry, problems: &mut Problems<'_>) -> RetryPolicy {
    let attempts = written.attempts.map_or(2, |attempts| attempts.0);
    if attempts == 0 {
        return RetryPolicy::none();
    }
    let mut on = conditions("connect-failure,refused-stream,unavailable,cancelled", Place::default(), problems);
    for code in &written.codes {
        if !(400..600).contains(&code.value) {
            problems.error(code.place, format!("{} is no status of a failure", code.value), "400 to 599");
        }
        on.statuses.push(code.value);
    }
    let default = RetryPolicy::mesh_default();
    let base = written.backoff.map(|base| base.0).filter(|base| !base.is_zero()).unwrap_or(default.back_off_base);
    RetryPolicy { attempts, on, back_off_base: base, back_off_max: base * 10, ..default }
}

fn route_match(written: &Spanned<WrittenMatch>, problems: &mut Problems<'_>) -> MatchBlock {
    let WrittenMatch { path, method, headers, query_params } = &written.value;
    let mut fields = super::value::headers(headers, problems);
    if let Some(method) = method {
        if !METHODS.contains(&method.value.as_str()) {
            problems.error(
                method.place,
                format!("`{}` is no method", method.value),
                format!("one of {}", METHODS.join(", ")),
            );
        }
        let value = TextMatch::exact(&method.value);
        fields.push(HeaderMatch { name: ":method".to_owned(), value, invert: false, missing_is_empty: false });
    }
    let mut query: Vec<QueryMatch> = Vec::new();
    for written in query_params {
        if query.iter().all(|earlier| earlier.name != written.name.value) {
            query.push(QueryMatch { name: written.name.value.clone(), value: value(written, problems) });
        }
    }
    let path = path.as_ref().map_or_else(|| PathMatch::Prefix("/".to_owned()), |path| self::path(path, problems));
    MatchBlock {
        request: RouteMatch { path, headers: fields, query, ..RouteMatch::default() },
        origin: problems.origin(written.place),
        ..MatchBlock::default()
    }
}

/// A prefix is one of whole segments, and a slash at its end says nothing.
fn path(written: &WrittenPath, problems: &mut Problems<'_>) -> PathMatch {
    let text = written.value.as_ref().map_or("/", |value| &value.value);
    let place = written.value.as_ref().map(|value| value.place).unwrap_or_default();
    if written.kind == PathType::RegularExpression {
        return re2::whole(text).map_or_else(
            |bad| {
                problems.error(place, bad, "expressions are those of RE2");
                PathMatch::Any
            },
            PathMatch::Regex,
        );
    }
    let dots = text.split('/').any(|segment| segment == "." || segment == "..");
    if !text.starts_with('/') || text.contains("//") || text.contains('#') || dots {
        problems.error(
            place,
            format!("`{text}` is no path to match"),
            "it begins with `/`, without `//`, `#` and dots alone",
        );
    }
    match (written.kind, text.strip_suffix('/').unwrap_or(text)) {
        (PathType::Exact, _) => PathMatch::Exact(text.to_owned()),
        (_, "") => PathMatch::Prefix("/".to_owned()),
        (_, prefix) => PathMatch::SegmentPrefix(prefix.to_owned()),
    }
}
