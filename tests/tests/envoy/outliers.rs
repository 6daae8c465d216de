//! Which endpoints are taken out, and when they come back.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::http::Connection;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [consecutive(), how_many(), coming_back(), rates()].into_iter().flatten().collect()
}

const STATS: &str = ".outlier_detection.ejections_active .outlier_detection.ejections_enforced_total \
.outlier_detection.ejections_detected_consecutive_5xx .outlier_detection.ejections_detected_consecutive_gateway_failure .outlier_detection.ejections_overflow \
.outlier_detection.ejections_enforced_consecutive_5xx .outlier_detection.ejections_enforced_consecutive_gateway_failure \
.outlier_detection.ejections_detected_consecutive_local_origin_failure .outlier_detection.ejections_enforced_consecutive_local_origin_failure";

/// Squall takes an endpoint out a moment after the answer that gave the reason.
const OUT: &str = ".outlier_detection.ejections_active";

fn detect(name: &'static str, fields: &str) -> Case {
    case(name).cart(&format!("common_lb_config: {{healthy_panic_threshold: {{value: 0}}, update_merge_window: 0s}}, outlier_detection: {{interval: 0.2s, base_ejection_time: 60s, max_ejection_percent: 100, {fields}}}")).stats(STATS)
}

fn consecutive() -> Vec<Case> {
    vec![
        detect("so_many_5xx_take_it_out", "consecutive_5xx: 3")
            .backend("one", &["500"])
            .times(3, "GET /")
            .until(OUT, 1)
            .times(2, "GET /")
            .health(),
        detect("five_unless_told", "")
            .backend("one", &["500"])
            .times(5, "GET /")
            .until(OUT, 1)
            .times(2, "GET /")
            .health(),
        detect("a_success_begins_anew", "consecutive_5xx: 3")
            .backend("one", &["500", "500", "200", "500", "500", "200"])
            .times(6, "GET /")
            .health(),
        detect("a_4xx_is_a_success", "consecutive_5xx: 2")
            .backend("one", &["500", "404", "500", "404"])
            .times(4, "GET /")
            .health(),
        detect(
            "gateway_failures_count_apart",
            "consecutive_5xx: 0, consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100",
        )
        .backend("one", &["500", "500", "503", "504", "200"])
        .times(4, "GET /")
        .until(OUT, 1)
        .times(2, "GET /")
        .health(),
        detect("gateway_failures_are_not_enforced_unless_told", "consecutive_5xx: 100, consecutive_gateway_failure: 2")
            .backend("one", &["503"])
            .times(2, "GET /")
            .until(".outlier_detection.ejections_detected_consecutive_gateway_failure", 1)
            .times(2, "GET /")
            .until(".outlier_detection.ejections_detected_consecutive_gateway_failure", 2)
            .health(),
        detect("enforcing_nothing_only_counts", "consecutive_5xx: 2, enforcing_consecutive_5xx: 0")
            .backend("one", &["500"])
            .times(2, "GET /")
            .until(".outlier_detection.ejections_detected_consecutive_5xx", 1)
            .times(2, "GET /")
            .until(".outlier_detection.ejections_detected_consecutive_5xx", 2)
            .ask("GET /")
            .health(),
        detect("a_close_counts_as_5xx", "consecutive_5xx: 2")
            .backend("one", &["close"])
            .times(2, "GET /")
            .until(OUT, 1)
            .times(1, "GET /")
            .health(),
        detect("a_refused_connection_counts_as_5xx", "consecutive_5xx: 2")
            .refusing("one")
            .times(2, "GET /")
            .until(OUT, 1)
            .times(1, "GET /")
            .health(),
        detect("a_time_out_counts_as_5xx", "consecutive_5xx: 2")
            .action("timeout: 0.1s")
            .backend("one", &["silence"])
            .times(2, "GET /")
            .until(OUT, 1)
            .times(1, "GET /")
            .health(),
        detect(
            "what_is_ours_can_count_apart",
            "consecutive_5xx: 2, split_external_local_origin_errors: true, consecutive_local_origin_failure: 4",
        )
        .refusing("one")
        .times(4, "GET /")
        .until(OUT, 1)
        .times(1, "GET /")
        .health(),
        detect(
            "what_is_theirs_then_counts_alone",
            "consecutive_5xx: 2, split_external_local_origin_errors: true, consecutive_local_origin_failure: 100",
        )
        .backend("one", &["close", "close", "500", "500"])
        .times(4, "GET /")
        .until(OUT, 1)
        .times(1, "GET /")
        .health(),
        // No try is left over when the third failure comes: Envoy ejects a moment later, on another thread.
        detect("retries_count_too", "consecutive_5xx: 3")
            .action("retry_policy: {retry_on: 5xx, num_retries: 2, retry_back_off: {base_interval: 0.001s}}")
            .backend("one", &["500"])
            .ask("GET /")
            .until(OUT, 1)
            .ask("GET /")
            .health(),
    ]
}

fn how_many() -> Vec<Case> {
    // Which of the three is asked first is chance; how many are out in the end is not.
    let three = |name, threshold: u32, fields: &str| {
        let detection =
            format!("outlier_detection: {{interval: 0.2s, base_ejection_time: 60s, consecutive_5xx: 1, {fields}}}");
        let backends = case(name)
            .cart(&format!("common_lb_config: {{healthy_panic_threshold: {{value: {threshold}}}, update_merge_window: 0s}}, {detection}"))
            .stats(".outlier_detection.ejections_enforced_total");
        ["one", "two", "three"]
            .into_iter()
            .fold(backends, |made, name| made.backend(name, &["500 << -"]))
            .spread(30, "GET /")
    };
    vec![
        three("ten_percent_of_three_is_nobody", 0, "").until(OUT, 0).spread(12, "GET /"),
        three("fifty_percent_of_three_is_one", 0, "max_ejection_percent: 50").until(OUT, 1).spread(12, "GET /"),
        three("seventy_percent_of_three_is_two", 0, "max_ejection_percent: 70").until(OUT, 2).spread(12, "GET /"),
        three("nothing_is_nothing", 0, "max_ejection_percent: 0").until(OUT, 0).spread(12, "GET /"),
        three("nothing_is_one_if_told", 0, "max_ejection_percent: 0, always_eject_one_host: true")
            .until(OUT, 1)
            .spread(12, "GET /"),
        three("panic_uses_all", 60, "max_ejection_percent: 100").until(OUT, 3).spread(12, "GET /"),
    ]
}

fn coming_back() -> Vec<Case> {
    let back = |name, fields: &str| {
        case(name).cart(&format!("common_lb_config: {{healthy_panic_threshold: {{value: 0}}, update_merge_window: 0s}}, outlier_detection: {{interval: 0.1s, consecutive_5xx: 1, max_ejection_percent: 100, {fields}}}")).backend("one", &["500"]).answers_only()
    };
    vec![
        back("after_the_base_time", "base_ejection_time: 0.5s")
            .ask("GET /")
            .until(OUT, 1)
            .play("one", &["200"])
            .until_answer("GET /", "200 one", 200)
            .health(),
        back("the_second_time_takes_twice", "base_ejection_time: 0.4s")
            .ask("GET /")
            .until(OUT, 1)
            .play("one", &["200"])
            .until_answer("GET /", "200 one", 200)
            .play("one", &["500", "200"])
            .ask("GET /")
            .until(OUT, 1)
            .until_answer("GET /", "200 one", 200)
            .stats(STATS),
        back("but_never_beyond_the_most", "base_ejection_time: 0.4s, max_ejection_time: 0.4s")
            .ask("GET /")
            .until(OUT, 1)
            .play("one", &["200"])
            .until_answer("GET /", "200 one", 200)
            .play("one", &["500", "200"])
            .ask("GET /")
            .until(OUT, 1)
            .until_answer("GET /", "200 one", 200),
    ]
}

fn rates() -> Vec<Case> {
    let five = |name, fields: &str| {
        let mut made = case(name).cart(&format!("common_lb_config: {{update_merge_window: 0s}}, outlier_detection: {{interval: 1s, base_ejection_time: 60s, max_ejection_percent: 100, consecutive_5xx: 1000, {fields}}}"));
        for name in ["a", "b", "c", "d"] {
            made = made.backend(name, &["200"]);
        }
        made.backend("bad", &["500"]).answers_only()
    };
    vec![
        five("a_rate_far_below_the_others", "success_rate_minimum_hosts: 5, success_rate_request_volume: 5, success_rate_stdev_factor: 1500").asking_until("GET /", ".outlier_detection.ejections_enforced_success_rate", 1).health(),
        five("a_share_of_failures", "success_rate_minimum_hosts: 100, failure_percentage_threshold: 50, enforcing_failure_percentage: 100, failure_percentage_minimum_hosts: 5, failure_percentage_request_volume: 5").asking_until("GET /", ".outlier_detection.ejections_enforced_failure_percentage", 1).health(),
        five("a_rate_that_is_not_enforced_beside_one_that_is", "success_rate_minimum_hosts: 5, success_rate_request_volume: 5, success_rate_stdev_factor: 1500, enforcing_success_rate: 0, enforcing_failure_percentage: 100, failure_percentage_minimum_hosts: 100").asking_until("GET /", ".outlier_detection.ejections_detected_success_rate", 1).health(),
        five("a_rate_that_is_not_enforced", "success_rate_minimum_hosts: 5, success_rate_request_volume: 5, success_rate_stdev_factor: 1500, enforcing_success_rate: 0").then("whether it is detected", detected).differs("rates-without-consequences"),
    ]
}

/// Whether it is, within a few intervals.
fn detected(side: &Side) -> String {
    let name = "cluster.cart.outlier_detection.ejections_detected_success_rate";
    let mut connection = Connection::to(side.listen).expect("a connection");
    let found = (0..40).any(|_| {
        for _ in 0..10 {
            let _ = connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
        side.stats().get(name).is_some_and(|count| *count > 0)
    });
    found.to_string()
}
