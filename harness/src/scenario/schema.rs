//! The JSON Schema of a scenario file, for editors: generated from the types that read it.

use super::written::Scenario;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Where the schema says that it lives.
const ID: &str = "https://squall.dev/schema/scenario.json";

/// The schema as text.
pub fn text() -> String {
    format!("{:#}", schema())
}

/// A kind of fault: its word, what it does, its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultKind {
    /// As in a scenario.
    pub word: String,
    /// A sentence.
    pub about: String,
    /// In the order of their names.
    pub keys: Vec<Key>,
}

/// A key of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As in a scenario.
    pub name: String,
    /// A sentence.
    pub about: String,
    /// It must be written.
    pub is_required: bool,
    /// How its value is written.
    pub form: Form,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// One word, or several.
    Text,
    /// `[one, other]`.
    List,
    /// `{key: value}`.
    Map,
}

/// The kinds of faults, in the order of the language.
pub fn fault_kinds() -> Vec<FaultKind> {
    let schema = schema();
    let kind = |variant: &Value| {
        let (word, named) = variant["properties"].as_object()?.iter().next()?;
        let shape = resolved(named, &schema);
        let required = |name: &str| shape["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let key = |(name, written): (&String, &Value)| Key {
            name: name.clone(),
            about: text_of(written),
            is_required: required(name),
            form: form(resolved(written, &schema)),
        };
        let keys = shape["properties"].as_object()?.iter().map(key).collect();
        Some(FaultKind { word: word.clone(), about: text_of(variant), keys })
    };
    let variants = schema["definitions"]["Fault"]["oneOf"].as_array();
    variants.into_iter().flatten().filter_map(kind).collect()
}

fn text_of(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().to_owned()
}

/// What a schema refers to, where it is optional or described in its place.
fn resolved<'s>(written: &'s Value, schema: &'s Value) -> &'s Value {
    let of = |name: &str| written[name].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
    if let Some(name) = written["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return resolved(&schema["definitions"][name], schema);
    }
    of("anyOf").or_else(|| of("allOf")).map_or(written, |inner| resolved(inner, schema))
}

fn form(schema: &Value) -> Form {
    let is = |name: &str| match &schema["type"] {
        Value::Array(all) => all.iter().any(|one| one == name),
        one => one == name,
    };
    match () {
        () if is("string") => Form::Text,
        () if is("boolean") => Form::Flag,
        () if is("integer") || is("number") => Form::Number,
        () if is("array") => Form::List,
        () if is("object") => Form::Map,
        () => Form::Text,
    }
}

/// The schema, draft 7.
pub fn schema() -> Value {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Scenario>();
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), ID.into());
        root.insert("title".to_owned(), "Squall scenario".into());
    }
    schema
}
