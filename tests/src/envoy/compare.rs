//! Lays what was seen of both sides side by side.

use super::alike;
use super::seen::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// What differs, in lines.
pub(super) fn compare(envoy: &Seen, squall: &Seen) -> String {
    let mut text = String::new();
    let mut differ = |what: &str, envoy: &str, squall: &str| {
        writeln!(text, "    {what}").expect("a text");
        for change in similar::TextDiff::from_lines(envoy, squall).iter_all_changes() {
            let side = match change.tag() {
                similar::ChangeTag::Delete => "envoy: ",
                similar::ChangeTag::Insert => "squall:",
                similar::ChangeTag::Equal if envoy.len() > 1_000 => continue,
                similar::ChangeTag::Equal => "       ",
            };
            writeln!(text, "      {side} {}", change.value().trim()).expect("a text");
        }
    };
    for ((what, envoy), (_, squall)) in envoy.texts.iter().zip(&squall.texts).filter(|((_, e), (_, s))| e != s) {
        differ(what, envoy, squall);
    }
    for ((what, envoy), (_, squall)) in envoy.tables.iter().zip(&squall.tables) {
        let lines = |table: &BTreeMap<String, String>, other: &BTreeMap<String, String>| -> String {
            let differs = |(name, value): &(&String, &String)| other.get(*name).is_some_and(|known| known != *value);
            let lines: Vec<_> = table.iter().filter(differs).map(|(name, value)| format!("{name}: {value}")).collect();
            lines.join("\n")
        };
        let (envoy, squall) = (lines(envoy, squall), lines(squall, envoy));
        if envoy != squall {
            differ(what, &envoy, &squall);
        }
    }
    for ((what, envoy), (_, squall)) in envoy.spreads.iter().zip(&squall.spreads) {
        let kinds: BTreeSet<_> = envoy.keys().chain(squall.keys()).collect();
        let row = |counts: &BTreeMap<String, usize>| -> Vec<usize> {
            kinds.iter().map(|kind| counts.get(*kind).copied().unwrap_or_default()).collect()
        };
        if !alike(&row(envoy), &row(squall)) {
            differ(what, &format!("{envoy:?}"), &format!("{squall:?}"));
        }
    }
    for ((what, envoy, slack), (_, squall, _)) in envoy.times.iter().zip(&squall.times) {
        if envoy.abs_diff(*squall) > Duration::from_millis(*slack) {
            differ(what, &format!("{envoy:?}"), &format!("{squall:?}"));
        }
    }
    text
}
