//! What becomes of each field is what the table says, and so does the page.

use super::fields::{FIELDS, Fields, Group, Word};
use super::*;

fn text(group: &Group, kind: &Fields, field: &str) -> String {
    let Fields { kind, version, head, .. } = kind;
    format!("apiVersion: {version}\nkind: {kind}\n{head}{}\n", group.around.replacen('%', field, 1))
}

#[test]
fn each_field_is_obeyed_or_refused_as_the_table_says() {
    for kind in FIELDS {
        for group in kind.groups {
            for (field, used, word) in group.fields {
                let text = text(group, kind, used);
                let refusals = errors(&text);
                if *word != Word::Refused {
                    assert_eq!(refusals, Vec::<String>::new(), "{} {field}\n{text}", kind.section);
                    continue;
                }
                let named = field.split([':', ' ', ',']).next().unwrap().rsplit('.').next().unwrap();
                let told = refusals.iter().any(|told| told.contains(named) && told.contains("is valid but not obeyed"));
                assert!(told && refusals.len() == 1, "{} {field}\n{text}\n{refusals:?}", kind.section);
            }
        }
    }
}

#[test]
fn a_field_that_is_not_obeyed_can_be_accepted_by_the_name_that_its_refusal_tells() {
    for kind in FIELDS {
        for group in kind.groups {
            for (field, used, _) in group.fields.iter().filter(|(_, _, word)| *word == Word::Refused) {
                let text = text(group, kind, used);
                let findings = read(&sources(&text), &LoadOptions::default()).unwrap_err();
                assert_eq!(findings[0].code, Some("SQ0302"), "{field}");
                let name = findings[0].help.as_ref().unwrap().split('`').nth(1).unwrap();
                assert_eq!(kinds::check_accepted(name), Ok(()), "{field}");
                let loaded = accepting(&text, &[name]);
                assert_eq!((loaded.unsupported.len(), loaded.warnings.len()), (1, 0), "{text}{:?}", loaded.warnings);
            }
        }
    }
}

#[test]
fn the_documentation_has_the_same_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    for kind in FIELDS {
        let section = documentation.split(&format!("\n## {}\n", kind.section)).nth(1);
        let section = section.unwrap_or_else(|| panic!("no section {}", kind.section));
        let section = section.split("\n## ").next().unwrap();
        let mut rows = 0;
        for group in kind.groups {
            for (field, _, word) in group.fields {
                let word = match word {
                    Word::Obeyed => "obeyed",
                    Word::Refused => "refused",
                    Word::NotLookedAt => "not looked at",
                };
                let under = if group.under.is_empty() { String::new() } else { format!("{}.", group.under) };
                let row = format!("| `{under}{field}` | {word} |");
                assert!(section.contains(&row), "{}: {row}", kind.section);
                rows += 1;
            }
        }
        assert_eq!(section.lines().filter(|line| line.starts_with("| `")).count(), rows, "{}", kind.section);
    }
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_that_is_obeyed() {
    let of_policy = policy("tunel: {}");
    assert_eq!(errors(&of_policy).len(), 1);
    assert!(!errors(&of_policy)[0].contains("`tunnel`"), "{:?}", errors(&of_policy));
    check_refused(&[
        (routed("timeot: 5s"), "4:69 unknown key `timeot`"),
        (routed("timeot: 5s"), "did you mean `timeout`?"),
        (policy("outlierDetecton: {}"), "did you mean `outlierDetection`?"),
        (policy("outlierDetection: {consecutive5xxError: 1}"), "did you mean `consecutive5xxErrors`?"),
    ]);
}
