//! `rewrite`: changes of path and host.

use super::http::WrittenRule;
use crate::config::problems::Problems;
use crate::config::re2;
use crate::policy::{HostRewrite, PathRewrite, Rewrite};
use serde::Deserialize;
use squall_yaml::Keyed;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenRewrite {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    authority: String,
    uri_regex_rewrite: Option<Keyed<RegexRewrite>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegexRewrite {
    #[serde(default, rename = "match")]
    pattern: String,
    #[serde(default)]
    rewrite: String,
}

/// What a rule's block means. The host is set in one place: here, or among the fields.
pub(super) fn rewrite(rule: &WrittenRule, problems: &mut Problems<'_>) -> Option<Rewrite> {
    let written = rule.rewrite.as_ref();
    let by_rewrite = written.is_some_and(|rewrite| !rewrite.value.authority.is_empty());
    let already = usize::from(!by_rewrite);
    for place in rule.headers.authorities().skip(already) {
        problems.error(place, "the host is set in two places", "by `rewrite.authority` or by one field, not both");
    }
    let Keyed { value: rewrite, key } = written?;
    let regex = rewrite.uri_regex_rewrite.as_ref();
    if rewrite.uri.is_empty() && rewrite.authority.is_empty() && regex.is_none() {
        problems.error(*key, "this rewrite changes nothing", "set `uri`, `uriRegexRewrite` or `authority`");
        return None;
    }
    let path = match regex {
        Some(regex) if !rewrite.uri.is_empty() => {
            problems.error(regex.key, "only one of `uri` and `uriRegexRewrite`", "take one out");
            None
        }
        Some(regex) => by_regex(regex, problems),
        None => Some(rewrite.uri.clone()).filter(|uri| !uri.is_empty()).map(PathRewrite::Prefix),
    };
    let host = Some(rewrite.authority.clone()).filter(|host| !host.is_empty()).map(HostRewrite::Literal);
    Some(Rewrite { path, host, append_forwarded_host: false })
}

fn by_regex(written: &Keyed<RegexRewrite>, problems: &mut Problems<'_>) -> Option<PathRewrite> {
    let RegexRewrite { pattern, rewrite } = &written.value;
    if pattern.is_empty() || rewrite.is_empty() {
        problems.error(
            written.key,
            "`uriRegexRewrite` needs both `match` and `rewrite`",
            "as in `{match: /v(.*), rewrite: /w\\1}`",
        );
        return None;
    }
    let pattern = match re2::anywhere(pattern) {
        Ok(pattern) => pattern,
        Err(bad) => {
            problems.error(written.key, bad, "expressions are those of RE2");
            return None;
        }
    };
    match groups(rewrite, pattern.captures_len()) {
        Ok(substitution) => Some(PathRewrite::Regex { pattern, substitution }),
        Err(bad) => {
            problems.error(written.key, bad, "`\\1` is the first group, `\\\\` a backslash");
            None
        }
    }
}

/// Groups are `\1` in Istio and `${1}` here; a dollar sign stands for itself in Istio.
fn groups(substitution: &str, count: usize) -> Result<String, String> {
    let mut text = String::new();
    let mut letters = substitution.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            ('$', _) => text.push_str("$$"),
            (_, true) => match letters.next() {
                Some('\\') => text.push('\\'),
                Some(digit) if digit.to_digit(10).is_some_and(|digit| (digit as usize) < count) => {
                    text.extend(["${", digit.encode_utf8(&mut [0; 4]), "}"]);
                }
                Some(digit) if digit.is_ascii_digit() => return Err(format!("there is no group {digit}")),
                _ => return Err("a backslash stands alone".to_owned()),
            },
            (other, _) => text.push(other),
        }
    }
    Ok(text)
}
