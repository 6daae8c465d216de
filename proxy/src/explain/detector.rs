//! The detector of a cluster, field by field.

use super::Group;
use super::setting::{Field, Owner, Value, Words, field};
use crate::policy::{Cluster, Discovery, OutlierDetection, Threshold, words};

pub(super) fn detection(owner: Owner, written: &Words<'_>, cluster: &Cluster) -> Group {
    const BLOCK: Field = field("outlierDetection", "outlier_detection");
    let name = "outlier detection";
    let Some(outlier) = &cluster.outlier else {
        let off = written.plain("detector", BLOCK, "off".to_owned());
        return Group { name, is: "off".to_owned(), settings: vec![off] };
    };
    let statuses = outlier.error_statuses.as_deref().map(words::statuses).unwrap_or_default();
    let default = match owner {
        Owner::Envoy => OutlierDetection::envoy_default(),
        Owner::Istio(_) => OutlierDetection::istio_default(),
    };
    let settings = written.settings(values(outlier, &statuses, cluster), values(&default, &[], cluster));
    Group { name, is: String::new(), settings }
}

fn values(outlier: &OutlierDetection, statuses: &[String], cluster: &Cluster) -> Vec<Value> {
    let in_row = |threshold: &Threshold| match (threshold.count, threshold.enforcing) {
        (None, _) | (_, 0) => "off".to_owned(),
        (Some(count), 100) => format!("{count} in a row"),
        (Some(count), share) => format!("{count} in a row, of which {share}% eject"),
    };
    let local =
        if outlier.split_local_origin { in_row(&outlier.consecutive_local_origin) } else { "with 5xx".to_owned() };
    let split = if outlier.split_local_origin { "counted apart from answers" } else { "counted with answers" };
    let failures = if statuses.is_empty() { "500 and above".to_owned() } else { statuses.join(", ") };
    let rate = |enforcing: u32| if enforcing == 0 { "off".to_owned() } else { format!("{enforcing}% eject") };
    let one = if outlier.always_eject_one { "always" } else { "only within the share" };
    let ends = if outlier.check_ends_ejection { "ends an ejection" } else { "does not end an ejection" };
    vec![
        (
            "5xx",
            field("outlierDetection.consecutive5xxErrors", "outlier_detection.consecutive_5xx"),
            in_row(&outlier.consecutive_5xx),
        ),
        (
            "gateway errors",
            field("outlierDetection.consecutiveGatewayErrors", "outlier_detection.consecutive_gateway_failure"),
            in_row(&outlier.consecutive_gateway),
        ),
        (
            "failures of connections",
            field(
                "outlierDetection.splitExternalLocalOriginErrors",
                "outlier_detection.split_external_local_origin_errors",
            ),
            split.to_owned(),
        ),
        (
            "failures to connect",
            field(
                "outlierDetection.consecutiveLocalOriginFailures",
                "outlier_detection.consecutive_local_origin_failure",
            ),
            local,
        ),
        (
            "statuses that fail",
            field("outlierDetection.outlierDetectionHttpErrorCodes", "typed_extension_protocol_options"),
            failures,
        ),
        ("success rate", field("", "outlier_detection.enforcing_success_rate"), rate(outlier.success_rate.enforcing)),
        (
            "failure percentage",
            field("", "outlier_detection.enforcing_failure_percentage"),
            rate(outlier.failure_percentage.enforcing),
        ),
        ("interval", field("outlierDetection.interval", "outlier_detection.interval"), words::time(outlier.interval)),
        (
            "base ejection",
            field("outlierDetection.baseEjectionTime", "outlier_detection.base_ejection_time"),
            words::time(outlier.base_ejection_time),
        ),
        ("longest ejection", field("", "outlier_detection.max_ejection_time"), words::time(outlier.max_ejection_time)),
        (
            "most out at once",
            field("outlierDetection.maxEjectionPercent", "outlier_detection.max_ejection_percent"),
            most_out(outlier, cluster),
        ),
        ("one may be out", field("", "outlier_detection.always_eject_one_host"), one.to_owned()),
        (
            "a passing active check",
            field("", "outlier_detection.successful_active_health_check_uneject_host"),
            ends.to_owned(),
        ),
    ]
}

fn most_out(outlier: &OutlierDetection, cluster: &Cluster) -> String {
    let all = u32::try_from(cluster.endpoints().count()).unwrap_or(u32::MAX);
    let share = words::percent(f64::from(outlier.max_ejection_percent));
    if all == 0 || !matches!(cluster.discovery, Discovery::Static) {
        return share;
    }
    let most = outlier.max_ejection_percent.min(100).saturating_mul(all) / 100;
    let most = most.max(u32::from(outlier.always_eject_one)).min(all);
    format!("{share}, which is {most} of {all}")
}
