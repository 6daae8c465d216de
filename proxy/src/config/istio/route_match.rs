//! `match` blocks of a route.

use crate::config::problems::Problems;
use crate::policy::{RouteMatch, TextMatch};
use regex::RegexBuilder;
use serde::Deserialize;
use squall_yaml::{Spanned, Unsupported};
use std::collections::BTreeMap;

/// Most bytes that a compiled expression may take.
const REGEX_LIMIT: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenMatch {
    #[serde(rename = "name")]
    _name: Option<String>,
    uri: Option<Spanned<StringMatch>>,
    #[serde(default)]
    ignore_uri_case: bool,
    method: Option<Spanned<StringMatch>>,
    authority: Option<Spanned<StringMatch>>,
    #[serde(default)]
    headers: BTreeMap<String, Spanned<StringMatch>>,
    #[serde(default)]
    without_headers: BTreeMap<String, Spanned<StringMatch>>,
    #[serde(default)]
    query_params: BTreeMap<String, Spanned<StringMatch>>,
    port: Option<u16>,
    #[serde(rename = "scheme")]
    _scheme: Option<Unsupported>,
    #[serde(rename = "sourceLabels")]
    _source_labels: Option<Unsupported>,
    #[serde(rename = "sourceNamespace")]
    _source_namespace: Option<Unsupported>,
    #[serde(rename = "gateways")]
    _gateways: Option<Unsupported>,
    #[serde(rename = "statPrefix")]
    _stat_prefix: Option<Unsupported>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StringMatch {
    exact: Option<String>,
    prefix: Option<String>,
    regex: Option<String>,
}

/// Resolves one block.
pub(super) fn route_match(written: &WrittenMatch, problems: &mut Problems<'_>) -> RouteMatch {
    let mut one = |written: &Option<Spanned<StringMatch>>| written.as_ref().map(|text| text_match(text, problems));
    let (path, method, authority) = (one(&written.uri), one(&written.method), one(&written.authority));
    let mut all = |written: &BTreeMap<String, Spanned<StringMatch>>| {
        written.iter().map(|(name, text)| (name.clone(), text_match(text, problems))).collect::<Vec<_>>()
    };
    let query = all(&written.query_params);
    let lower = |pairs: Vec<(String, TextMatch)>| -> Vec<_> {
        pairs.into_iter().map(|(name, text)| (name.to_ascii_lowercase(), text)).collect()
    };
    RouteMatch {
        path,
        ignore_path_case: written.ignore_uri_case,
        method,
        authority,
        headers: lower(all(&written.headers)),
        without_headers: lower(all(&written.without_headers)),
        query,
        port: written.port,
    }
}

/// Empty, and the expression `*`, mean that it is there at all.
fn text_match(written: &Spanned<StringMatch>, problems: &mut Problems<'_>) -> TextMatch {
    match &written.value {
        StringMatch { exact: Some(exact), prefix: None, regex: None } => TextMatch::Exact(exact.clone()),
        StringMatch { exact: None, prefix: Some(prefix), regex: None } => TextMatch::Prefix(prefix.clone()),
        StringMatch { exact: None, prefix: None, regex: None } => TextMatch::Present,
        StringMatch { exact: None, prefix: None, regex: Some(regex) } if regex == "*" => TextMatch::Present,
        StringMatch { exact: None, prefix: None, regex: Some(regex) } => {
            // The whole text must match, as RE2 is asked to do by Envoy.
            match RegexBuilder::new(&format!("^(?:{regex})$")).size_limit(REGEX_LIMIT).build() {
                Ok(regex) => TextMatch::Regex(regex),
                Err(error) => {
                    problems.error(written.place, format!("the expression `{regex}` is not understood: {error}"), "");
                    TextMatch::Present
                }
            }
        }
        _ => {
            problems.error(written.place, "only one of `exact`, `prefix` and `regex`", "");
            TextMatch::Present
        }
    }
}
