//! `outlierDetection`: an empty block switches it on.

use crate::config::duration::{GoDuration, positive};
use crate::config::number::WholePercent;
use crate::config::problems::Problems;
use crate::policy::{OutlierDetection, Threshold};
use serde::Deserialize;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenOutlier {
    #[serde(rename = "consecutive5xxErrors")]
    consecutive_5xx: Option<u32>,
    consecutive_gateway_errors: Option<u32>,
    consecutive_local_origin_failures: Option<Keyed<u32>>,
    #[serde(default)]
    split_external_local_origin_errors: bool,
    interval: Option<Keyed<GoDuration>>,
    base_ejection_time: Option<Keyed<GoDuration>>,
    #[serde(default)]
    max_ejection_percent: WholePercent,
    #[serde(default)]
    min_health_percent: WholePercent,
    consecutive_errors: Option<Keyed<i32>>,
    #[serde(default, rename = "outlierDetectionHttpErrorCodes")]
    error_codes: Vec<Spanned<u32>>,
}

/// What the block means.
pub(super) struct Detected {
    pub(super) detection: OutlierDetection,
    pub(super) min_health_percent: u32,
}

/// What the block means. 0 switches a count off, and is the default of a percentage.
pub(super) fn detection(written: &WrittenOutlier, problems: &mut Problems<'_>) -> Detected {
    let defaults = OutlierDetection::istio_default();
    if let Some(old) = written.consecutive_errors.filter(|old| old.value != 0) {
        problems.warning(old.key, "Istio ignores `consecutiveErrors`", "say `consecutive5xxErrors`");
    }
    let local = written.consecutive_local_origin_failures.filter(|local| local.value > 0);
    if let Some(local) = local.filter(|_| !written.split_external_local_origin_errors) {
        let help = "add `splitExternalLocalOriginErrors: true`";
        problems.error(local.key, "`consecutiveLocalOriginFailures` counts nothing without the split", help);
    }
    if let Some(code) = written.error_codes.first().filter(|_| !problems.version().knows_error_codes()) {
        let message = format!("Istio {} has no `outlierDetectionHttpErrorCodes`", problems.version());
        problems.error(code.place, message, "it came with Istio 1.32: leave it out");
    }
    let failures: Vec<_> = written.error_codes.iter().filter_map(|code| status(code, problems)).collect();
    let mut time = |written: &Option<Keyed<GoDuration>>, field: &str| {
        positive(written.as_ref(), field, "1ms at least; leave it out for the default", problems)
    };
    let base_ejection_time =
        time(&written.base_ejection_time, "baseEjectionTime").unwrap_or(defaults.base_ejection_time);
    let threshold = |count: u32| if count == 0 { Threshold::OFF } else { Threshold::at(count) };
    let percent = written.max_ejection_percent.0;
    let detection = OutlierDetection {
        consecutive_5xx: written.consecutive_5xx.map_or(defaults.consecutive_5xx, threshold),
        consecutive_gateway: written.consecutive_gateway_errors.map_or(defaults.consecutive_gateway, threshold),
        split_local_origin: written.split_external_local_origin_errors,
        consecutive_local_origin: local.map_or(defaults.consecutive_local_origin, |local| threshold(local.value)),
        interval: time(&written.interval, "interval").unwrap_or(defaults.interval),
        base_ejection_time,
        max_ejection_time: defaults.max_ejection_time.max(base_ejection_time),
        max_ejection_percent: if percent == 0 { defaults.max_ejection_percent } else { percent },
        error_statuses: (!failures.is_empty()).then_some(failures),
        ..defaults
    };
    Detected { detection, min_health_percent: written.min_health_percent.0 }
}

fn status(code: &Spanned<u32>, problems: &mut Problems<'_>) -> Option<(u16, u16)> {
    if !(100..600).contains(&code.value) {
        problems.error(code.place, format!("{} is no status of an answer", code.value), "100 to 599");
        return None;
    }
    let status = u16::try_from(code.value).ok()?;
    Some((status, status + 1))
}
