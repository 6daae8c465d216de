//! `exact`, `prefix` and `regex`: conditions on text.

use crate::config::problems::Problems;
use crate::config::re2;
use crate::policy::{Pattern, TextMatch};
use serde::Deserialize;
use squall_yaml::Spanned;

/// A condition as written; nothing in it means that the text is there at all.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StringMatch {
    pub(super) exact: Option<String>,
    pub(super) prefix: Option<Spanned<String>>,
    pub(super) regex: Option<Spanned<String>>,
}

/// What a condition may be where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// On a path: an empty prefix is every path.
    Path,
    /// On a part of the request that is always there.
    Part,
    /// On a field or parameter, of which the expression `*` says that it is there.
    Field,
}

/// The pattern of a condition; that of anything where it is wrong.
pub(super) fn pattern(written: &Spanned<StringMatch>, at: At, problems: &mut Problems<'_>) -> Pattern {
    match &written.value {
        StringMatch { exact: Some(exact), prefix: None, regex: None } => Pattern::Exact(exact.clone()),
        StringMatch { exact: None, prefix: Some(prefix), regex: None } => {
            if prefix.value.is_empty() && at != At::Path {
                problems.error(prefix.place, "an empty prefix", "`{}` means that it is there, whatever it holds");
            }
            Pattern::Prefix(prefix.value.clone())
        }
        StringMatch { exact: None, prefix: None, regex: None } => Pattern::Present,
        StringMatch { exact: None, prefix: None, regex: Some(regex) } if regex.value == "*" && at == At::Field => {
            Pattern::Present
        }
        StringMatch { exact: None, prefix: None, regex: Some(regex) } => match re2::whole(&regex.value) {
            Ok(regex) => Pattern::Regex(regex),
            Err(bad) => {
                let help = if regex.value == "*" { "`.*` is any text" } else { "expressions are those of RE2" };
                problems.error(regex.place, bad, help);
                Pattern::Present
            }
        },
        _ => {
            problems.error(written.place, "only one of `exact`, `prefix` and `regex`", "take the others out");
            Pattern::Present
        }
    }
}

/// The same, as a condition on text.
pub(super) fn text_match(written: &Spanned<StringMatch>, at: At, problems: &mut Problems<'_>) -> TextMatch {
    pattern(written, at, problems).into()
}
