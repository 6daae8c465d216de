//! Each code with a policy that it is told of, and with policies that it is not told of.

mod deployed;
mod detectors;
mod envoy;
mod page;
mod pools;
mod retries;
mod routing;
mod whole;

use super::{Advice, CODES, Instances, everywhere};
use crate::config::mesh::IstioVersion;
use crate::config::objects::Objects;
use crate::config::{LoadOptions, read};
use squall_yaml::Source;
use std::collections::BTreeSet;

/// A policy, and what is told of it.
struct Told {
    code: &'static str,
    /// The sentence, and where it stands as `line:column`.
    what: &'static str,
    at: &'static str,
    policy: String,
}

/// A policy of which something is not told.
struct Silent {
    code: &'static str,
    policy: String,
}

fn told(code: &'static str, at: &'static str, what: &'static str, policy: impl Into<String>) -> Told {
    Told { code, what, at, policy: policy.into() }
}

fn silent(code: &'static str, policy: impl Into<String>) -> Silent {
    Silent { code, policy: policy.into() }
}

/// A DestinationRule of `cart`, its policy from line 6 on.
fn rule(policy: &str) -> String {
    let indented = indented(policy, 4);
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: cart}}\nspec: {{host: cart,\n  trafficPolicy: {{\n{indented}  }}}}\n"
    )
}

/// A VirtualService of `cart`, whose one rule says this from line 7 on.
fn routed(rule: &str) -> String {
    of_host("cart", rule)
}

fn of_host(host: &str, rule: &str) -> String {
    let indented = indented(rule, 6);
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {host}}}\nspec:\n  hosts: [{host}]\n  http:\n    -\n{indented}      route: [{{destination: {{host: {host}}}}}]\n"
    )
}

fn indented(text: &str, depth: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{:depth$}{line}\n", "")).collect();
    lines.concat()
}

fn both(one: &str, other: &str) -> String {
    format!("{one}---\n{other}")
}

fn objects(policy: &str) -> Objects {
    let source = Source { path: "mesh.yaml".into(), text: policy.to_owned() };
    let options = LoadOptions::default();
    read(&[source], &options).unwrap_or_else(|findings| panic!("{findings:#?} in\n{policy}")).objects
}

/// Three instances of `cart`, two of `pay`, one of `solo`; of `crowd` nobody knows how many.
fn known() -> Instances {
    let mut known = Instances::default();
    for (service, number) in [("cart", 3), ("pay", 2), ("solo", 1)] {
        known.add(service, number, None);
    }
    known
}

fn advice(policy: &str) -> Vec<Advice> {
    everywhere(&objects(policy), &known(), IstioVersion::LATEST)
}

fn hold(all_told: Vec<Told>, all_silent: Vec<Silent>) {
    let mut missing = Vec::new();
    for Told { code, what, at, policy } in all_told {
        let all = advice(&policy);
        let shown = |one: &Advice| format!("{} {}:{} {}", one.code.code, one.place.line, one.place.column, one.what);
        let found: Vec<_> = all.iter().map(shown).collect();
        let expected = format!("{code} {at} {what}");
        if !found.contains(&expected) {
            missing.push((expected, found, policy));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    for Silent { code, policy } in all_silent {
        let found: Vec<_> = advice(&policy).into_iter().filter(|one| one.code.code == code).collect();
        assert_eq!(found, [], "{policy}");
    }
}

#[test]
fn each_code_has_a_policy_that_it_is_told_of_and_one_that_it_is_not() {
    let tables =
        [detectors::table(), deployed::table(), envoy::table(), pools::table(), retries::table(), routing::table()];
    let mut of_told = BTreeSet::new();
    let mut of_silent = BTreeSet::new();
    // Told only of instances in several places.
    of_told.insert("SQ0513");
    of_silent.insert("SQ0513");
    for (all_told, all_silent) in tables {
        of_told.extend(all_told.iter().map(|one| one.code));
        of_silent.extend(all_silent.iter().map(|one| one.code));
    }
    let codes: BTreeSet<_> = CODES.iter().map(|known| known.code).collect();
    assert_eq!(codes.len(), CODES.len());
    assert_eq!(codes.difference(&of_told).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(codes.difference(&of_silent).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_fix_is_yaml_and_every_reason_a_sentence() {
    let tables =
        [detectors::table(), deployed::table(), envoy::table(), pools::table(), retries::table(), routing::table()];
    for (all_told, _) in tables {
        for advice in all_told.iter().flat_map(|one| advice(&one.policy)) {
            let fix = Source { path: "fix.yaml".into(), text: advice.fix.clone() };
            assert!(squall_yaml::parse(&fix).is_ok(), "{}\n{}", advice.code.code, advice.fix);
            assert!(!advice.what.ends_with('.') && !advice.what.contains('\n'), "{}", advice.what);
        }
    }
    for code in CODES {
        assert!(code.why.ends_with('.') && code.why.starts_with(char::is_uppercase), "{}", code.why);
        assert!(!code.title.ends_with('.'), "{}", code.title);
    }
}
