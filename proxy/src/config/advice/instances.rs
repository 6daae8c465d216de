//! How many instances each service has.

use crate::config::mesh::{qualified, subset_of};
use std::collections::BTreeMap;

/// How many instances each service has, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances(BTreeMap<String, Vec<Group>>);

/// Instances that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    number: u32,
    /// None where nobody knows them.
    labels: Option<BTreeMap<String, String>>,
}

impl Instances {
    /// Adds instances of a service, by its name or host. Without their labels nobody can say how many a subset has.
    pub fn add(&mut self, service: &str, number: u32, labels: Option<BTreeMap<String, String>>) {
        self.0.entry(qualified(service, "")).or_default().push(Group { number, labels });
    }

    /// How many instances of a service carry these labels; none if that is not known.
    pub(super) fn of(&self, service: &str, labels: &BTreeMap<String, String>) -> Option<u32> {
        let groups = self.0.get(&qualified(service, ""))?;
        let of = |group: &Group| match &group.labels {
            _ if labels.is_empty() => Some(group.number),
            Some(own) if subset_of(labels, own) => Some(group.number),
            Some(_) => Some(0),
            None => None,
        };
        groups.iter().map(of).sum()
    }

    /// The services, by their hosts.
    pub(super) fn services(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_has_those_that_carry_its_labels_and_nobody_knows_how_many_where_labels_are_unknown() {
        let version = |name: &str| BTreeMap::from([("version".to_owned(), name.to_owned())]);
        let mut instances = Instances::default();
        instances.add("cart", 3, Some(version("v1")));
        instances.add("cart.default.svc.cluster.local", 2, Some(version("v2")));
        instances.add("pay", 4, None);
        for (service, labels, number) in [
            ("cart", BTreeMap::new(), Some(5)),
            ("cart", version("v2"), Some(2)),
            ("cart", version("v3"), Some(0)),
            ("pay", BTreeMap::new(), Some(4)),
            ("pay", version("v1"), None),
            ("web", BTreeMap::new(), None),
        ] {
            assert_eq!(instances.of(service, &labels), number, "{service} {labels:?}");
        }
    }
}
