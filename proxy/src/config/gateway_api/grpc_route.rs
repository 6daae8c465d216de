//! `GRPCRoute`.

use super::backend::{BackendRef, action};
use super::filter::{WrittenFilter, apply};
use super::order::sorted;
use super::parent::{ParentRef, for_parents};
use super::value::{WrittenValue, headers};
use crate::config::kinds;
use crate::config::object::Object;
use crate::config::objects::{HttpRule, MatchBlock, VirtualService};
use crate::config::problems::Problems;
use crate::config::re2;
use crate::policy::{HeaderRules, PathMatch, RouteMatch};
use serde::Deserialize;
use squall_yaml::{Document, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    parent_refs: Vec<Spanned<ParentRef>>,
    #[serde(default)]
    hostnames: Vec<Spanned<String>>,
    #[serde(default)]
    rules: Vec<Spanned<WrittenRule>>,
}

#[derive(Debug, Deserialize)]
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
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMatch {
    method: Option<Spanned<Method>>,
    #[serde(default)]
    headers: Vec<WrittenValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Method {
    #[serde(default, rename = "type")]
    kind: MethodType,
    service: Option<String>,
    method: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum MethodType {
    #[default]
    Exact,
    RegularExpression,
}

/// Reads one: a VirtualService for each of its parents.
pub(in crate::config) fn grpc_route(document: &Document, problems: &mut Problems<'_>) -> Vec<VirtualService> {
    let Some(Object { metadata, spec }) = problems.read::<Object<Spec>>(document, &kinds::GRPC_ROUTE) else {
        return Vec::new();
    };
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    let mut all = Vec::new();
    for (index, written) in spec.rules.iter().enumerate() {
        let name = if written.value.name.is_empty() {
            format!("{namespace}.{}.{index}", metadata.name)
        } else {
            written.value.name.clone()
        };
        all.extend(rules(written, &name, &namespace, problems));
    }
    let route = VirtualService {
        http: sorted(all),
        of_gateway_api: true,
        origin: problems.origin(document.place()),
        created: metadata.created(),
        name: metadata.name,
        namespace,
        ..VirtualService::default()
    };
    for_parents(&route, &spec.parent_refs, &spec.hostnames, document.place(), problems)
}

/// A rule for each of its conditions, since they are sorted apart.
fn rules(written: &Spanned<WrittenRule>, name: &str, namespace: &str, problems: &mut Problems<'_>) -> Vec<HttpRule> {
    let rule = &written.value;
    let every = [Spanned { value: WrittenMatch::default(), place: written.place }];
    let blocks = if rule.matches.is_empty() { &every[..] } else { &rule.matches };
    let action = action(&rule.backend_refs, namespace, problems);
    let mut all: Vec<HttpRule> = Vec::new();
    for block in blocks {
        let request = RouteMatch {
            path: block.value.method.as_ref().map_or(PathMatch::Any, |method| path(method, problems)),
            headers: headers(&block.value.headers, problems),
            ..RouteMatch::default()
        };
        let origin = problems.origin(block.place);
        let mut one = HttpRule {
            name: name.to_owned(),
            matches: vec![MatchBlock { request, origin, ..MatchBlock::default() }],
            action: action.clone(),
            timeout: None,
            retry: None,
            avoid_previous_hosts: None,
            headers: HeaderRules::default(),
            rewrite: None,
            fault: None,
            cors: None,
            mirrors: Vec::new(),
            origin: problems.origin(written.place),
        };
        problems.once(all.is_empty(), |problems| apply(&rule.filters, namespace, &mut one, problems));
        all.push(one);
    }
    all
}

/// The path of gRPC is `/service/method`.
fn path(written: &Spanned<Method>, problems: &mut Problems<'_>) -> PathMatch {
    let Method { kind, service, method } = &written.value;
    let expression = match (kind, service, method) {
        (_, None, None) => {
            problems.error(written.place, "neither a service nor a method is named", "add `service` or `method`");
            return PathMatch::Any;
        }
        (MethodType::Exact, Some(service), Some(method)) => return PathMatch::Exact(format!("/{service}/{method}")),
        (MethodType::Exact, Some(service), None) => return PathMatch::Prefix(format!("/{service}/")),
        (MethodType::Exact, None, Some(method)) => format!("/[^/]+/{}", regex::escape(method)),
        (MethodType::RegularExpression, Some(service), None) => format!("/{service}/.+"),
        (MethodType::RegularExpression, None, Some(method)) => format!("/[^/]+/{method}"),
        (MethodType::RegularExpression, Some(service), Some(method)) => format!("/{service}/{method}"),
    };
    re2::whole(&expression).map_or_else(
        |bad| {
            problems.error(written.place, bad, "expressions are those of RE2");
            PathMatch::Any
        },
        PathMatch::Regex,
    )
}
