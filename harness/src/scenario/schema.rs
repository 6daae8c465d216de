//! The JSON Schema of a scenario file, for editors: generated from the types that read it.

use super::written::Scenario;
use schemars::generate::SchemaSettings;

/// Where the schema says that it lives.
const ID: &str = "https://squall.dev/schema/scenario.json";

/// The schema as text.
pub fn text() -> String {
    format!("{:#}", schema())
}

/// The schema, draft 7.
pub fn schema() -> serde_json::Value {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Scenario>();
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), ID.into());
        root.insert("title".to_owned(), "Squall scenario".into());
    }
    schema
}
