//! `squall load-worker`: requests at exactly the instants that the plan says, each stamped five times.
//!
//! It knows nothing of scenarios, phases or limits: [`wire`] is all that passes between it and the harness.

pub mod wire;
