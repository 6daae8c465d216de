//! `/stats/prometheus`.

use crate::cluster::Cluster;
use std::fmt::{self, Write};
use std::sync::atomic::Ordering;

/// All metrics in Prometheus' text format, under Istio's and Envoy's names.
pub(super) fn prometheus(clusters: &[&Cluster]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_prometheus(&mut text, clusters);
    text
}

fn write_prometheus(text: &mut String, clusters: &[&Cluster]) -> fmt::Result {
    writeln!(text, "# TYPE istio_requests_total counter")?;
    for cluster in clusters {
        let labels = labels(cluster);
        for (flag, code, count) in cluster.stats.by_status() {
            let flag = flag.letters();
            writeln!(
                text,
                "istio_requests_total{{{labels},response_code=\"{code}\",response_flags=\"{flag}\"}} {count}"
            )?;
        }
    }
    writeln!(text, "# TYPE istio_request_duration_milliseconds histogram")?;
    for cluster in clusters {
        let labels = labels(cluster);
        let mut all = 0;
        for (bound, count) in cluster.stats.durations() {
            let bound = bound.map_or("+Inf".to_owned(), |bound| bound.to_string());
            writeln!(text, "istio_request_duration_milliseconds_bucket{{{labels},le=\"{bound}\"}} {count}")?;
            all = count;
        }
        let sum = cluster.stats.duration_sum_millis();
        writeln!(text, "istio_request_duration_milliseconds_sum{{{labels}}} {sum}")?;
        writeln!(text, "istio_request_duration_milliseconds_count{{{labels}}} {all}")?;
    }
    for (name, value) in COUNTERS {
        writeln!(text, "# TYPE {name} counter")?;
        for cluster in clusters {
            writeln!(text, "{name}{{envoy_cluster_name=\"{}\"}} {}", cluster.name, value(cluster))?;
        }
    }
    for (name, value) in GAUGES {
        writeln!(text, "# TYPE {name} gauge")?;
        for cluster in clusters {
            writeln!(text, "{name}{{envoy_cluster_name=\"{}\"}} {}", cluster.name, value(cluster))?;
        }
    }
    Ok(())
}

fn labels(cluster: &Cluster) -> String {
    format!(
        "reporter=\"source\",destination_service=\"{0}\",destination_service_name=\"{0}\",destination_version=\"{1}\",request_protocol=\"http\",connection_security_policy=\"unknown\"",
        cluster.service,
        cluster.subset.as_deref().unwrap_or("unknown")
    )
}

/// A metric's name and where its value comes from.
type Metric = (&'static str, fn(&Cluster) -> u64);

const COUNTERS: [Metric; 12] = [
    ("envoy_cluster_upstream_rq_total", |cluster| cluster.stats.tries.get()),
    ("envoy_cluster_upstream_rq_retry", |cluster| cluster.stats.retries.get()),
    ("envoy_cluster_upstream_rq_retry_limit_exceeded", |cluster| cluster.stats.retries_exhausted.get()),
    ("envoy_cluster_upstream_rq_retry_overflow", |cluster| cluster.stats.retry_overflow.get()),
    ("envoy_cluster_upstream_rq_retry_success", |cluster| cluster.stats.retry_success.get()),
    ("envoy_cluster_upstream_rq_pending_overflow", |cluster| cluster.stats.overflow.get()),
    ("envoy_cluster_upstream_cx_overflow", |cluster| cluster.stats.connections_overflow.get()),
    ("envoy_cluster_upstream_cx_total", |cluster| cluster.stats.connections_opened.get()),
    ("envoy_cluster_upstream_cx_connect_fail", |cluster| cluster.stats.connect_failures.get()),
    ("envoy_cluster_lb_healthy_panic", |cluster| cluster.stats.panicked.get()),
    ("envoy_cluster_outlier_detection_ejections_enforced_total", |cluster| cluster.stats.ejections.get()),
    ("envoy_cluster_outlier_detection_ejections_overflow", |cluster| cluster.stats.ejections_overflow.get()),
];

const GAUGES: [Metric; 9] = [
    ("envoy_cluster_membership_total", |cluster| cluster.hosts.len() as u64),
    ("envoy_cluster_membership_healthy", |cluster| {
        cluster.hosts.iter().filter(|host| host.is_healthy()).count() as u64
    }),
    ("envoy_cluster_outlier_detection_ejections_active", |cluster| {
        cluster.hosts.iter().filter(|host| host.counters.is_ejected()).count() as u64
    }),
    ("envoy_cluster_upstream_cx_active", |cluster| u64::from(cluster.load.connections.load(Ordering::Relaxed))),
    ("envoy_cluster_upstream_rq_active", |cluster| u64::from(cluster.load.requests.load(Ordering::Relaxed))),
    ("envoy_cluster_upstream_rq_pending_active", |cluster| u64::from(cluster.load.pending.load(Ordering::Relaxed))),
    ("envoy_cluster_circuit_breakers_default_cx_open", |cluster| {
        u64::from(cluster.load.connections.load(Ordering::Relaxed) >= cluster.policy.pool.max_connections)
    }),
    ("envoy_cluster_circuit_breakers_default_rq_pending_open", |cluster| {
        u64::from(cluster.load.pending.load(Ordering::Relaxed) >= cluster.policy.pool.max_pending)
    }),
    ("envoy_cluster_circuit_breakers_default_rq_open", |cluster| {
        u64::from(cluster.load.requests.load(Ordering::Relaxed) >= cluster.policy.pool.max_requests)
    }),
];
