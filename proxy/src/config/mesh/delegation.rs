//! Rules that are left to another object.

use super::export::seen;
use super::host::{namespace, qualified};
use super::narrowing::narrowed;
use super::virtual_services::whole_gateway;
use crate::config::objects::{HttpAction, HttpRule, Objects, VirtualService};

/// The rules of an object, with those of its delegates in the place of rules that delegate. What a rule leaves to an object that is not
/// there, not seen, or delegates itself is dropped; so is each rule of a delegate that its root's conditions exclude.
pub(in crate::config) fn without_delegates(root: &VirtualService, objects: &Objects) -> Vec<HttpRule> {
    let rules = whole_rules(root).flat_map(|rule| match &rule.action {
        HttpAction::Delegate { name, namespace, .. } => {
            let delegate = delegate(root, objects, name, namespace);
            let rules = delegate.into_iter().flat_map(whole_rules);
            rules.filter_map(|own| merged(&rule, own)).collect()
        }
        _ => vec![rule],
    });
    rules.collect()
}

/// The rules of an object, with names of hosts and gateways completed by its own namespace.
pub(in crate::config) fn whole_rules(object: &VirtualService) -> impl Iterator<Item = HttpRule> {
    let home = namespace(&object.namespace);
    object.http.iter().map(move |rule| {
        let mut rule = rule.clone();
        if let HttpAction::Route(backends) = &mut rule.action {
            backends.iter_mut().for_each(|backend| backend.to.host = qualified(&backend.to.host, home));
        }
        rule.mirrors.iter_mut().for_each(|mirror| mirror.to.host = qualified(&mirror.to.host, home));
        for gateway in rule.matches.iter_mut().flat_map(|block| &mut block.gateways) {
            *gateway = whole_gateway(gateway, home);
        }
        rule
    })
}

/// The object that rules are left to, if it may be one: seen by the root's namespace, without hosts, and not delegating again.
pub(in crate::config) fn delegate<'o>(
    root: &VirtualService,
    objects: &'o Objects,
    name: &str,
    in_namespace: &str,
) -> Option<&'o VirtualService> {
    let home = namespace(&root.namespace);
    let wanted = if in_namespace.is_empty() { home } else { in_namespace };
    objects.virtual_services.iter().find(|object| {
        let owner = namespace(&object.namespace);
        let delegates_again = object.http.iter().any(|rule| matches!(rule.action, HttpAction::Delegate { .. }));
        object.name == name
            && owner == wanted
            && object.hosts.is_empty()
            && !delegates_again
            && seen(&object.export_to, owner, home).is_some()
    })
}

/// A delegate's rule under its root's: what it does not say is the root's. None where no match of it is compatible.
pub(in crate::config) fn merged(root: &HttpRule, own: HttpRule) -> Option<HttpRule> {
    let matches = match (root.matches.as_slice(), own.matches.as_slice()) {
        ([], own) => own.to_vec(),
        (root, []) => root.to_vec(),
        (root, own) => {
            let mut merged = Vec::new();
            for block in own {
                let fitting: Vec<_> = root.iter().filter_map(|outer| narrowed(outer, block)).collect();
                if fitting.is_empty() {
                    return None;
                }
                merged.extend(fitting);
            }
            merged
        }
    };
    let first = |own: Vec<_>, root: &Vec<_>| if own.is_empty() { root.clone() } else { own };
    Some(HttpRule {
        name: joined(&root.name, &own.name),
        matches,
        action: own.action,
        timeout: own.timeout.or(root.timeout),
        avoid_previous_hosts: if own.retry.is_some() { own.avoid_previous_hosts } else { root.avoid_previous_hosts },
        retry: own.retry.or_else(|| root.retry.clone()),
        headers: if own.headers == Default::default() { root.headers.clone() } else { own.headers },
        rewrite: own.rewrite.or_else(|| root.rewrite.clone()),
        fault: own.fault.or_else(|| root.fault.clone()),
        cors: own.cors.or_else(|| root.cors.clone()),
        mirrors: first(own.mirrors, &root.mirrors),
        origin: own.origin,
    })
}

/// `root-own`, or the one that there is.
pub(super) fn joined(root: &str, own: &str) -> String {
    match (root, own) {
        ("", own) => own.to_owned(),
        (root, "") => root.to_owned(),
        (root, own) => format!("{root}-{own}"),
    }
}
