use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use squall_yaml::Source;

fn caller() -> Inputs {
    Inputs { listen: vec!["127.0.0.1:8080".parse().unwrap()], ..Inputs::of_a_caller() }
}

/// Texts in files of their own, translated.
fn translated(texts: &[&str]) -> Translation {
    let folder = tempfile::tempdir().unwrap();
    let policies = texts.iter().enumerate().map(|(at, text)| {
        let path = folder.path().join(format!("{at}.yaml"));
        std::fs::write(&path, text).unwrap();
        path
    });
    let inputs = Inputs { policies: policies.collect(), ..caller() };
    translate(&inputs).unwrap_or_else(|findings| panic!("{findings:?}")).0
}

const SERVICES: &str = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a, labels: {kubernetes.io/service-name: cart}}\naddressType: IPv4\nports: [{port: 81}]\nendpoints: [{addresses: [10.0.0.3]}, {addresses: [10.0.0.1]}]\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: b, labels: {kubernetes.io/service-name: pay}}\naddressType: IPv4\nports: [{port: 81}]\nendpoints: [{addresses: [10.0.0.2]}]\n";
const MORE: &str = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: c, labels: {kubernetes.io/service-name: cart}}\naddressType: IPv4\nports: [{port: 81}]\nendpoints: [{addresses: [10.0.0.2]}]\n";
const CART: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: cart}\nspec:\n  hosts: [cart]\n  http:\n  - match: [{uri: {prefix: /a}, headers: {authorization: {exact: Bearer abc}}}]\n    route: [{destination: {host: cart}}]\n    timeout: 1500ms\n    fault: {abort: {httpStatus: 503, percentage: {value: 12.5}}}\n    headers: {request: {set: {authorization: Bearer abc, x-a: \"%REQ(x-b)%\"}}}\n  - route: [{destination: {host: pay}}]\n";
const RULE: &str = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec: {host: cart, trafficPolicy: {outlierDetection: {baseEjectionTime: 90s}, tls: {mode: MUTUAL, clientCertificate: /etc/cert.pem, privateKey: /etc/key.pem, caCertificates: /etc/ca.pem}}}\n";

#[test]
fn the_order_of_files_does_not_change_the_text() {
    let files = [SERVICES, MORE, CART, RULE];
    let first = translated(&files).yaml().unwrap();
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let permuted = order.map(|at| files[at]);
        assert_eq!(translated(&permuted).yaml().unwrap(), first);
    }
    assert_eq!(first, translated(&[&files.join("---\n")]).yaml().unwrap(), "nor does how many they are");
    let moved = format!("# A line more.\n{CART}");
    assert_eq!(first, translated(&[SERVICES, MORE, &moved, RULE]).yaml().unwrap(), "nor where in them it stands");
}

#[test]
fn a_change_of_behaviour_changes_the_lines_that_say_it_and_no_others() {
    let first = translated(&[SERVICES, CART, RULE]).yaml().unwrap();
    let other = translated(&[SERVICES, &CART.replace("1500ms", "2s"), RULE]).yaml().unwrap();
    let changed: Vec<_> = first.lines().zip(other.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(
        changed.iter().map(|(one, other)| (one.trim(), other.trim())).collect::<Vec<_>>(),
        [("timeout: 1.5s", "timeout: 2s"), ("at-most: 1.5s", "at-most: 2s"),]
    );
}

#[test]
fn times_and_shares_have_units_defaults_are_written_out_and_nothing_is_told_of_secrets() {
    let told = translated(&[SERVICES, CART, RULE]);
    let text = told.yaml().unwrap();
    for line in [
        "stream-idle: none",
        "drain: 5s",
        "head-bytes: 60KiB",
        "base-ejection-time: 90s",
        "interval: 10s",
        "max-ejection-percent: 10%",
        "connect-timeout: 10s",
        "pending: unlimited",
        "share: 12.5%",
        "value: \"%REQ(x-b)%\"",
        "key: /etc/key.pem",
    ] {
        assert!(text.lines().any(|known| known.trim_start_matches([' ', '-']) == line), "`{line}` is not in\n{text}");
    }
    assert!(!text.contains("Bearer"), "{text}");
    let json = told.json().unwrap();
    assert!(json["clusters"][0]["tls"].is_null() && json["listeners"][0]["chains"].is_array(), "{json:#}");
    let mut keys = Vec::new();
    collect(&json, &mut keys);
    for key in keys {
        assert!(!["secs", "nanos", "origin"].contains(&key.as_str()), "{key}");
        assert!(!key.contains('_') && !key.contains(char::is_uppercase), "{key} is not written as the others are");
    }
}

fn collect(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            keys.push(key.clone());
            collect(value, keys);
        }),
        Value::Array(entries) => entries.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}

/// The value that a text of ours is read as.
fn reread(text: &str) -> Value {
    let source = Source { path: "a.yaml".into(), text: text.to_owned() };
    let documents = squall_yaml::parse(&source).unwrap_or_else(|findings| panic!("{findings:?} in\n{text}"));
    of(&documents[0].root)
}

fn of(node: &squall_yaml::Node) -> Value {
    match &node.value {
        squall_yaml::Value::Null => Value::Null,
        squall_yaml::Value::Bool(known) => json!(known),
        squall_yaml::Value::Unsigned(number, _) => json!(number),
        squall_yaml::Value::Signed(number, _) => json!(number),
        squall_yaml::Value::Float(number, _) => json!(number),
        squall_yaml::Value::Text(text) if text == "none" => Value::Null,
        squall_yaml::Value::Text(text) => json!(text),
        squall_yaml::Value::List(entries) => entries.iter().map(of).collect(),
        squall_yaml::Value::Map(entries) => {
            let entry = |(key, value): &(squall_yaml::Node, squall_yaml::Node)| {
                (key.scalar().unwrap_or_default().to_owned(), of(value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        any::<String>(),
        Just("yes".to_owned()),
        Just("1e3".to_owned()),
        Just("0x1F".to_owned()),
        Just("12:30".to_owned()),
        Just("1.5s".to_owned()),
        Just("- a".to_owned()),
        Just("a: b".to_owned()),
        Just("a #b".to_owned()),
        Just("\u{feff}a\n".to_owned()),
    ];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|known| json!(known)),
        any::<u32>().prop_map(|number| json!(number)),
        text.prop_filter("is null", |text| text != "none" && !text.contains('\0')).prop_map(|text| json!(text)),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z@./ -]{1,8}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_yaml_that_is_written_is_read_as_what_it_was(value in values()) {
        prop_assert_eq!(reread(&yaml::text(&value)), value);
    }
}

#[test]
fn every_text_of_a_translation_is_yaml() {
    let told = translated(&[SERVICES, CART, RULE]);
    assert_eq!(reread(&told.yaml().unwrap()), told.json().unwrap());
}
