//! What an instance is told. Passed as JSON on its command line.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Everything about one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Port on 127.0.0.1; 0 lets the kernel choose.
    pub port: u16,
    /// `cart/1`: told in every answer.
    pub name: String,
    /// How it answers.
    pub responds: Responds,
    /// Where it counts; none: it does not.
    pub ledger: Option<PathBuf>,
    /// Path at which it answers 200 to probes, whatever else it does.
    pub health: String,
    /// Seed of everything it draws.
    pub seed: u64,
}

/// How an instance answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Responds {
    /// Time until the answer.
    pub latency: Latency,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// Answers that are 500, in percent: exactly so many of each hundred.
    pub errors_percent: f64,
    /// Processor time burnt by each request.
    pub cpu: Duration,
    /// Requests served at once; others wait in order.
    pub limit: Option<u32>,
}

/// A distribution of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal through its median and 99th percentile.
    Lognormal {
        /// Median.
        p50: Duration,
        /// 99th percentile.
        p99: Duration,
    },
    /// Even between two.
    Uniform {
        /// Least.
        min: Duration,
        /// Most.
        max: Duration,
    },
}

impl Default for Responds {
    /// An answer at once, of 1,000 bytes.
    fn default() -> Self {
        Self {
            latency: Latency::Fixed(Duration::ZERO),
            body_bytes: 1000,
            errors_percent: 0.0,
            cpu: Duration::ZERO,
            limit: None,
        }
    }
}
