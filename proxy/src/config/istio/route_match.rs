//! `match` blocks of a route.

use super::labels::labels;
use super::string_match::{At, StringMatch, pattern, text_match};
use super::virtual_service::gateway_names;
use crate::config::names::is_label;
use crate::config::objects::MatchBlock;
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use crate::policy::{HeaderMatch, PathMatch, Pattern, QueryMatch, RouteMatch};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenMatch {
    #[serde(default)]
    name: String,
    pub(super) uri: Option<Spanned<StringMatch>>,
    #[serde(default)]
    ignore_uri_case: bool,
    scheme: Option<Spanned<StringMatch>>,
    method: Option<Spanned<StringMatch>>,
    authority: Option<Spanned<StringMatch>>,
    #[serde(default)]
    headers: Pairs<Spanned<StringMatch>>,
    #[serde(default)]
    without_headers: Pairs<Option<Spanned<StringMatch>>>,
    #[serde(default)]
    query_params: Pairs<Spanned<StringMatch>>,
    port: Option<Spanned<u32>>,
    #[serde(default)]
    source_labels: Pairs<String>,
    source_namespace: Option<Spanned<String>>,
    #[serde(default)]
    gateways: Vec<Spanned<String>>,
}

/// Resolves one block.
pub(super) fn route_match(written: &Spanned<WrittenMatch>, for_mesh: bool, problems: &mut Problems<'_>) -> MatchBlock {
    let origin = problems.origin(written.place);
    let written = &written.value;
    let mut headers = Vec::new();
    for (name, text) in &written.headers.0 {
        if claims(name, "headers", for_mesh, problems) {
            let value = text_match(text, At::Field, problems);
            headers.push(HeaderMatch {
                name: name.value.to_ascii_lowercase(),
                value,
                invert: false,
                missing_is_empty: false,
            });
        }
    }
    for (name, text) in &written.without_headers.0 {
        if claims(name, "withoutHeaders", for_mesh, problems) {
            let pattern = text.as_ref().map_or(Pattern::Present, |text| pattern(text, At::Field, problems));
            let missing_is_empty = pattern != Pattern::Present;
            let name = name.value.to_ascii_lowercase();
            headers.push(HeaderMatch { name, value: pattern.into(), invert: true, missing_is_empty });
        }
    }
    for (name, part) in [(":method", &written.method), (":authority", &written.authority), (":scheme", &written.scheme)]
    {
        if let Some(part) = part {
            let value = text_match(part, At::Part, problems);
            headers.push(HeaderMatch { name: name.to_owned(), value, invert: false, missing_is_empty: false });
        }
    }
    let mut query = Vec::new();
    for (name, text) in &written.query_params.0 {
        query.push(QueryMatch { name: name.value.clone(), value: text_match(text, At::Field, problems) });
    }
    if let Some(bad) = written.source_namespace.as_ref().filter(|name| !name.value.is_empty() && !is_label(&name.value))
    {
        problems.error(bad.place, format!("`{}` is no namespace", bad.value), "letters, digits and dashes inside");
    }
    MatchBlock {
        name: written.name.clone(),
        request: RouteMatch {
            path: written.uri.as_ref().map_or(PathMatch::Any, |uri| path(uri, problems)),
            ignore_path_case: written.ignore_uri_case,
            headers,
            query,
            ..RouteMatch::default()
        },
        port: port(written.port.as_ref(), problems),
        source_labels: labels(&written.source_labels, problems),
        source_namespace: written
            .source_namespace
            .as_ref()
            .map(|name| name.value.clone())
            .filter(|name| !name.is_empty()),
        gateways: gateway_names(&written.gateways, problems),
        origin,
    }
}

fn path(uri: &Spanned<StringMatch>, problems: &mut Problems<'_>) -> PathMatch {
    match pattern(uri, At::Path, problems) {
        Pattern::Exact(exact) => PathMatch::Exact(exact),
        Pattern::Prefix(prefix) => PathMatch::Prefix(prefix),
        Pattern::Regex(regex) => PathMatch::Regex(regex),
        _ => PathMatch::Any,
    }
}

/// A port, of which 0 is any.
pub(super) fn port(written: Option<&Spanned<u32>>, problems: &mut Problems<'_>) -> Option<u16> {
    let written = written.filter(|port| port.value != 0)?;
    let port = u16::try_from(written.value).ok();
    if port.is_none() {
        problems.error(written.place, format!("{} is no port", written.value), "1 to 65535");
    }
    port
}

/// True for a field that can be looked at; the claims of a token cannot.
fn claims(name: &Spanned<String>, field: &str, for_mesh: bool, problems: &mut Problems<'_>) -> bool {
    const PSEUDO: [&str; 5] = [":method", ":scheme", ":authority", ":path", ":status"];
    const CLAIMS: &str = "@request.auth.claims";
    if name.value.get(..CLAIMS.len()).is_some_and(|start| start.eq_ignore_ascii_case(CLAIMS)) {
        if for_mesh {
            problems.error(
                name.place,
                "claims of a token can only be looked at by gateways",
                "name them under `gateways`",
            );
        } else {
            let field = format!("spec.http.match.{field}");
            problems.unsupported_value(name.place, name.value.chars().count(), &field, &name.value);
        }
        return false;
    }
    let good = is_token(&name.value) || PSEUDO.contains(&name.value.as_str());
    if !good {
        problems.error(
            name.place,
            format!("`{}` cannot be the name of a header", name.value),
            "letters, digits and dashes",
        );
    }
    good
}
