//! What this data plane can do that Envoy does not: each switched on by its name, none by default.

use super::Config;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Which of it is switched on. By default none is, and everything is as in Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "switches that have nothing to do with each other")]
pub struct Beyond {
    /// An endpoint that comes back from an ejection is tried with one request at a time first.
    pub half_open: bool,
    /// A passing active check ends an ejection only if it has seen what traffic saw.
    pub fresh_evidence: bool,
    /// Requests without an answer for too long count against their endpoint before they end.
    pub stalled: bool,
    /// Limits of requests and connections hold for each endpoint, by its share.
    pub per_instance_limits: bool,
}

impl Beyond {
    /// The names, and one for all of them.
    pub const WORDS: [&'static str; 5] = ["half-open", "fresh-evidence", "stalled", "per-instance-limits", ALL];

    /// What is switched on by either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            half_open: self.half_open || other.half_open,
            fresh_evidence: self.fresh_evidence || other.fresh_evidence,
            stalled: self.stalled || other.stalled,
            per_instance_limits: self.per_instance_limits || other.per_instance_limits,
        }
    }

    /// The names of what is switched on.
    pub fn words(self) -> Vec<&'static str> {
        let on = [self.half_open, self.fresh_evidence, self.stalled, self.per_instance_limits];
        Self::WORDS.into_iter().zip(on).filter(|(_, on)| *on).map(|(word, _)| word).collect()
    }
}

const ALL: &str = "all";

impl FromIterator<Self> for Beyond {
    fn from_iter<T: IntoIterator<Item = Self>>(each: T) -> Self {
        each.into_iter().fold(Self::default(), Self::and)
    }
}

/// A word that names nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing that goes beyond Envoy: expected one of {list}", list = Beyond::WORDS.join(", "))]
pub struct UnknownBeyond(String);

impl FromStr for Beyond {
    type Err = UnknownBeyond;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is = |word: &str| text == word || text == ALL;
        let [half_open, fresh_evidence, stalled, per_instance_limits, _] = Self::WORDS.map(is);
        let read = Self { half_open, fresh_evidence, stalled, per_instance_limits };
        if read == Self::default() { Err(UnknownBeyond(text.to_owned())) } else { Ok(read) }
    }
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

impl Serialize for Beyond {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(to)
    }
}

/// Switches it on for a whole configuration.
pub fn go_beyond(config: &mut Config, beyond: Beyond) {
    config.beyond_envoy = beyond;
    config.clusters.iter_mut().for_each(|cluster| cluster.beyond = beyond);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_switched_on_by_its_name_and_told_by_it() {
        for word in Beyond::WORDS {
            let read: Beyond = word.parse().unwrap();
            let told: Vec<_> = if word == ALL { Beyond::WORDS[..4].to_vec() } else { vec![word] };
            assert_eq!(read.words(), told);
        }
        let both: Beyond = ["half-open", "stalled"].iter().map(|word| word.parse::<Beyond>().unwrap()).collect();
        assert_eq!(both.to_string(), "half-open,stalled");
        assert_eq!(Beyond::default().to_string(), "");
    }

    #[test]
    fn a_name_that_means_nothing_is_told_those_that_do() {
        for bad in ["", "half_open", "ALL"] {
            assert_eq!(
                bad.parse::<Beyond>().unwrap_err().to_string(),
                format!(
                    "`{bad}` is nothing that goes beyond Envoy: expected one of half-open, fresh-evidence, stalled, per-instance-limits, all"
                )
            );
        }
    }
}
