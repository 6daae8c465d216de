//! Controllers of a deployment: what supervises processes, what shifts a release, what commands the relays, when a run is cut short. Decisions are pure.

pub mod alarms;
pub mod relays;
pub mod rollout;
pub mod supervisor;
