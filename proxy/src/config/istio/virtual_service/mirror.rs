//! `mirror` and `mirrors`: copies of requests.

use super::destination::{WrittenBackend, backend};
use super::fault::Percentage;
use super::http::WrittenRule;
use crate::config::objects::MirrorTo;
use crate::config::problems::Problems;
use crate::policy::Fraction;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMirror {
    destination: WrittenBackend,
    percentage: Option<Percentage>,
}

/// Copies of a rule's requests: of all of them where no share is written, of none where it is 0.
pub(super) fn mirrors(rule: &WrittenRule, problems: &mut Problems<'_>) -> Vec<MirrorTo> {
    if let Some(percent) = &rule.mirror_percent {
        problems.warning(percent.key, "`mirrorPercent` is deprecated", "write `mirrorPercentage: {value: 10}`");
    }
    let several = rule.mirrors.as_ref().filter(|mirrors| !mirrors.value.is_empty());
    if let (Some(_), Some(several)) = (&rule.mirror, several) {
        problems.error(several.key, "only one of `mirror` and `mirrors`", "write all of them under `mirrors`");
    }
    let mut all = Vec::new();
    if let Some(one) = &rule.mirror {
        let share = match (&rule.mirror_percentage, &rule.mirror_percent) {
            (Some(percentage), _) => percentage.share(problems),
            (None, Some(percent)) => Fraction::percent(f64::from(percent.value.0)),
            (None, None) => Fraction::ALL,
        };
        all.push(MirrorTo { to: backend(&one.value, problems), share });
    }
    for one in several.map_or(&[][..], |several| &several.value) {
        let share = one.value.percentage.as_ref().map_or(Fraction::ALL, |percentage| percentage.share(problems));
        all.push(MirrorTo { to: backend(&one.value.destination, problems), share });
    }
    all.retain(|mirror| mirror.share > Fraction::NONE);
    all
}
