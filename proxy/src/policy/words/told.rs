//! The same for fields of the model, by `serialize_with`.
#![allow(
    clippy::ref_option,
    clippy::option_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "what serializes a field is given a reference to it"
)]

use crate::policy::{UNLIMITED, words};
use regex::Regex;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

pub(in crate::policy) fn time<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&words::time(*value))
}

pub(in crate::policy) fn time_or_none<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    value.map(words::time).serialize(to)
}

/// Unsaid, it is that of the listener.
pub(in crate::policy) fn time_or_listeners<S: Serializer>(
    value: &Option<Option<Duration>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        None => to.serialize_str("as the listener says"),
        Some(time) => time_or_none(time, to),
    }
}

pub(in crate::policy) fn percent<S: Serializer, P: Copy + Into<f64>>(value: &P, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&words::percent((*value).into()))
}

pub(in crate::policy) fn bytes<S: Serializer>(value: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&words::bytes(u64::from(*value)))
}

pub(in crate::policy) fn size<S: Serializer>(value: &usize, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&words::bytes(*value as u64))
}

pub(in crate::policy) fn bytes_or_none<S: Serializer>(value: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
    value.map(|value| words::bytes(u64::from(value))).serialize(to)
}

pub(in crate::policy) fn limit<S: Serializer>(value: &u32, to: S) -> Result<S::Ok, S::Error> {
    if *value == UNLIMITED { to.serialize_str("unlimited") } else { to.serialize_u32(*value) }
}

pub(in crate::policy) fn regex<S: Serializer>(value: &Regex, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(value.as_str())
}

pub(in crate::policy) fn statuses<S: Serializer>(value: &[(u16, u16)], to: S) -> Result<S::Ok, S::Error> {
    words::statuses(value).serialize(to)
}

pub(in crate::policy) fn statuses_or_none<S: Serializer>(
    value: &Option<Vec<(u16, u16)>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().map(|ranges| words::statuses(ranges)).serialize(to)
}

pub(in crate::policy) fn grpc_statuses<S: Serializer>(value: &[u32], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(value.iter().map(|status| words::grpc_status(*status)))
}

/// Bytes as text where they are some.
pub(in crate::policy) fn text<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(value))
}

pub(in crate::policy) fn texts<S: Serializer>(value: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(value.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// Pairs as a map, without what is secret. Names that come twice have their values behind each other.
pub(in crate::policy) fn map<S: Serializer>(value: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    let mut map: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    value.iter().for_each(|(name, value)| map.entry(name).or_default().push(words::field(name, value)));
    to.collect_map(map.into_iter().map(|(name, values)| (name, values.join(", "))))
}
