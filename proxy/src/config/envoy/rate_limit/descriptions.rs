//! How requests are described for limits: `rate_limits` of a filter, a virtual host or a route.

use crate::config::envoy::message::Message;
use crate::config::envoy::schema::{
    LIMIT_DESTINATION_CLUSTER, LIMIT_GENERIC_KEY, LIMIT_HEADER_MATCH, LIMIT_REMOTE_ADDRESS, LIMIT_REQUEST_HEADERS,
    LIMIT_SOURCE_CLUSTER, RATE_LIMIT, RATE_LIMIT_ACTION, Schema,
};
use crate::config::envoy::written::Written;
use crate::config::envoy::{header_match, header_rules};
use crate::policy::{Description, DescriptionWord};

const WORDS: [&str; 6] =
    ["source_cluster", "destination_cluster", "request_headers", "remote_address", "generic_key", "header_value_match"];

/// Those of a virtual host or a route.
pub(in crate::config::envoy) fn of_routes(owner: &Message<'_>) -> Vec<Description> {
    owner.messages("rate_limits", &RATE_LIMIT).iter().map(description).collect()
}

/// Those of a filter, which know no stages.
pub(super) fn of_filter(limit: &Message<'_>) -> Vec<Description> {
    let messages = limit.messages("rate_limits", &RATE_LIMIT);
    for staged in messages.iter().filter_map(|message| message.value("stage")) {
        staged.error("a description of the filter's own has no stage");
    }
    messages.iter().map(description).collect()
}

fn description(message: &Message<'_>) -> Description {
    let actions = message.messages("actions", &RATE_LIMIT_ACTION);
    if actions.is_empty() {
        message.at.error("`actions` is missing: it says how requests are described");
    }
    Description { stage: message.within("stage", 0, 10).unwrap_or(0), words: actions.iter().filter_map(word).collect() }
}

fn word(action: &Message<'_>) -> Option<DescriptionWord> {
    let (kind, value) = action.one_of(&WORDS, true)?;
    let plain = |schema: &'static Schema, word| value.message(schema).map(|_| word);
    match kind {
        "source_cluster" => plain(&LIMIT_SOURCE_CLUSTER, DescriptionWord::SourceCluster),
        "destination_cluster" => plain(&LIMIT_DESTINATION_CLUSTER, DescriptionWord::DestinationCluster),
        "remote_address" => plain(&LIMIT_REMOTE_ADDRESS, DescriptionWord::RemoteAddress),
        "request_headers" => of_field(&value),
        "generic_key" => {
            let generic = value.message(&LIMIT_GENERIC_KEY)?;
            Some(DescriptionWord::Generic {
                key: key(&generic, "generic_key"),
                value: generic.required_text("descriptor_value"),
            })
        }
        _ => {
            let matching = value.message(&LIMIT_HEADER_MATCH)?;
            let headers = header_match::all(&matching, "headers");
            if !matching.has("headers") {
                matching.at.error("`headers` is missing: it says which requests are meant");
            }
            Some(DescriptionWord::Matching {
                key: key(&matching, "header_match"),
                value: matching.required_text("descriptor_value"),
                headers,
                expect: matching.boolean("expect_match").unwrap_or(true),
            })
        }
    }
}

fn of_field(value: &Written<'_>) -> Option<DescriptionWord> {
    let field = value.message(&LIMIT_REQUEST_HEADERS)?;
    field.require("header_name");
    let name = field.value("header_name").and_then(header_rules::name);
    let key = field.required_text("descriptor_key");
    Some(DescriptionWord::Field { name: name?, key, optional: field.flag("skip_if_absent") })
}

fn key(word: &Message<'_>, default: &str) -> String {
    word.text("descriptor_key").filter(|key| !key.is_empty()).unwrap_or_else(|| default.to_owned())
}
