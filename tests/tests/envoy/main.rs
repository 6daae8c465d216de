//! Squall beside Envoy: each table of cases says what both are given and asked, and whatever they do must be the same.

mod actions;
mod admin;
mod balancing;
mod breakers;
mod connections;
mod edge;
mod filters;
mod goodbyes;
mod health;
mod outliers;
mod protocols;
mod rejects;
mod requests;
mod retries;
mod routing;
mod streams;
mod timeouts;
mod tls;
mod tracing;

use squall_tests::envoy::{Case, listed, say};
use std::collections::BTreeSet;

/// Cases of a subject.
type Table = fn() -> Vec<Case>;

/// Every table, by its subject.
const TABLES: [(&str, Table); 19] = [
    ("actions", actions::cases),
    ("admin", admin::cases),
    ("balancing", balancing::cases),
    ("breakers", breakers::cases),
    ("connections", connections::cases),
    ("edge", edge::cases),
    ("filters", filters::cases),
    ("goodbyes", goodbyes::cases),
    ("health", health::cases),
    ("outliers", outliers::cases),
    ("protocols", protocols::cases),
    ("rejects", rejects::cases),
    ("requests", requests::cases),
    ("retries", retries::cases),
    ("routing", routing::cases),
    ("streams", streams::cases),
    ("timeouts", timeouts::cases),
    ("tls", tls::cases),
    ("tracing", tracing::cases),
];

/// A table that is lost on the way must not look like one that holds.
const FEWEST: usize = 250;

#[test]
fn there_are_enough_cases_and_each_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    let mut counts = Vec::new();
    for (subject, table) in TABLES {
        let cases = table();
        counts.push(format!("{subject} {}", cases.len()));
        for case in &cases {
            assert!(names.insert(case.name()), "{subject}: a second case is called {}", case.name());
        }
    }
    say(&format!("{} cases beside Envoy: {}", names.len(), counts.join(", ")));
    assert!(names.len() >= FEWEST, "only {} cases", names.len());
}

#[test]
fn a_difference_that_is_listed_is_shown_by_a_case() {
    let shown: BTreeSet<_> =
        TABLES.iter().flat_map(|(_, table)| table()).filter_map(|case| case.difference()).collect();
    // The machine's own address is taken for loopback in every case.
    let idle: Vec<_> =
        listed().into_iter().filter(|name| name != "own-address" && !shown.contains(name.as_str())).collect();
    assert!(idle.is_empty(), "no case shows {idle:?}");
}
