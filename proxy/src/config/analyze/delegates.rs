//! Delegates that are not there, and rules of delegates that their roots exclude.

use super::finding;
use crate::config::mesh::{delegate, merged, namespace, whole_rules};
use crate::config::objects::{HttpAction, HttpRule, Objects, PlaceInFile, VirtualService};
use squall_yaml::{Finding, suggest};

/// What is wrong with rules that are left to other objects.
pub(super) fn findings(objects: &Objects) -> Vec<Finding> {
    let roots = objects.virtual_services.iter().filter(|object| !object.hosts.is_empty());
    let rules = roots.flat_map(|root| whole_rules(root).map(move |rule| (root, rule)));
    rules.flat_map(|(root, rule)| of_rule(root, &rule, objects)).collect()
}

fn of_rule(root: &VirtualService, rule: &HttpRule, objects: &Objects) -> Vec<Finding> {
    let HttpAction::Delegate { name, namespace: wanted, place } = &rule.action else { return Vec::new() };
    let Some(object) = delegate(root, objects, name, wanted) else {
        return vec![missing(root, rule, objects, (name, wanted), *place)];
    };
    let excluded = whole_rules(object).filter(|own| merged(rule, own.clone()).is_none());
    let report = |own: HttpRule| {
        let message = format!("no match of this rule is one of `{}`'s, which delegates to it", root.name);
        let help = format!("narrow a match that stands at {}", rule.origin);
        finding("SQ0414", &own.origin, PlaceInFile::default(), "", message, help)
    };
    excluded.map(report).collect()
}

fn missing(
    root: &VirtualService,
    rule: &HttpRule,
    objects: &Objects,
    (name, wanted): (&String, &String),
    place: PlaceInFile,
) -> Finding {
    let owner = if wanted.is_empty() { namespace(&root.namespace) } else { wanted };
    let of_owner = objects.virtual_services.iter().filter(|object| namespace(&object.namespace) == owner);
    let (message, help) = match of_owner.clone().find(|object| object.name == *name) {
        None => {
            let names: Vec<_> =
                of_owner.filter(|object| object.hosts.is_empty()).map(|object| object.name.as_str()).collect();
            let near = suggest(name, &names).map(|near| format!("did you mean `{near}`?"));
            (format!("there is no VirtualService `{owner}/{name}` to delegate to"), near)
        }
        Some(object) if !object.hosts.is_empty() => {
            (format!("`{owner}/{name}` has hosts of its own"), Some("a delegate has no `hosts`".to_owned()))
        }
        Some(object) if object.http.iter().any(|rule| matches!(rule.action, HttpAction::Delegate { .. })) => {
            (format!("`{owner}/{name}` delegates again"), Some("delegation is one level deep".to_owned()))
        }
        Some(_) => (format!("`{owner}/{name}` is not exported to `{}`", namespace(&root.namespace)), None),
    };
    finding("SQ0413", &rule.origin, place, name, message, help)
}
