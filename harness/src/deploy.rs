//! Platforms: where a scenario is deployed.

pub mod mesh;
pub mod ready;
