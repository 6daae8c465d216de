//! Policies of subsets that nothing is sent to.

use super::Advice;
use super::codes::SUBSET_UNUSED;
use super::view::View;
use super::written::advice_at;
use crate::config::mesh::{covers, qualified};
use crate::config::objects::{DestinationRule, Objects, Subset, TrafficPolicy};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let objects = view.objects;
    let each = |rule: &DestinationRule| of_rule(rule, objects);
    objects.destination_rules.iter().flat_map(each).collect()
}

fn of_rule(rule: &DestinationRule, objects: &Objects) -> Vec<Advice> {
    let host = qualified(&rule.host, &rule.namespace);
    let is_sent_to = |subset: &Subset| {
        objects.virtual_services.iter().any(|object| {
            object.destinations().any(|(_, to, _)| {
                to.subset.as_deref() == Some(&subset.name) && covers(&host, &qualified(&to.host, &object.namespace))
            })
        })
    };
    let has_policy = |subset: &Subset| subset.policy != TrafficPolicy::default() || !subset.port_policies.is_empty();
    let unused = rule.subsets.iter().filter(|subset| has_policy(subset) && !is_sent_to(subset));
    let tell = unused.map(|subset| {
        let what = format!("no route sends to the subset {} of {}: its policy holds for no request", subset.name, rule.host);
        let fix = format!(
            "kind: VirtualService\nspec:\n  hosts: [{host}]\n  http:\n    - route: [{{destination: {{host: {host}, subset: {}}}}}]",
            subset.name,
            host = rule.host
        );
        let mut advice = advice_at(&rule.origin, &SUBSET_UNUSED, "", what, fix);
        if subset.place.0.line > 0 {
            (advice.place, advice.span_len) = (subset.place.0, subset.name.chars().count());
        }
        advice
    });
    tell.collect()
}
