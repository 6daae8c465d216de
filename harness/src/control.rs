//! Controllers of a deployment: what supervises processes, and what shifts a release. Decisions are pure.

pub mod rollout;
pub mod supervisor;
