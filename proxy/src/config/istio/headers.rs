//! `headers` of routes and destinations.

use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use crate::policy::{AppendAction, BadFormat, Format, HeaderAddition, HeaderOperations, HeaderRules};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::{Place, Spanned};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenHeaders {
    #[serde(default)]
    pub(super) request: Operations,
    #[serde(default)]
    response: Operations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operations {
    #[serde(default)]
    set: Pairs<Spanned<String>>,
    #[serde(default)]
    add: Pairs<Spanned<String>>,
    #[serde(default)]
    remove: Vec<Spanned<String>>,
}

impl WrittenHeaders {
    /// Where the request's host is set, if it is.
    pub(super) fn authorities(&self) -> impl Iterator<Item = Place> {
        let pairs = self.request.set.0.iter().chain(&self.request.add.0);
        pairs.filter(|(name, _)| is_host(&name.value)).map(|(name, _)| name.place)
    }
}

/// True for the names of a request's host.
fn is_host(name: &str) -> bool {
    name.eq_ignore_ascii_case(":authority") || name.eq_ignore_ascii_case("host")
}

/// What the block means in both directions.
pub(super) fn headers(written: &WrittenHeaders, field: &str, problems: &mut Problems<'_>) -> HeaderRules {
    let mut of = |written: &Operations, of_request| {
        let pairs = |pairs: &Pairs<Spanned<String>>| {
            pairs.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
        };
        let block = Block { of_request, field };
        operations(&pairs(&written.set), &pairs(&written.add), &written.remove, block, problems)
    };
    rules(of(&written.request, true), of(&written.response, false))
}

/// Which changes: those of the request or of the answer, and the name of their field.
#[derive(Clone, Copy)]
pub(in crate::config) struct Block<'a> {
    /// They are the request's, whose host can be set.
    pub(in crate::config) of_request: bool,
    /// Where they stand in their object.
    pub(in crate::config) field: &'a str,
}

/// Both directions together.
pub(in crate::config) fn rules(request: HeaderOperations, response: HeaderOperations) -> HeaderRules {
    HeaderRules { request, response }
}

/// Fields that are set, added and removed. Those that are set come first, each kind in order of the names, as Istio has it.
pub(in crate::config) fn operations(
    set: &[(Spanned<String>, Spanned<String>)],
    add: &[(Spanned<String>, Spanned<String>)],
    remove: &[Spanned<String>],
    block: Block<'_>,
    problems: &mut Problems<'_>,
) -> HeaderOperations {
    let mut all = Vec::new();
    for (pairs, action) in [(set, AppendAction::OverwriteIfExistsOrAdd), (add, AppendAction::AppendIfExistsOrAdd)] {
        let mut additions: Vec<_> =
            pairs.iter().filter_map(|(name, value)| addition(name, value, action, block, problems)).collect();
        additions.sort_by(|one, other| one.name.cmp(&other.name));
        all.extend(additions);
    }
    HeaderOperations { remove: remove.iter().filter_map(|name| field_name(name, problems)).collect(), add: all }
}

fn addition(
    name: &Spanned<String>,
    value: &Spanned<String>,
    action: AppendAction,
    block: Block<'_>,
    problems: &mut Problems<'_>,
) -> Option<HeaderAddition> {
    let name =
        if block.of_request && is_host(&name.value) { ":authority".to_owned() } else { field_name(name, problems)? };
    if value.value.chars().any(|letter| letter.is_control() && letter != '\t') {
        problems.error(value.place, "the value of a header holds no control characters", "write it in one line");
        return None;
    }
    match Format::parse(&value.value) {
        Ok(value) => Some(HeaderAddition { name, value, action, keep_empty: false }),
        Err(bad @ BadFormat::Unbalanced) => {
            problems.error(value.place, bad.to_string(), "as in `100%%`");
            None
        }
        // Istio leaves it to Envoy which commands there are.
        Err(BadFormat::Unknown(command)) => {
            let command = format!("%{command}%");
            problems.unsupported_value(value.place, value.value.chars().count(), block.field, &command);
            None
        }
    }
}

/// A field's name in lower case; those that the protocol itself uses cannot be changed.
fn field_name(name: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let lower = name.value.to_ascii_lowercase();
    if lower == "host" || lower.starts_with(':') {
        let help = "only the request's host can be set, by `:authority` under `request`";
        problems.error(name.place, format!("`{}` cannot be changed here", name.value), help);
        return None;
    }
    if !is_token(&lower) {
        problems.error(
            name.place,
            format!("`{}` cannot be the name of a header", name.value),
            "letters, digits and dashes",
        );
        return None;
    }
    Some(lower)
}
