use super::super::schema::{ALL, Schema};
use std::path::Path;

const HEAD: &str = "| message | obeyed | refused |\n|---|---|---|\n";

fn row(schema: &Schema) -> String {
    let side = if schema.side.is_empty() { String::new() } else { format!(", {}", schema.side) };
    let fields =
        |names: &str, form: &dyn Fn(&str) -> String| -> Vec<String> { names.split_whitespace().map(form).collect() };
    let deprecated = |name: &str| schema.deprecated.split_whitespace().any(|deprecated| deprecated == name);
    let obeyed = |name: &str| if deprecated(name) { format!("*`{name}`*") } else { format!("`{name}`") };
    let mut left = fields(schema.obeyed, &obeyed);
    left.extend(fields(schema.unheeded, &|name| format!("(`{name}`)")));
    let mut right = fields(schema.refused, &|name| format!("`{name}`"));
    right.extend(fields(schema.served, &|name| format!("**`{name}`**")));
    let message = schema.message.trim_start_matches("envoy.");
    format!("| `{message}`{side} | {} | {} |\n", left.join(", "), right.join(", "))
}

#[test]
fn the_documentation_says_of_each_field_what_becomes_of_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/envoy.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, table) = page.split_once(HEAD).unwrap();
    let expected: String = ALL.iter().map(|schema| row(schema)).collect();
    for (written, expected) in table.lines().zip(expected.lines()) {
        assert_eq!(written, expected);
    }
    assert_eq!(table.lines().count(), ALL.len());
}
