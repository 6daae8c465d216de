//! Squall's data plane, and the policy model that it obeys.
//!
//! - [`policy`]: plain data, resolved; what a request is decided by.

mod clock;
pub mod health;
pub mod policy;
