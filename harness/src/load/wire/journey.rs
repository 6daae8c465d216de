//! Journeys: what one user does, a request after another.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What each arrival of a flow goes through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Journey {
    /// One after another, each when the one before has been answered; a step that fails is the last.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Index of the flow that it asks in, whose pace is [`super::Pace::Steps`].
    pub flow: usize,
    /// How long the user thinks before it.
    pub think: Think,
    /// What later steps need of its answer.
    pub captures: Vec<Capture>,
}

/// How long a user thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Think {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal through these two.
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

impl Think {
    /// The longest that is drawn: one in a million is cut.
    pub fn longest(&self) -> Duration {
        match *self {
            Self::Fixed(span) => span,
            Self::Lognormal { p50, p99 } => p99.mul_f64((p99.as_secs_f64() / p50.as_secs_f64().max(1e-9)).max(1.0)),
            Self::Uniform { max, .. } => max,
        }
    }
}

/// A value of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Capture {
    /// As `${name}` it stands in what later steps ask.
    pub name: String,
    /// Where it is found.
    pub from: Source,
}

/// Where a value is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// At a place of a JSON body: a pointer of RFC 6901, such as `/items/0/id`.
    Json(String),
    /// In a field.
    Header(String),
    /// In the body: the first group of a regular expression, or all that it matches.
    Regex(String),
}
