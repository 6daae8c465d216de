use crate::{Document, Finding, Keyed, Source, Spanned, Unsupported, Value, parse};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

fn source(text: &str) -> Source {
    Source { path: "a.yaml".into(), text: text.to_owned() }
}

fn document(text: &str) -> Document {
    parse(&source(text)).unwrap().remove(0)
}

/// `line:column message; expected ...; help`
fn shown(findings: &[Finding]) -> Vec<String> {
    let more = |finding: &Finding| {
        let expected = finding.expected.iter().map(|expected| format!("; expected {expected}"));
        expected.chain(finding.help.iter().map(|help| format!("; {help}"))).collect::<String>()
    };
    findings.iter().map(|f| format!("{}:{} {}{}", f.place.line, f.place.column, f.message, more(f))).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cart {
    name: Spanned<String>,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    kinds: Vec<Kind>,
    zone: Option<Unsupported>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Plain,
    Sized { size: u64 },
}

#[test]
fn scalars_are_what_they_look_like_and_nothing_more() {
    for (text, expected) in [
        ("true", "Bool(true)"),
        ("yes", "Text(\"yes\")"),
        ("on", "Text(\"on\")"),
        ("250", "Unsigned(250, \"250\")"),
        ("\"250\"", "Text(\"250\")"),
        ("-3", "Signed(-3, \"-3\")"),
        ("1.5", "Float(1.5, \"1.5\")"),
        ("1e3", "Text(\"1e3\")"),
        ("0x10", "Text(\"0x10\")"),
        ("12:30", "Text(\"12:30\")"),
        ("1.2.3", "Text(\"1.2.3\")"),
        ("~", "Null"),
    ] {
        assert_eq!(format!("{:?}", crate::parse_value(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn values_are_read_with_their_places() {
    let text = "\u{feff}kinds: [plain, {sized: {size: 3}}]\r\nname: &n cart\r\nlabels: {app: *n}\r\n";
    let cart = document(text).read::<Cart>().unwrap().value;
    assert_eq!((cart.name.value.as_str(), cart.name.place.line, cart.name.place.column), ("cart", 2, 10));
    assert_eq!(cart.kinds, [Kind::Plain, Kind::Sized { size: 3 }]);
    assert_eq!((cart.labels["app"].as_str(), cart.count), ("cart", 0));
}

#[test]
fn a_keyed_value_knows_where_its_key_stands_and_an_entry_of_a_list_where_it_stands_itself() {
    #[derive(Deserialize)]
    struct Both {
        one: Option<Keyed<BTreeMap<String, u8>>>,
        many: Vec<Keyed<u8>>,
    }
    let both = document("one:\n  a: 1\nmany: [7, 8]\n").read::<Both>().unwrap().value;
    let one = both.one.unwrap();
    assert_eq!((one.key.line, one.key.column, one.value["a"]), (1, 1, 1));
    assert_eq!((both.many[1].key.line, both.many[1].key.column, both.many[1].value), (3, 11, 8));
}

#[test]
fn every_error_is_found_at_once() {
    let text = "cont: 3\ncount: many\nkinds: [plian, {sized: {}}, plain, 3]\nlabels: {a: 1}\nzone: b\n";
    let errors = document(text).read::<Cart>().unwrap_err();
    assert_eq!(
        shown(&errors),
        [
            "1:1 unknown key `cont`; expected one of `name`, `count`, `kinds`, `zone`, `labels`; did you mean `count`?",
            "1:1 `name` is missing",
            "2:8 found the text `many`; expected a whole number",
            "3:9 `plian` is not known here; expected one of `plain`, `sized`; did you mean `plain`?",
            "3:24 `size` is missing",
            "3:36 found the text `3`; expected a name, or a map of one key",
            "4:13 found the number 1; expected a text",
            "5:7 `zone` is not obeyed yet",
        ]
    );
}

#[test]
fn a_list_in_place_of_a_map_is_one_error_and_nothing_of_it_is_read() {
    let errors = document("[a, 1, [plain], {x: y}]\n").read::<Cart>().unwrap_err();
    assert_eq!(shown(&errors), ["1:1 found a list; expected a map"]);
}

#[test]
fn what_an_alias_repeats_stands_where_the_alias_does() {
    let errors = document("name: &n [a]\ncount: *n\n").read::<Cart>().unwrap_err();
    assert_eq!(shown(&errors), ["1:10 found a list; expected a text", "2:8 found a list; expected a whole number"]);
}

#[test]
fn what_is_not_obeyed_is_listed_with_its_path() {
    let read = document("name: a\nzone: {x: 1}\n").read::<Cart>().unwrap();
    assert!(read.value.zone.is_some());
    assert_eq!(shown(&read.unsupported), ["2:7 zone"]);
}

#[test]
fn what_yaml_allows_but_nobody_means_is_refused() {
    for (text, expected) in [
        ("a: 1\na: 2\n", "2:1 the key `a` stands here twice"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "2:5 merge keys are not read"),
        ("a: !!str 1\n", "1:10 tags are not read"),
        ("{[a]: 1}\n", "1:2 a key that is no scalar"),
    ] {
        assert_eq!(shown(&parse(&source(text)).unwrap_err()), [expected], "{text}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused_before_it_is_built() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(parse(&source(&text)).unwrap_err()[0].message.starts_with("more than 300000 values"));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(shown(&parse(&source(&deep)).unwrap_err()), ["1:129 nested deeper than 128"]);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\u{e9}]{0,80}") {
        for document in parse(&source(&text)).unwrap_or_default() {
            let _ = document.read::<Cart>();
        }
    }

    #[test]
    fn a_plain_word_is_itself(text in "[a-z]{1,9}") {
        prop_assume!(!matches!(text.as_str(), "true" | "false" | "null"));
        prop_assert!(matches!(crate::parse_value(&text), Ok(Value::Text(read)) if read == text));
    }
}
