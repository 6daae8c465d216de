//! Counters.

use super::Flag;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What it has come to.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
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
pub(crate) struct ClusterStats {
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
    pub(crate) fn ended(&self, status: u16, flag: Flag, duration: Duration) {
        let own = STATUSES.iter().position(|known| *known == status);
        let column = own.unwrap_or_else(|| STATUSES.len() + usize::from(status / 100).clamp(1, CLASSES) - 1);
        self.requests[flag as usize * COLUMNS + column].add(1);
        let millis = duration.as_secs_f64() * 1e3;
        let bucket = BUCKETS.iter().position(|bound| millis <= *bound).unwrap_or(BUCKETS.len());
        self.durations[bucket].add(1);
        self.duration_sum_micros.add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Requests that have ended, by flag and status; those of statuses without a counter of their own as `4xx`.
    pub(crate) fn by_status(&self) -> impl Iterator<Item = (Flag, String, u64)> {
        let code = |column: usize| match STATUSES.get(column) {
            Some(status) => status.to_string(),
            None => format!("{}xx", column - STATUSES.len() + 1),
        };
        let all =
            Flag::ALL.iter().enumerate().flat_map(|(row, flag)| (0..COLUMNS).map(move |column| (row, *flag, column)));
        all.filter_map(move |(row, flag, column)| {
            let count = self.requests[row * COLUMNS + column].get();
            (count > 0).then(|| (flag, code(column), count))
        })
    }

    /// Upper bound in milliseconds, and how many requests took no longer; the last without a bound.
    pub(crate) fn durations(&self) -> impl Iterator<Item = (Option<f64>, u64)> {
        let mut sum = 0;
        let bounds = BUCKETS.iter().copied().map(Some).chain([None]);
        self.durations.iter().zip(bounds).map(move |(count, bound)| {
            sum += count.get();
            (bound, sum)
        })
    }

    /// Milliseconds of all requests together.
    pub(crate) fn duration_sum_millis(&self) -> f64 {
        self.duration_sum_micros.get() as f64 / 1e3
    }
}
