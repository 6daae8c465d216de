use super::super::message::Message;
use super::super::reading::Reading;
use super::super::schema::{ALL, Schema, lower_camel};
use super::super::written::Written;
use crate::config::LoadOptions;
use crate::config::problems::Problems;
use squall_yaml::{Finding, Source};
use std::collections::BTreeSet;
use std::path::Path;

fn open(schema: &'static Schema, field: &str) -> Vec<Finding> {
    let source = Source { path: "a.yaml".into(), text: format!("{field}: a") };
    let documents = squall_yaml::parse(&source).unwrap();
    let options = LoadOptions::default();
    let mut problems = Problems::new(Path::new("a.yaml"), &options);
    let reading = Reading::new(&problems);
    Message::open(Written { node: &documents[0].root, path: "here".to_owned(), reading: &reading }, schema, false);
    reading.hand_over(&mut problems);
    problems.into_parts().0
}

#[test]
fn each_field_of_each_message_is_obeyed_or_refused_under_both_spellings() {
    for schema in ALL {
        let lists = [(schema.obeyed, false), (schema.unheeded, false), (schema.refused, true), (schema.served, true)];
        for (names, refused) in lists {
            for name in names.split_whitespace() {
                for written in [name.to_owned(), lower_camel(name)] {
                    let found = open(schema, &written);
                    let codes: Vec<_> = found.iter().filter(|one| one.code == Some("SQ0302")).collect();
                    assert_eq!(codes.len(), usize::from(refused), "{}.{written}: {found:?}", schema.message);
                    let path = format!("`here.{name}` is valid but not obeyed");
                    assert!(!refused || codes[0].message.starts_with(&path), "{found:?}");
                }
            }
        }
    }
}

#[test]
fn a_field_of_a_former_version_is_told_with_what_stands_in_its_place() {
    for schema in ALL {
        for (name, instead) in schema.former {
            let found = open(schema, name);
            let [finding] = found.as_slice() else { panic!("{}.{name}: {found:?}", schema.message) };
            assert!(finding.help.as_deref().unwrap().contains(instead), "{finding}");
        }
    }
}

#[test]
fn no_field_stands_in_two_lists() {
    let mut messages = BTreeSet::new();
    for schema in ALL {
        assert!(messages.insert((schema.message, schema.side)), "{} twice", schema.message);
        let lists = [schema.obeyed, schema.refused, schema.served, schema.unheeded];
        let mut names = BTreeSet::new();
        for name in lists.iter().flat_map(|list| list.split_whitespace()) {
            assert!(names.insert(name), "{}.{name}", schema.message);
        }
        for name in schema.deprecated.split_whitespace() {
            assert!(schema.obeyed.split_whitespace().any(|obeyed| obeyed == name), "{}.{name}", schema.message);
        }
    }
}

#[test]
fn each_field_that_is_called_obeyed_is_asked_for_by_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/envoy");
    let mut code = String::new();
    let inner = std::fs::read_dir(folder.join("rate_limit")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap().chain(inner) {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with("schema.rs") && !path.ends_with("tests.rs") {
            code.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    // The detector's names are put together: `enforcing_` and the name of a threshold.
    let composed = |name: &str| {
        let threshold = name.strip_prefix("enforcing_").unwrap_or_default();
        !threshold.is_empty() && code.contains(&format!("threshold(\"{threshold}\""))
    };
    for schema in ALL {
        for name in schema.obeyed.split_whitespace() {
            assert!(code.contains(&format!("\"{name}\"")) || composed(name), "{}.{name}", schema.message);
        }
    }
}
