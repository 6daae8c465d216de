//! Conditions on fields and query parameters.

use crate::config::problems::Problems;
use crate::config::re2;
use crate::policy::{HeaderMatch, Pattern, TextMatch};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::Spanned;

/// A condition on a field or a query parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenValue {
    #[serde(default, rename = "type")]
    kind: ValueType,
    pub(super) name: Spanned<String>,
    value: Spanned<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum ValueType {
    #[default]
    Exact,
    RegularExpression,
}

/// Conditions on fields; of two for one field the first counts.
pub(super) fn headers(written: &[WrittenValue], problems: &mut Problems<'_>) -> Vec<HeaderMatch> {
    let mut fields: Vec<HeaderMatch> = Vec::new();
    for one in written {
        let name = one.name.value.to_ascii_lowercase();
        if !is_token(&name) {
            problems.error(
                one.name.place,
                format!("`{}` cannot be the name of a header", one.name.value),
                "letters, digits and dashes",
            );
        }
        if fields.iter().all(|earlier| earlier.name != name) {
            fields.push(HeaderMatch { name, value: value(one, problems), invert: false, missing_is_empty: false });
        }
    }
    fields
}

/// What the value must be.
pub(super) fn value(written: &WrittenValue, problems: &mut Problems<'_>) -> TextMatch {
    match written.kind {
        ValueType::Exact => TextMatch::exact(&written.value.value),
        ValueType::RegularExpression => match re2::whole(&written.value.value) {
            Ok(regex) => Pattern::Regex(regex).into(),
            Err(bad) => {
                problems.error(written.value.place, bad, "expressions are those of RE2");
                TextMatch::present()
            }
        },
    }
}
