//! Who may ask across origins.

use super::message::Message;
use super::reading::Said;
use super::{share, text_match};
use crate::policy::CorsPolicy;
use std::time::Duration;

/// The policy of a virtual host or a route, in the filter's words or in the older ones of routes.
pub(super) fn read(cors: &Message<'_>) -> CorsPolicy {
    let text = |name| cors.text(name).unwrap_or_default();
    let max_age = cors.value("max_age").and_then(|age| {
        let seconds = age.text()?;
        let read = seconds.parse().ok().map(Duration::from_secs);
        if read.is_none() && !seconds.is_empty() {
            age.error(
                Said::from(format!("`{seconds}` is no number of seconds")).expected("whole seconds, such as \"600\""),
            );
        }
        read
    });
    CorsPolicy {
        allow_origins: cors.values("allow_origin_string_match").iter().filter_map(text_match::text_match).collect(),
        allow_methods: text("allow_methods"),
        allow_headers: text("allow_headers"),
        expose_headers: text("expose_headers"),
        max_age,
        allow_credentials: cors.boolean("allow_credentials"),
        forward_unmatched_preflights: cors.boolean("forward_not_matching_preflights").unwrap_or(true),
        enabled: share::runtime_fraction(cors, "filter_enabled"),
    }
}
