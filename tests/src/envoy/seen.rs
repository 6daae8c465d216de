//! What was seen of one side, with everything masked that no two runs share.

use crate::http::Message;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

/// Fields that say when or how fast, which is never the same twice.
const TIMES: [&str; 2] = ["date", "x-envoy-upstream-service-time"];

static REQUEST_ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("a pattern"));

/// What was seen of one side.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What, and what it was.
    pub(super) texts: Vec<(String, String)>,
    /// Names and values, of which only those are compared that both have.
    pub(super) tables: Vec<(String, BTreeMap<String, String>)>,
    /// How often each answer came.
    pub(super) spreads: Vec<(String, BTreeMap<String, usize>)>,
    /// How long something took, and by how many milliseconds it may differ.
    pub(super) times: Vec<(String, Duration, u64)>,
}

/// Stands names in place of addresses and of what is drawn anew for each request.
pub(super) struct Mask {
    addresses: Vec<(String, String)>,
}

impl Mask {
    pub(super) fn new(addresses: Vec<(String, String)>) -> Self {
        Self { addresses }
    }

    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (address, name) in &self.addresses {
            text = text.replace(address, name);
        }
        REQUEST_ID.replace_all(&text, "UUID").into_owned()
    }

    /// A message: its first line, fields, body and trailers.
    pub(super) fn message(&self, message: &Message) -> String {
        let mut text = message.line.clone();
        // The words behind a status mean nothing, and the backends here have their own.
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            let status: String = rest.chars().take(3).collect();
            let after = rest.find(" (after").map_or("", |at| &rest[at..]);
            text = format!("HTTP/1.1 {status}{after}");
        }
        text += &fields(&message.fields);
        let body = String::from_utf8_lossy(&message.body);
        if body.len() > 400 {
            text.extend(["\n      body of ", &body.len().to_string(), " bytes"]);
        } else if !body.is_empty() {
            text.extend(["\n      body ", &format!("{body:?}")]);
        }
        if !message.trailers.is_empty() {
            text.extend(["\n      trailers", &fields(&message.trailers)]);
        }
        self.text(&text)
    }
}

fn fields(fields: &BTreeMap<String, String>) -> String {
    let line = |(name, value): (&String, &String)| {
        let value = match value.parse::<u64>() {
            _ if TIMES.contains(&name.as_str()) => "TIME",
            // What is left of a time, so roughly that a slow machine does not show.
            Ok(left) if name == "x-envoy-expected-rq-timeout-ms" => &roughly(left).to_string(),
            _ => value,
        };
        let value = if value.len() > 400 { format!("{} bytes", value.len()) } else { value.to_owned() };
        format!("\n      {name}: {value}")
    };
    fields.iter().map(line).collect()
}

/// Up to the next step, which is the longer the longer the time is.
fn roughly(millis: u64) -> u64 {
    let step = match millis {
        0..1_000 => 100,
        1_000..10_000 => 1_000,
        _ => 5_000,
    };
    millis.div_ceil(step) * step
}
