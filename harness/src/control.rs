//! Controllers of a deployment: what supervises processes, what shifts a release, what commands the relays. Decisions are pure.

pub mod relays;
pub mod rollout;
pub mod supervisor;
