use super::*;
use crate::clock::now;
use crate::policy::{self, Node};
use crate::telemetry::StreamInfo;
use squall_http1::Headers;
use std::collections::BTreeMap;
use std::time::Duration;

fn values(registry: &Registry) -> BTreeMap<String, u64> {
    let number = |sample: Sample| match sample.value {
        Value::Counter(value) | Value::Gauge(value) => Some((sample.name, value)),
        Value::Histogram(summary) => Some((sample.name, summary.count())),
    };
    registry.samples(&|_| None).into_iter().filter_map(number).collect()
}

#[test]
fn what_workers_count_at_the_same_time_adds_up() {
    const WORKERS: u16 = 4;
    const EACH: u64 = 20_000;
    let registry = Registry::new(WORKERS);
    let (cluster, http) = (registry.cluster("cart"), registry.http("in"));
    std::thread::scope(|scope| {
        for number in 0..WORKERS {
            let (cluster, http) = (&cluster, &http);
            scope.spawn(move || {
                let worker = Worker::number(number);
                for turn in 0..EACH {
                    cluster.count(worker, ClusterCounter::RqTotal);
                    cluster.answered(worker, if turn % 4 == 0 { 503 } else { 200 });
                    cluster.took(worker, ClusterTime::Rq, Duration::from_millis(turn % 700));
                    drop(Raised::new(&**http, worker, HttpLevel::RqActive));
                }
                // Raised for good.
                std::mem::forget(Raised::new(&**http, worker, HttpLevel::CxActive));
            });
        }
        // Who reads meanwhile sees no more than there will be.
        for _ in 0..50 {
            assert!(values(&registry)["cluster.cart.upstream_rq_total"] <= u64::from(WORKERS) * EACH);
        }
    });
    let (values, all) = (values(&registry), u64::from(WORKERS) * EACH);
    for (name, expected) in [
        ("cluster.cart.upstream_rq_total", all),
        ("cluster.cart.upstream_rq_completed", all),
        ("cluster.cart.upstream_rq_503", all / 4),
        ("cluster.cart.upstream_rq_5xx", all / 4),
        ("cluster.cart.upstream_rq_200", all / 4 * 3),
        ("cluster.cart.upstream_rq_time", all),
        ("http.in.downstream_rq_active", 0),
        ("http.in.downstream_cx_active", u64::from(WORKERS)),
    ] {
        assert_eq!(values[name], expected, "{name}");
    }
}

#[test]
fn counting_on_the_path_of_a_request_allocates_nothing() {
    let registry = Registry::new(2);
    let (cluster, http, tcp) = (registry.cluster("cart"), registry.http("in"), registry.tcp("bytes"));
    let istio = registry.istio(&Labels::source(&Node::default(), &policy::Cluster::new("outbound|80||cart")));
    let mut headers = Headers::new();
    headers.add("content-type", b"application/grpc");
    let worker = Worker::number(1);
    let count = || {
        for status in [200, 404, 503] {
            http.began(worker, true);
            let active = Raised::new(&*http, worker, HttpLevel::RqActive);
            cluster.count(worker, ClusterCounter::RqTotal);
            cluster.took(worker, ClusterTime::Rq, Duration::from_millis(7));
            cluster.answered(worker, status);
            cluster.retried(worker, status);
            let ended = StreamInfo { request: &headers, status: Some(status), ..StreamInfo::new(now(), now()) };
            istio.ended(worker, &ended, Security::Unknown, Messages::default());
            http.answered(worker, status, Duration::from_millis(9));
            drop(active);
            tcp.add(worker, TcpCounter::CxRxBytesTotal, 9);
        }
    };
    assert_eq!(allocation_counter::measure(count).count_total, 0);
}

#[test]
fn a_level_that_one_worker_raised_and_another_lowered_is_what_is_left() {
    let registry = Registry::new(2);
    let listener = registry.listener("10.0.0.1:80".parse().unwrap());
    listener.opened(Worker::number(0));
    listener.opened(Worker::number(0));
    listener.closed(Worker::number(1), Duration::from_secs(1));
    let tcp = registry.tcp("db");
    tcp.opened(Worker::number(1));
    tcp.opened(Worker::number(1));
    tcp.closed(Worker::number(1));
    let values = values(&registry);
    assert_eq!((values["tcp.db.downstream_cx_active"], values["tcp.db.downstream_cx_total"]), (1, 2));
    assert_eq!(values["listener.10.0.0.1_80.downstream_cx_active"], 1);
    assert_eq!(values["listener.10.0.0.1_80.downstream_cx_destroy"], 1);
    assert_eq!(http::level_of([0, 1_u64.wrapping_neg()].into_iter()), 0);
}

#[test]
fn the_status_of_a_try_that_was_tried_again_stands_apart() {
    let registry = Registry::new(1);
    let cluster = registry.cluster("cart");
    assert!(!values(&registry).contains_key("cluster.cart.retry.upstream_rq_completed"));
    cluster.retried(Worker::number(0), 503);
    cluster.answered(Worker::number(0), 200);
    let values = values(&registry);
    assert_eq!(values["cluster.cart.retry.upstream_rq_503"], 1);
    assert_eq!(values["cluster.cart.retry.upstream_rq_5xx"], 1);
    assert_eq!(values["cluster.cart.upstream_rq_200"], 1);
    assert!(!values.contains_key("cluster.cart.upstream_rq_503"));
}

#[test]
fn statuses_beyond_the_table_stay_in_their_class() {
    let registry = Registry::new(1);
    let cluster = registry.cluster("cart");
    (400..500).for_each(|status| cluster.answered(Worker::number(0), status));
    cluster.answered(Worker::number(0), 0);
    cluster.answered(Worker::number(0), 999);
    let values = values(&registry);
    assert_eq!(values["cluster.cart.upstream_rq_4xx"], 100);
    assert_eq!(values["cluster.cart.upstream_rq_completed"], 102);
    let own = values.keys().filter(|name| name.starts_with("cluster.cart.upstream_rq_4") && !name.ends_with("xx"));
    assert_eq!(own.count(), 32);
}

#[test]
fn numbers_live_as_long_as_somebody_holds_them_and_counters_can_be_set_to_0() {
    let registry = Registry::new(1);
    let held = registry.cluster("held");
    registry.cluster("gone").count(Worker::CONTROL, ClusterCounter::MembershipChange);
    held.count(Worker::CONTROL, ClusterCounter::MembershipChange);
    registry.forget_unused();
    assert!(!values(&registry).contains_key("cluster.gone.membership_change"));
    assert_eq!(values(&registry)["cluster.held.membership_change"], 1);
    registry.reset_counters();
    assert_eq!(values(&registry)["cluster.held.membership_change"], 0);
    registry.cluster("held").count(Worker::CONTROL, ClusterCounter::MembershipChange);
    assert_eq!(values(&registry)["cluster.held.membership_change"], 1);
}
