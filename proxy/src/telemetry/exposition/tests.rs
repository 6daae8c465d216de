use super::*;
use crate::telemetry::metrics::{
    BreakerNow, ClusterCounter, ClusterNow, ClusterTime, HttpCounter, RateLimitCounter, Registry, Value, Worker,
};
use std::time::Duration;

fn filled() -> Vec<Sample> {
    let registry = Registry::new(1);
    let worker = Worker::number(0);
    let cluster = registry.cluster("cart");
    cluster.add(worker, ClusterCounter::RqTotal, 3);
    cluster.count(worker, ClusterCounter::RqRetry);
    cluster.count(Worker::CONTROL, ClusterCounter::EjectionsEnforcedTotal);
    cluster.answered(worker, 200);
    cluster.answered(worker, 503);
    cluster.took(worker, ClusterTime::Rq, Duration::from_micros(7_250));
    registry.http("in").count(worker, HttpCounter::DelaysInjected);
    registry.rate_limit("edge").count(worker, RateLimitCounter::RateLimited);
    let breakers = BreakerNow { connections: true, ..BreakerNow::default() };
    let now = ClusterNow { members: 3, healthy: 2, ejected: 1, breakers, ..ClusterNow::default() };
    registry.samples(&|name| (name == "cart").then_some(now))
}

fn wanted(filter: &str) -> Wanted {
    Wanted { filter: Some(Regex::new(filter).unwrap()), used_only: true }
}

#[test]
fn prometheus_reads_envoys_names_and_labels() {
    let expected = "\
# TYPE envoy_cluster_outlier_detection_ejections_enforced_total counter
envoy_cluster_outlier_detection_ejections_enforced_total{envoy_cluster_name=\"cart\"} 1
# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"cart\"} 1
envoy_cluster_upstream_rq{envoy_response_code=\"503\",envoy_cluster_name=\"cart\"} 1
# TYPE envoy_cluster_upstream_rq_completed counter
envoy_cluster_upstream_rq_completed{envoy_cluster_name=\"cart\"} 2
# TYPE envoy_cluster_upstream_rq_retry counter
envoy_cluster_upstream_rq_retry{envoy_cluster_name=\"cart\"} 1
# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{envoy_cluster_name=\"cart\"} 3
# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",envoy_cluster_name=\"cart\"} 1
envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"cart\"} 1
# TYPE envoy_http_fault_delays_injected counter
envoy_http_fault_delays_injected{envoy_http_conn_manager_prefix=\"in\"} 1
# TYPE envoy_http_local_rate_limit_rate_limited counter
envoy_http_local_rate_limit_rate_limited{envoy_local_http_ratelimit_prefix=\"edge\"} 1
# TYPE envoy_cluster_circuit_breakers_default_cx_open gauge
envoy_cluster_circuit_breakers_default_cx_open{envoy_cluster_name=\"cart\"} 1
# TYPE envoy_cluster_membership_healthy gauge
envoy_cluster_membership_healthy{envoy_cluster_name=\"cart\"} 2
# TYPE envoy_cluster_membership_total gauge
envoy_cluster_membership_total{envoy_cluster_name=\"cart\"} 3
# TYPE envoy_cluster_outlier_detection_ejections_active gauge
envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name=\"cart\"} 1
# TYPE envoy_cluster_upstream_rq_time histogram
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"0.5\"} 0
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"1\"} 0
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"5\"} 0
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"10\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"25\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"50\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"100\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"250\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"500\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"1000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"2500\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"5000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"10000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"30000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"60000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"300000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"600000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"1800000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"3600000\"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"cart\",le=\"+Inf\"} 1
envoy_cluster_upstream_rq_time_sum{envoy_cluster_name=\"cart\"} 7.25
envoy_cluster_upstream_rq_time_count{envoy_cluster_name=\"cart\"} 1
";
    assert_eq!(prometheus(&filled(), &wanted(".")), expected);
}

#[test]
fn every_name_that_people_assert_on_is_there_before_anything_happened() {
    let registry = Registry::new(1);
    let _held = (registry.cluster("cart"), registry.http("in"), registry.rate_limit("edge"));
    let text = plain(&registry.samples(&|_| Some(ClusterNow::default())), &Wanted::default());
    let requests = [
        "upstream_rq_total",
        "upstream_rq_active",
        "upstream_rq_completed",
        "upstream_rq_pending_total",
        "upstream_rq_pending_active",
        "upstream_rq_pending_overflow",
        "upstream_rq_pending_failure_eject",
        "upstream_rq_cancelled",
        "upstream_rq_timeout",
        "upstream_rq_per_try_timeout",
        "upstream_rq_rx_reset",
        "upstream_rq_tx_reset",
        "upstream_rq_retry",
        "upstream_rq_retry_success",
        "upstream_rq_retry_overflow",
        "upstream_rq_retry_limit_exceeded",
        "upstream_rq_retry_backoff_exponential",
        "upstream_rq_maintenance_mode",
        "upstream_rq_time",
        "upstream_cx_total",
        "upstream_cx_active",
        "upstream_cx_http1_total",
        "upstream_cx_http2_total",
        "upstream_cx_connect_fail",
        "upstream_cx_connect_timeout",
        "upstream_cx_overflow",
        "upstream_cx_destroy",
        "upstream_cx_idle_timeout",
        "upstream_cx_max_requests",
        "upstream_cx_none_healthy",
        "upstream_cx_close_notify",
        "upstream_cx_connect_ms",
        "upstream_cx_length_ms",
        "membership_total",
        "membership_healthy",
        "membership_degraded",
        "membership_excluded",
        "membership_change",
        "lb_healthy_panic",
        "retry_or_shadow_abandoned",
        "circuit_breakers.default.cx_open",
        "circuit_breakers.high.rq_retry_open",
        "circuit_breakers.default.rq_pending_open",
        "circuit_breakers.default.cx_pool_open",
        "health_check.attempt",
        "health_check.success",
        "health_check.failure",
        "health_check.passive_failure",
        "health_check.network_failure",
        "health_check.verify_cluster",
        "health_check.healthy",
        "health_check.degraded",
        "outlier_detection.ejections_active",
        "outlier_detection.ejections_enforced_total",
        "outlier_detection.ejections_overflow",
    ];
    let kinds = [
        "consecutive_5xx",
        "consecutive_gateway_failure",
        "consecutive_local_origin_failure",
        "success_rate",
        "local_origin_success_rate",
        "failure_percentage",
        "local_origin_failure_percentage",
    ];
    let ejections = kinds.iter().flat_map(|kind| {
        ["detected", "enforced"].map(|what| format!("cluster.cart.outlier_detection.ejections_{what}_{kind}"))
    });
    let http = [
        "downstream_rq_total",
        "downstream_rq_1xx",
        "downstream_rq_5xx",
        "downstream_rq_active",
        "downstream_rq_time",
        "downstream_rq_timeout",
        "downstream_rq_idle_timeout",
        "downstream_rq_max_duration_reached",
        "downstream_rq_rx_reset",
        "downstream_rq_tx_reset",
        "downstream_rq_non_relative_path",
        "no_route",
        "no_cluster",
        "rq_total",
        "rq_direct_response",
        "fault.delays_injected",
        "fault.aborts_injected",
        "fault.response_rl_injected",
        "fault.faults_overflow",
        "fault.active_faults",
        "downstream_cx_upgrades_total",
        "downstream_cx_upgrades_active",
    ];
    let limits = ["enabled", "enforced", "rate_limited", "ok"];
    let names = requests.iter().map(|name| format!("cluster.cart.{name}"));
    let names = names.chain(ejections).chain(http.iter().map(|name| format!("http.in.{name}")));
    for name in names.chain(limits.iter().map(|name| format!("edge.http_local_rate_limit.{name}"))) {
        assert!(text.lines().any(|line| line.starts_with(&format!("{name}: "))), "{name} is missing in\n{text}");
    }
}

#[test]
fn numbers_of_the_process_have_no_labels() {
    let lost = [Sample::of_process("access_log.lines_lost", Value::Counter(3))];
    let expected = "# TYPE envoy_access_log_lines_lost counter\nenvoy_access_log_lines_lost{} 3\n";
    assert_eq!(prometheus(&lost, &Wanted::default()), expected);
    assert_eq!(plain(&lost, &Wanted::default()), "access_log.lines_lost: 3\n");
}

#[test]
fn lines_are_sorted_with_histograms_last_and_can_be_filtered() {
    let text = plain(&filled(), &wanted("upstream_rq_(t|5)"));
    let expected = "\
cluster.cart.upstream_rq_503: 1
cluster.cart.upstream_rq_5xx: 1
cluster.cart.upstream_rq_total: 3
cluster.cart.upstream_rq_time: P0(nan,5) P25(nan,6.25) P50(nan,7.5) P75(nan,8.75) P90(nan,9.5) P95(nan,9.75) \
P99(nan,9.95) P99.5(nan,9.975) P99.9(nan,9.995) P100(nan,10)
";
    assert_eq!(text, expected);
    let all = Wanted { filter: Some(Regex::new("upstream_cx_length").unwrap()), used_only: false };
    assert_eq!(plain(&filled(), &all), "cluster.cart.upstream_cx_length_ms: No recorded values\n");
    assert_eq!(plain(&filled(), &wanted("upstream_cx_length")), "");
}

#[test]
fn json_has_numbers_first_and_histograms_together() {
    let read = json(&filled(), &wanted("upstream_rq_t"));
    assert_eq!(read["stats"][0], serde_json::json!({"name": "cluster.cart.upstream_rq_total", "value": 3}));
    let histograms = &read["stats"][1]["histograms"];
    assert_eq!(histograms["supported_quantiles"][8], 99.9);
    let computed = &histograms["computed_quantiles"][0];
    assert_eq!(computed["name"], "cluster.cart.upstream_rq_time");
    assert_eq!(computed["values"][2], serde_json::json!({"interval": null, "cumulative": 7.5}));
}
