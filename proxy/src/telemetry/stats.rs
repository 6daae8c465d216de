//! Counters, and their Prometheus text.

use crate::cluster::Cluster;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What it has come to.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why an answer is what it is, in Envoy's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The upstream's own answer.
    None,
    /// No route.
    NoRoute,
    /// No such cluster.
    NoCluster,
    /// No endpoint may be used.
    NoHealthyUpstream,
    /// A breaker is open.
    Overflow,
    /// No connection could be made.
    ConnectFailure,
    /// The connection was closed before the answer.
    Closed,
    /// No answer in time.
    Timeout,
    /// The upstream does not speak HTTP.
    ProtocolError,
    /// The client does not speak HTTP.
    DownstreamProtocolError,
    /// The client went away.
    DownstreamClosed,
    /// A fault of the policy.
    FaultInjected,
}

impl Flag {
    const ALL: [Self; 12] = [
        Self::None,
        Self::NoRoute,
        Self::NoCluster,
        Self::NoHealthyUpstream,
        Self::Overflow,
        Self::ConnectFailure,
        Self::Closed,
        Self::Timeout,
        Self::ProtocolError,
        Self::DownstreamProtocolError,
        Self::DownstreamClosed,
        Self::FaultInjected,
    ];

    /// Envoy's letters; `-` for none.
    pub fn letters(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::NoRoute => "NR",
            Self::NoCluster => "NC",
            Self::NoHealthyUpstream => "UH",
            Self::Overflow => "UO",
            Self::ConnectFailure => "UF",
            Self::Closed => "UC",
            Self::Timeout => "UT",
            Self::ProtocolError => "UPE",
            Self::DownstreamProtocolError => "DPE",
            Self::DownstreamClosed => "DC",
            Self::FaultInjected => "FI",
        }
    }
}

/// Statuses with a counter of their own; all others of a class share one.
const STATUSES: [u16; 24] = [
    0, 200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 408, 409, 413, 429, 431, 500, 501, 502, 503, 504,
    507,
];
/// Shared counters: 1xx to 5xx.
const CLASSES: usize = 5;
const COLUMNS: usize = STATUSES.len() + CLASSES;

/// Upper bounds of the duration histogram, milliseconds: Envoy's.
const BUCKETS: [f64; 19] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6];

/// Everything that is counted of one cluster.
#[derive(Debug)]
pub struct ClusterStats {
    requests: Vec<Counter>,
    durations: [Counter; BUCKETS.len() + 1],
    duration_sum_micros: Counter,
    /// Tries, the first of each request included.
    pub tries: Counter,
    /// Retries made.
    pub retries: Counter,
    /// Retries not made since the limit of the policy was reached.
    pub retries_exhausted: Counter,
    /// Retries not made since a breaker was open.
    pub retry_overflow: Counter,
    /// Requests answered well after a retry.
    pub retry_success: Counter,
    /// Requests refused by a breaker.
    pub overflow: Counter,
    /// Connections not opened since their limit was reached.
    pub connections_overflow: Counter,
    /// Connections opened.
    pub connections_opened: Counter,
    /// Connections that could not be opened.
    pub connect_failures: Counter,
    /// Picks among all endpoints since too few were healthy.
    pub panicked: Counter,
    /// Endpoints taken out.
    pub ejections: Counter,
    /// Endpoints that would have been, were not too many out.
    pub ejections_overflow: Counter,
}

impl Default for ClusterStats {
    fn default() -> Self {
        Self {
            requests: (0..Flag::ALL.len() * COLUMNS).map(|_| Counter::default()).collect(),
            durations: Default::default(),
            duration_sum_micros: Counter::default(),
            tries: Counter::default(),
            retries: Counter::default(),
            retries_exhausted: Counter::default(),
            retry_overflow: Counter::default(),
            retry_success: Counter::default(),
            overflow: Counter::default(),
            connections_overflow: Counter::default(),
            connections_opened: Counter::default(),
            connect_failures: Counter::default(),
            panicked: Counter::default(),
            ejections: Counter::default(),
            ejections_overflow: Counter::default(),
        }
    }
}

impl ClusterStats {
    /// A client's request has ended; status 0: the client went away.
    pub fn ended(&self, status: u16, flag: Flag, duration: Duration) {
        let own = STATUSES.iter().position(|known| *known == status);
        let column = own.unwrap_or_else(|| STATUSES.len() + usize::from(status / 100).clamp(1, CLASSES) - 1);
        self.requests[flag as usize * COLUMNS + column].add(1);
        let millis = duration.as_secs_f64() * 1e3;
        let bucket = BUCKETS.iter().position(|bound| millis <= *bound).unwrap_or(BUCKETS.len());
        self.durations[bucket].add(1);
        self.duration_sum_micros.add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }
}

/// All metrics in Prometheus' text format, under Istio's and Envoy's names.
pub fn prometheus(clusters: &[&Cluster]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_prometheus(&mut text, clusters);
    text
}

fn write_prometheus(text: &mut String, clusters: &[&Cluster]) -> fmt::Result {
    writeln!(text, "# TYPE istio_requests_total counter")?;
    for cluster in clusters {
        for (row, flag) in Flag::ALL.iter().enumerate() {
            for column in 0..COLUMNS {
                let count = cluster.stats.requests[row * COLUMNS + column].get();
                if count > 0 {
                    let code = match STATUSES.get(column) {
                        Some(status) => status.to_string(),
                        None => format!("{}xx", column - STATUSES.len() + 1),
                    };
                    writeln!(
                        text,
                        "istio_requests_total{{{},response_code=\"{code}\",response_flags=\"{}\"}} {count}",
                        labels(cluster),
                        flag.letters()
                    )?;
                }
            }
        }
    }
    writeln!(text, "# TYPE istio_request_duration_milliseconds histogram")?;
    for cluster in clusters {
        let labels = labels(cluster);
        let mut sum = 0;
        for (count, bound) in cluster.stats.durations.iter().zip(BUCKETS.iter().map(Some).chain([None])) {
            sum += count.get();
            let bound = bound.map_or("+Inf".to_owned(), ToString::to_string);
            writeln!(text, "istio_request_duration_milliseconds_bucket{{{labels},le=\"{bound}\"}} {sum}")?;
        }
        let total = cluster.stats.duration_sum_micros.get() as f64 / 1e3;
        writeln!(text, "istio_request_duration_milliseconds_sum{{{labels}}} {total}")?;
        writeln!(text, "istio_request_duration_milliseconds_count{{{labels}}} {sum}")?;
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
