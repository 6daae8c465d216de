//! Faults: what can be broken, how it is aimed, and the injectors that break and mend it.
//!
//! [`spec`] is the plain data that the scenario resolves to and that the relay obeys; [`kind`] lists what it can do, [`pick`] draws whom it hits.

pub mod codes;
pub mod delay;
pub mod kind;
pub mod pick;
pub mod spec;
