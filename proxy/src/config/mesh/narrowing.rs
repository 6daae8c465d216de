//! Whether one match narrows another, as those of a delegate must.

use super::delegation::joined;
use crate::config::objects::MatchBlock;
use crate::policy::{HeaderMatch, PathMatch, Pattern, QueryMatch, RouteMatch, TextMatch};

/// Both matches at once; none where they contradict each other, or where it cannot be told from their texts that they do not.
pub(super) fn narrowed(root: &MatchBlock, own: &MatchBlock) -> Option<MatchBlock> {
    let (outer, inner) = (&root.request, &own.request);
    let fits = path_fits(&outer.path, &inner.path)
        && outer.ignore_path_case == inner.ignore_path_case
        && inner
            .headers
            .iter()
            .all(|header| same_field(outer, header).is_none_or(|root| fits(&root.value, &header.value)))
        && inner.query.iter().all(|query| same_key(outer, query).is_none_or(|root| fits(&root.value, &query.value)))
        && (root.port.is_none() || own.port.is_none() || root.port == own.port)
        && (root.source_namespace.is_none() || root.source_namespace == own.source_namespace)
        && own.source_labels.iter().all(|(name, value)| root.source_labels.get(name).is_none_or(|root| root == value))
        && (root.gateways.is_empty() || own.gateways.iter().all(|gateway| root.gateways.contains(gateway)));
    fits.then(|| both(root, own))
}

fn both(root: &MatchBlock, own: &MatchBlock) -> MatchBlock {
    let (outer, inner) = (&root.request, &own.request);
    let path = if inner.path == PathMatch::Any { &outer.path } else { &inner.path };
    let headers = outer.headers.iter().filter(|header| same_field(inner, header).is_none());
    let query = outer.query.iter().filter(|query| same_key(inner, query).is_none());
    let mut source_labels = root.source_labels.clone();
    source_labels.extend(own.source_labels.clone());
    MatchBlock {
        name: joined(&root.name, &own.name),
        request: RouteMatch {
            path: path.clone(),
            headers: headers.chain(&inner.headers).cloned().collect(),
            query: query.chain(&inner.query).cloned().collect(),
            ..inner.clone()
        },
        port: own.port.or(root.port),
        source_labels,
        source_namespace: own.source_namespace.clone().or_else(|| root.source_namespace.clone()),
        gateways: if own.gateways.is_empty() { root.gateways.clone() } else { own.gateways.clone() },
        origin: own.origin.clone(),
    }
}

fn same_field<'m>(of: &'m RouteMatch, header: &HeaderMatch) -> Option<&'m HeaderMatch> {
    of.headers.iter().find(|known| known.name == header.name && known.invert == header.invert)
}

fn same_key<'m>(of: &'m RouteMatch, query: &QueryMatch) -> Option<&'m QueryMatch> {
    of.query.iter().find(|known| known.name == query.name)
}

fn path_fits(root: &PathMatch, own: &PathMatch) -> bool {
    match (root, own) {
        (PathMatch::Any, _) | (_, PathMatch::Any) => true,
        (PathMatch::Exact(root), PathMatch::Exact(own)) => root == own,
        (PathMatch::Prefix(root), PathMatch::Prefix(own) | PathMatch::Exact(own)) => own.starts_with(root),
        _ => false,
    }
}

fn fits(root: &TextMatch, own: &TextMatch) -> bool {
    match (&root.pattern, &own.pattern) {
        (Pattern::Exact(root), Pattern::Exact(own)) => root == own,
        (Pattern::Prefix(root), Pattern::Prefix(own) | Pattern::Exact(own)) => own.starts_with(root),
        _ => false,
    }
}
