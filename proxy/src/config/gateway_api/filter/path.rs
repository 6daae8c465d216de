//! Changes of the path.

use crate::config::problems::Problems;
use crate::policy::{PathMatch, PathRewrite};
use regex::Regex;
use serde::Deserialize;
use squall_yaml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PathModifier {
    #[serde(rename = "type")]
    kind: Spanned<PathModifierType>,
    replace_full_path: Option<String>,
    replace_prefix_match: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum PathModifierType {
    ReplaceFullPath,
    ReplacePrefixMatch,
}

/// A change of the path. A prefix that becomes nothing takes the slash behind it along.
pub(super) fn rewrite(written: &PathModifier, path: &PathMatch, problems: &mut Problems<'_>) -> Option<PathRewrite> {
    match (written.kind.value, &written.replace_full_path, &written.replace_prefix_match) {
        (PathModifierType::ReplaceFullPath, Some(full), None) => Some(PathRewrite::Whole(full.clone())),
        (PathModifierType::ReplacePrefixMatch, None, Some(prefix)) => {
            let matched = match path {
                PathMatch::SegmentPrefix(matched) | PathMatch::Prefix(matched) => matched.as_str(),
                _ => {
                    let help = "match the path by `type: PathPrefix`";
                    problems.error(written.kind.place, "`ReplacePrefixMatch` needs a prefix to replace", help);
                    return None;
                }
            };
            match prefix.strip_suffix('/').unwrap_or(prefix) {
                "" if matched != "/" => {
                    let pattern = format!("^{}(?:/|$)", regex::escape(matched));
                    Regex::new(&pattern)
                        .ok()
                        .map(|pattern| PathRewrite::Regex { pattern, substitution: "/".to_owned() })
                }
                "" => None,
                // The prefix `/` holds the slash that stands ahead of the rest.
                prefix if matched == "/" => Some(PathRewrite::Prefix(format!("{prefix}/"))),
                prefix => Some(PathRewrite::Prefix(prefix.to_owned())),
            }
        }
        _ => {
            let help = "`replaceFullPath` or `replacePrefixMatch`, as the type says";
            problems.error(written.kind.place, "the change of the path does not fit its type", help);
            None
        }
    }
}
