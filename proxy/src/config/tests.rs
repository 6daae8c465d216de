//! Reading whole objects, by the rules of each kind.

mod destination_rule;
mod fields;
mod gateway_api;
mod hostile;
mod istio_objects;
mod kubernetes;
mod malformed;
mod objects;
mod refused;
mod support;
mod virtual_service;

use super::*;

fn sources(text: &str) -> Vec<Source> {
    vec![Source { path: "shop/cart.yaml".into(), text: text.to_owned() }]
}

fn good(text: &str) -> Loaded {
    read(&sources(text), &LoadOptions::default()).unwrap_or_else(|findings| panic!("{text}\n{findings:#?}"))
}

fn accepting(text: &str, names: &[&str]) -> Loaded {
    let options = LoadOptions {
        accept_unsupported: names.iter().map(|name| (*name).to_owned()).collect(),
        ..LoadOptions::default()
    };
    read(&sources(text), &options).unwrap_or_else(|findings| panic!("{text}\n{findings:#?}"))
}

/// `line:column message; help` of each error.
fn errors(text: &str) -> Vec<String> {
    let findings = read(&sources(text), &LoadOptions::default()).err().unwrap_or_default();
    findings.iter().map(shown).collect()
}

fn warnings(text: &str) -> Vec<String> {
    good(text).warnings.iter().map(shown).collect()
}

fn shown(finding: &Finding) -> String {
    let more = [&finding.expected, &finding.help].into_iter().flatten().map(|more| format!("; {more}"));
    format!("{}:{} {}{}", finding.place.line, finding.place.column, finding.message, more.collect::<String>())
}

/// An object of Istio's networking group.
fn istio(kind: &str, spec: &str) -> String {
    format!("apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: cart}}\nspec: {spec}\n")
}

/// A VirtualService with one rule.
fn rule(rule: &str) -> String {
    istio("VirtualService", &format!("{{hosts: [cart], http: [{{{rule}}}]}}"))
}

/// The same, of a rule that sends everything to `cart`.
fn routed(more: &str) -> String {
    rule(&format!("route: [{{destination: {{host: cart}}}}], {more}"))
}

/// A DestinationRule with a policy.
fn policy(policy: &str) -> String {
    istio("DestinationRule", &format!("{{host: cart, trafficPolicy: {{{policy}}}}}"))
}

/// Every text is refused, with a place and with what is told of it.
fn check_refused(cases: &[(String, &str)]) {
    for (text, told) in cases {
        let found = errors(text);
        assert!(found.iter().any(|one| one.contains(told)), "{text}\nexpected {told}\nfound {found:#?}");
        assert!(found.iter().all(|one| !one.starts_with("0:")), "{text}\n{found:#?}");
    }
}
