//! The differences that `docs/differences.md` lists, by their short names.

use std::fs;

/// Under this heading they stand, each as a heading of its own.
const HEADING: &str = "## Under the same bootstrap";

/// More than these would be a list of faults.
const MOST: usize = 10;

/// The short names. Each must say where Envoy does it its way.
#[must_use]
pub fn listed() -> Vec<String> {
    let path = crate::repository().join("docs/differences.md");
    let page = fs::read_to_string(path).expect("docs/differences.md");
    let section = page.split_once(HEADING).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let entries: Vec<_> = section.split("\n### ").skip(1).collect();
    assert!(entries.len() <= MOST, "docs/differences.md lists more than {MOST} differences under the same bootstrap");
    let name = |entry: &&str| {
        let name = entry.lines().next().unwrap_or_default().trim().to_owned();
        assert!(entry.contains("`source/") || entry.contains("`docs/"), "{name}: where does Envoy do it its way?");
        name
    };
    entries.iter().map(name).collect()
}
