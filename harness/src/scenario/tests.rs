//! What a scenario as a whole is read as, and what is said about one that is wrong.

use super::parse::{Reading, text_of};
use super::resolved::Scenario;
use squall_yaml::{Finding, Severity, Source};
use std::fmt::Write;

mod demonstrations;
mod faults;
mod good;
mod language;
mod wrong;

/// A scenario that is right, for tests to change a line of.
const CART: &str = "\
scenario: a killed instance is not noticed by clients
topology: {services: [{name: cart, instances: 3}]}
load: {to: cart, rate: 500/s}
timeline:
  - {phase: baseline, for: 5s}
  - {phase: outage, for: 8s, faults: [{kill: {target: cart/1}}]}
  - {phase: recovery, for: 8s}
expect:
  outage: {success: \">= 99.9%\", p99: \"<= 2x baseline\"}
  healing: [{ejected: cart/1, within: 1s}]
";

fn read(text: &str) -> (Vec<Scenario>, Vec<Finding>) {
    text_of(&Source { path: "cart.yaml".into(), text: text.to_owned() }, true, &Reading::default())
}

/// `line:column message; expected ...; help`, errors only.
fn errors(text: &str) -> String {
    let mut shown = String::new();
    for finding in read(text).1.into_iter().filter(|finding| finding.severity == Severity::Error) {
        write!(shown, "{}:{} {}", finding.place.line, finding.place.column, finding.message).unwrap();
        for (word, more) in [("expected ", finding.expected), ("", finding.help)] {
            if let Some(more) = more {
                write!(shown, "; {word}{more}").unwrap();
            }
        }
        shown.push('\n');
    }
    shown
}

/// The scenario, which must be right.
fn scenario(text: &str) -> Scenario {
    let errors = errors(text);
    assert_eq!(errors, "", "{text}");
    read(text).0.into_iter().next().unwrap()
}
