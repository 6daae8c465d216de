//! Who may ask across origins.

use crate::config::problems::Problems;
use crate::policy::{CorsPolicy, Pattern, TextMatch};
use regex::Regex;
use serde::Deserialize;
use squall_yaml::{Place, Spanned};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Cors {
    #[serde(default)]
    allow_origins: Vec<Spanned<String>>,
    allow_credentials: Option<bool>,
    #[serde(default)]
    allow_methods: Vec<String>,
    #[serde(default)]
    allow_headers: Vec<String>,
    #[serde(default)]
    expose_headers: Vec<String>,
    max_age: Option<u32>,
}

/// What the filter means. Preflights that do not fit are answered here.
pub(super) fn cors_policy(written: &Cors, place: Place, problems: &mut Problems<'_>) -> CorsPolicy {
    let mut allow_origins = Vec::new();
    for written in &written.allow_origins {
        match origin(&written.value) {
            Some(origin) => allow_origins.push(origin),
            None => {
                problems.error(written.place, format!("`{}` is no origin", written.value), "as `https://example.com`");
            }
        }
    }
    if written.max_age == Some(0) {
        problems.error(place, "`maxAge: 0` is refused by the Gateway API", "1 at least, in seconds");
    }
    CorsPolicy {
        allow_origins,
        allow_methods: written.allow_methods.join(","),
        allow_headers: written.allow_headers.join(","),
        expose_headers: written.expose_headers.join(","),
        max_age: written.max_age.map(|age| Duration::from_secs(age.into())),
        allow_credentials: written.allow_credentials.filter(|allow| *allow),
        forward_unmatched_preflights: false,
        enabled: None,
    }
}

/// An origin, in which `*` stands for anything; alone it is every origin that has the form of one.
fn origin(text: &str) -> Option<TextMatch> {
    if text.is_empty() {
        return None;
    }
    let pattern = match (text, text.matches('*').count()) {
        ("*", _) => r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$".to_owned(),
        (_, 0) => return Some(TextMatch::exact(text)),
        (_, 1) if text.ends_with('*') => return Some(Pattern::Prefix(text.trim_end_matches('*').to_owned()).into()),
        _ => format!("^{}$", regex::escape(text).replace(r"\*", ".*")),
    };
    Regex::new(&pattern).ok().map(|pattern| Pattern::Regex(pattern).into())
}
