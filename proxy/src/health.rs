//! What is known of an endpoint's health, and the decisions on it: pure state machines, no task and no socket.

pub(crate) mod active;
pub(crate) mod budget;
pub(crate) mod merge;
pub(crate) mod outlier;

/// What balancing makes of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Health {
    /// It may be used.
    #[default]
    Healthy,
    /// It gets what healthy ones cannot take.
    Degraded,
    /// It counts, and gets nothing outside of panic.
    Unhealthy,
    /// It does not even count.
    Excluded,
}
