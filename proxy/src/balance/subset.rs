//! Subsets of a cluster that routes choose by labels.

use super::part::{Part, Plan};
use super::rotation::Member;
use crate::policy::{LabelSubsets, SubsetFallback};
use std::collections::{BTreeMap, BTreeSet};

/// Values of labels.
pub(super) type Labels = BTreeMap<String, String>;

/// The parts of a cluster that has subsets.
#[derive(Debug)]
pub(super) struct Subsets {
    by_labels: BTreeMap<Labels, Part>,
    /// What a selector says of a subset that there is not.
    selectors: BTreeMap<BTreeSet<String>, Option<SubsetFallback>>,
    fallback: SubsetFallback,
    /// All endpoints, where anybody falls back on them.
    any: Option<Part>,
    /// Those of the default subset, likewise.
    default: Option<Part>,
}

impl Subsets {
    /// Of these endpoints.
    pub(super) fn new(policy: &LabelSubsets, plan: Plan<'_>, members: &[&Member<'_>], lists: &mut usize) -> Self {
        // Weights of localities are those of the whole, and no subset goes by them.
        let plan = Plan { by_locality: false, ..plan };
        let mut selectors = BTreeMap::new();
        for selector in &policy.selectors {
            let keys: BTreeSet<_> = selector.keys.iter().cloned().collect();
            selectors.entry(keys).or_insert(selector.fallback);
        }
        let mut chosen: BTreeMap<Labels, Vec<&Member<'_>>> = BTreeMap::new();
        for member in members {
            for keys in selectors.keys() {
                let value = |key: &String| Some((key.clone(), member.labels.get(key)?.clone()));
                if let Some(labels) = keys.iter().map(value).collect::<Option<Labels>>() {
                    chosen.entry(labels).or_default().push(member);
                }
            }
        }
        let by_labels =
            chosen.into_iter().map(|(labels, members)| (labels, Part::new(plan, &members, lists))).collect();
        let falls_on = |fallback| policy.fallback == fallback || selectors.values().any(|own| *own == Some(fallback));
        let any = falls_on(SubsetFallback::Any).then(|| Part::new(plan, members, lists));
        let in_default = |member: &&Member<'_>| {
            policy.default_subset.iter().all(|(key, value)| member.labels.get(key) == Some(value))
        };
        let default = falls_on(SubsetFallback::Default).then(|| {
            let members: Vec<_> = members.iter().copied().filter(in_default).collect();
            Part::new(plan, &members, lists)
        });
        Self { by_labels, selectors, fallback: policy.fallback, any, default }
    }

    /// The endpoints with these labels, and whether they are those of a fallback. A route that asks for none falls back too.
    pub(super) fn part(&self, labels: &Labels) -> Option<(&Part, bool)> {
        if let Some(part) = self.by_labels.get(labels) {
            return Some((part, false));
        }
        let own = self.selectors.iter().find(|(keys, _)| keys.iter().eq(labels.keys()));
        let fallback = own.and_then(|(_, fallback)| *fallback).unwrap_or(self.fallback);
        let part = match fallback {
            SubsetFallback::None => None,
            SubsetFallback::Any => self.any.as_ref(),
            SubsetFallback::Default => self.default.as_ref(),
        };
        part.map(|part| (part, true))
    }
}
