//! Warnings of rules for connections that are never reached; those for requests are told by [`crate::config::analyze`].

use super::connection::WrittenTcp;
use crate::config::problems::Problems;
use squall_yaml::Spanned;

/// Behind one without conditions.
pub(super) fn warn_of_tcp(rules: &[Spanned<WrittenTcp>], problems: &mut Problems<'_>) {
    let catches_all = rules.iter().position(|rule| rule.value.matches.is_empty()).unwrap_or(rules.len());
    for rule in rules.iter().skip(catches_all + 1) {
        problems.warning(rule.place, "this rule is never reached", "a rule before it matches every connection");
    }
}
