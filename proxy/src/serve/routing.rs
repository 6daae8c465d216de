//! Which route a request takes. Pure.
//!
//! The first that matches wins, as written. [`Table`] finds it without looking at all of them: routes are sorted by what they ask of the
//! path, and only those that the path of a request can satisfy are looked at, in the order of the file.

mod chains;
mod directory;
mod hosts;

pub(crate) use chains::{Arrival, Condition, choose};
pub(crate) use directory::{Directory, Way};
pub(crate) use hosts::{Hosts, without_port};

use crate::policy::{PathMatch, RouteMatch};
use foldhash::HashMap;

/// Routes of one virtual host, by what they ask of the path.
#[derive(Debug, Default)]
pub(crate) struct Table {
    exact: HashMap<String, Vec<usize>>,
    prefixes: HashMap<String, Vec<usize>>,
    /// Lengths that prefixes have, shortest first.
    lengths: Vec<usize>,
    /// Those that only looking at each of them decides.
    others: Vec<usize>,
}

impl Table {
    /// Sorts the routes of a host, given in the order of the file.
    pub(crate) fn new<'r>(routes: impl Iterator<Item = &'r RouteMatch>) -> Self {
        let mut table = Self::default();
        for (at, conditions) in routes.enumerate() {
            let by_text = !conditions.ignore_path_case;
            match &conditions.path {
                PathMatch::Exact(path) if by_text => table.exact.entry(path.clone()).or_default().push(at),
                PathMatch::Prefix(prefix) | PathMatch::SegmentPrefix(prefix) if by_text => {
                    table.prefixes.entry(prefix.clone()).or_default().push(at);
                    if let Err(place) = table.lengths.binary_search(&prefix.len()) {
                        table.lengths.insert(place, prefix.len());
                    }
                }
                _ => table.others.push(at),
            }
        }
        table
    }

    /// The first route, in the order of the file, whose path may fit and of which `matches` says yes.
    pub(crate) fn find(&self, path: &str, mut matches: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut first: Option<usize> = None;
        let mut look = |candidates: &[usize]| {
            for at in candidates {
                if first.is_some_and(|first| *at >= first) {
                    return;
                }
                if matches(*at) {
                    first = Some(*at);
                    return;
                }
            }
        };
        if let Some(candidates) = self.exact.get(path) {
            look(candidates);
        }
        for length in self.lengths.iter().take_while(|length| **length <= path.len()) {
            if let Some(candidates) = path.get(..*length).and_then(|prefix| self.prefixes.get(prefix)) {
                look(candidates);
            }
        }
        look(&self.others);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn conditions(path: PathMatch) -> RouteMatch {
        RouteMatch { path, ..RouteMatch::default() }
    }

    fn fits(conditions: &RouteMatch, path: &str) -> bool {
        match &conditions.path {
            PathMatch::Any => true,
            PathMatch::Exact(exact) => exact == path,
            PathMatch::Prefix(prefix) => path.starts_with(prefix.as_str()),
            _ => false,
        }
    }

    fn routes() -> impl Strategy<Value = Vec<RouteMatch>> {
        let path = "/[ab]{0,4}";
        let one = prop_oneof![
            path.prop_map(|path| conditions(PathMatch::Exact(path))),
            path.prop_map(|path| conditions(PathMatch::Prefix(path))),
            Just(conditions(PathMatch::Any)),
        ];
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn the_first_route_of_the_file_wins_as_if_each_was_looked_at(routes in routes(), path in "/[ab]{0,5}") {
            let table = Table::new(routes.iter());
            let expected = routes.iter().position(|route| fits(route, &path));
            prop_assert_eq!(table.find(&path, |at| fits(&routes[at], &path)), expected);
        }
    }

    #[test]
    fn of_ten_thousand_routes_only_those_that_may_fit_are_looked_at() {
        let routes: Vec<_> = (0..10_000).map(|at| conditions(PathMatch::Prefix(format!("/route-{at}/")))).collect();
        let table = Table::new(routes.iter());
        let mut looked = 0;
        let found = table.find("/route-9999/x", |at| {
            looked += 1;
            fits(&routes[at], "/route-9999/x")
        });
        assert_eq!((found, looked), (Some(9999), 1));
    }
}
