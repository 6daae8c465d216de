//! Outlier detection.

use super::message::Message;
use super::schema::OUTLIER;
use crate::policy::{FailurePercentage, OutlierDetection, SuccessRate, Threshold};
use std::time::Duration;

/// The detector, if the block is there; an empty one turns it on.
pub(super) fn read(cluster: &Message<'_>) -> Option<OutlierDetection> {
    let outlier = cluster.message("outlier_detection", &OUTLIER)?;
    let default = OutlierDetection::envoy_default();
    let runtime = |name: &str| outlier.at.reading.runtime.borrow_mut().count(&format!("outlier_detection.{name}"));
    let count = |name: &str, default: u32| runtime(name).or(outlier.count(name)).unwrap_or(default);
    let percent = |name: &str, default: u32| {
        runtime(name).map(|percent| percent.min(100)).or(outlier.within(name, 0, 100)).unwrap_or(default)
    };
    let millis = |name: &str| runtime(name).map(|millis| Duration::from_millis(u64::from(millis)));
    // The counter is never zero when it is compared.
    let threshold = |name: &str, enforcing: u32| {
        let count = count(name, 5);
        Threshold { count: (count > 0).then_some(count), enforcing: percent(&format!("enforcing_{name}"), enforcing) }
    };
    let interval = millis("interval_ms").or(outlier.positive("interval")).unwrap_or(default.interval);
    let base = millis("base_ejection_time_ms").or(outlier.positive("base_ejection_time"));
    let base = base.unwrap_or(default.base_ejection_time);
    let longest = millis("max_ejection_time_ms").or(outlier.positive("max_ejection_time"));
    if longest.is_some_and(|longest| longest < base) {
        outlier.at.error("`max_ejection_time` is less than `base_ejection_time`");
    }
    let jitter = millis("max_ejection_time_jitter_ms").or(outlier.duration("max_ejection_time_jitter"));
    Some(OutlierDetection {
        consecutive_5xx: threshold("consecutive_5xx", 100),
        consecutive_gateway: threshold("consecutive_gateway_failure", 0),
        split_local_origin: outlier.flag("split_external_local_origin_errors"),
        consecutive_local_origin: threshold("consecutive_local_origin_failure", 100),
        error_statuses: None,
        success_rate: SuccessRate {
            enforcing: percent("enforcing_success_rate", 100),
            minimum_hosts: count("success_rate_minimum_hosts", 5),
            request_volume: count("success_rate_request_volume", 100),
            stdev_factor: count("success_rate_stdev_factor", 1900),
        },
        local_origin_success_rate_enforcing: percent("enforcing_local_origin_success_rate", 100),
        failure_percentage: FailurePercentage {
            enforcing: percent("enforcing_failure_percentage", 0),
            threshold: percent("failure_percentage_threshold", 85),
            minimum_hosts: count("failure_percentage_minimum_hosts", 5),
            request_volume: count("failure_percentage_request_volume", 50),
        },
        local_origin_failure_percentage_enforcing: percent("enforcing_failure_percentage_local_origin", 0),
        interval,
        base_ejection_time: base,
        max_ejection_time: longest.unwrap_or(base.max(default.max_ejection_time)),
        max_ejection_time_jitter: jitter.unwrap_or(default.max_ejection_time_jitter),
        max_ejection_percent: percent("max_ejection_percent", 10),
        always_eject_one: outlier.flag("always_eject_one_host") || outlier.at.reading.version.always_ejects_one(),
        check_ends_ejection: outlier.boolean("successful_active_health_check_uneject_host").unwrap_or(true),
    })
}
