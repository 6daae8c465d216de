//! Conditions on text.

use super::words::told;
use regex::Regex;
use serde::Serialize;

/// A condition on text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TextMatch {
    /// What it must look like.
    pub pattern: Pattern,
    /// Without regard to case; a regular expression keeps its own mind.
    pub ignore_case: bool,
}

/// What a text must look like.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// Ends with.
    Suffix(String),
    /// Has it in it.
    Contains(String),
    /// The whole text, by RE2 rules; anchored when it was read.
    Regex(#[serde(serialize_with = "told::regex")] Regex),
    /// There at all.
    Present,
    /// A whole number from the first up to, not including, the second.
    Range(i64, i64),
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b))
            | (Self::Prefix(a), Self::Prefix(b))
            | (Self::Suffix(a), Self::Suffix(b))
            | (Self::Contains(a), Self::Contains(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Range(a, b), Self::Range(c, d)) => (a, b) == (c, d),
            (Self::Present, Self::Present) => true,
            _ => false,
        }
    }
}

impl From<Pattern> for TextMatch {
    fn from(pattern: Pattern) -> Self {
        Self { pattern, ignore_case: false }
    }
}

impl TextMatch {
    /// The very text.
    pub fn exact(text: &str) -> Self {
        Pattern::Exact(text.to_owned()).into()
    }

    /// Anything.
    pub fn present() -> Self {
        Pattern::Present.into()
    }

    /// True if `text` satisfies it.
    pub fn matches(&self, text: &str) -> bool {
        let same = |a: &[u8], b: &[u8]| if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b };
        // By bytes, since a border between the bytes of a letter is no error here.
        let bytes = text.as_bytes();
        match &self.pattern {
            Pattern::Exact(exact) => same(bytes, exact.as_bytes()),
            Pattern::Prefix(prefix) => bytes.get(..prefix.len()).is_some_and(|start| same(start, prefix.as_bytes())),
            Pattern::Suffix(suffix) => {
                let end = bytes.len().checked_sub(suffix.len()).map(|at| &bytes[at..]);
                end.is_some_and(|end| same(end, suffix.as_bytes()))
            }
            Pattern::Contains(part) if self.ignore_case => {
                part.is_empty() || bytes.windows(part.len()).any(|window| same(window, part.as_bytes()))
            }
            Pattern::Contains(part) => text.contains(part.as_str()),
            Pattern::Regex(regex) => regex.is_match(text),
            Pattern::Present => true,
            Pattern::Range(from, to) => text.parse::<i64>().is_ok_and(|number| (*from..*to).contains(&number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_looks_at_its_part_and_case_counts_unless_it_is_ignored() {
        let text = |pattern: Pattern, ignore_case| TextMatch { pattern, ignore_case };
        let own = str::to_owned;
        for (pattern, matching, other) in [
            (Pattern::Exact(own("Cart")), "Cart", "Carts"),
            (Pattern::Prefix(own("Cart")), "Carts", "Car"),
            (Pattern::Suffix(own("art")), "Cart", "rt"),
            (Pattern::Contains(own("ar")), "Cart", "Crt"),
            (Pattern::Regex(Regex::new("^(?:[a-z]+)$").unwrap()), "cart", "Cart"),
            (Pattern::Range(3, 5), "4", "5"),
        ] {
            assert!(text(pattern.clone(), false).matches(matching), "{pattern:?}");
            assert!(!text(pattern.clone(), false).matches(other), "{pattern:?}");
            let upper = matching.to_ascii_uppercase();
            let numbers = upper == matching;
            assert!(!text(pattern.clone(), false).matches(&upper) || numbers, "{pattern:?}");
            let of_letters = !matches!(pattern, Pattern::Regex(_));
            assert_eq!(text(pattern.clone(), true).matches(&upper), of_letters, "{pattern:?}");
        }
        assert!(TextMatch::present().matches(""));
        assert!(!text(Pattern::Prefix(own("é")), false).matches("e"));
    }
}
