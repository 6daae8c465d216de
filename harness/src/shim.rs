//! `squall shim`: the relays between the proxy and each instance, which count every attempt and inject faults.
//!
//! It knows nothing of scenarios: [`wire`] is all that passes between it and the harness.

pub mod wire;
