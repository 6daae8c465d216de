//! Squall's data plane, and the policy model that it obeys.
//!
//! - [`policy`]: plain data, resolved; what a request is decided by.

pub mod policy;
