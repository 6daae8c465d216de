//! One fault by itself, in front of a service that runs already.

use super::{Fault, Placed, Service};
use crate::units::TimeSpan;
use serde::Deserialize;

/// What breaks, in front of whom, and how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ByHand {
    /// The service.
    pub service: Service,
    /// Who may be broken besides this machine's loopback.
    #[serde(default)]
    pub allow: Vec<Placed<String>>,
    /// What breaks.
    pub fault: Placed<Fault>,
    /// How long; until it is told to end where it is not said.
    pub r#for: Option<Placed<TimeSpan>>,
}
