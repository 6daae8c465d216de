//! Copies of requests, and what a consistent hash is made of.

use super::message::Message;
use super::schema::{
    HASH_CONNECTION, HASH_COOKIE, HASH_COOKIE_ATTRIBUTE, HASH_HEADER, HASH_POLICY, HASH_QUERY, MIRROR,
};
use super::{header_rules, references, share};
use crate::policy::{Fraction, HashOf, HashPolicy, Mirror};

/// The copies that a table, a host or a route asks for; none if it says nothing.
pub(super) fn mirrors(message: &Message<'_>, validate: bool) -> Option<Vec<Mirror>> {
    let policies = message.messages("request_mirror_policies", &MIRROR);
    if policies.is_empty() {
        return None;
    }
    let mirror = |policy: &Message<'_>| {
        let cluster = policy.required_text("cluster");
        if let Some(value) = policy.value("cluster").filter(|_| !cluster.is_empty()) {
            references::want(value, &cluster, validate);
        }
        Mirror {
            cluster,
            share: share::runtime_fraction(policy, "runtime_fraction").unwrap_or(Fraction::ALL),
            shadow_host: !policy.flag("disable_shadow_host_suffix_append"),
        }
    };
    Some(policies.iter().map(mirror).collect())
}

/// What the hash of a route is made of.
pub(super) fn hashes(message: &Message<'_>) -> Vec<HashPolicy> {
    let policies = message.messages("hash_policy", &HASH_POLICY);
    let read =
        policies.iter().filter_map(|policy| Some(HashPolicy { of: of(policy)?, terminal: policy.flag("terminal") }));
    read.collect()
}

fn of(policy: &Message<'_>) -> Option<HashOf> {
    match policy.one_of(&["header", "cookie", "connection_properties", "query_parameter"], true)? {
        ("header", header) => {
            let header = header.message(&HASH_HEADER)?;
            header.require("header_name");
            header.value("header_name").and_then(header_rules::name).map(HashOf::Header)
        }
        ("cookie", cookie) => {
            let cookie = cookie.message(&HASH_COOKIE)?;
            let attributes = cookie.messages("attributes", &HASH_COOKIE_ATTRIBUTE);
            let attribute = |it: &Message<'_>| (it.required_text("name"), it.text("value").unwrap_or_default());
            Some(HashOf::Cookie {
                name: cookie.required_text("name"),
                ttl: cookie.duration("ttl"),
                path: cookie.text("path").unwrap_or_default(),
                attributes: attributes.iter().map(attribute).collect(),
            })
        }
        ("query_parameter", query) => Some(HashOf::Query(query.message(&HASH_QUERY)?.required_text("name"))),
        (_, connection) => {
            let connection = connection.message(&HASH_CONNECTION)?;
            connection.flag("source_ip").then_some(HashOf::SourceIp)
        }
    }
}
