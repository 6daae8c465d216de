//! Squall proves that a service mesh heals itself.
//!
//! This crate is the harness: it plans, deploys, breaks, loads, observes and judges. A module imports only from layers
//! below its own:
//!
//! | layer | modules |
//! |---|---|
//! | 5 | `cli`: arguments, help, exit codes |
//! | 4 | `output`: events to what a person or a CI sees; [`gameday`]: faults by hand |
//! | 3 | `run`: the timeline, and the wiring of everything below |
//! | 2 | `deploy`, `control`, [`load`], `observe`, `slo`, `guardian`, [`shim`], `service`, [`selftest`]: siblings that never import each other |
//! | 1 | `scenario`, [`topology`], [`fault`], [`shim::wire`], [`load::wire`], `journal`, `recover` |
//! | 0 | `units`, `seed`, `distribution`, [`clock`], `descriptor`, `preface`, `process` |

pub mod cli;
pub mod clock;
pub mod control;
pub mod deploy;
pub mod descriptor;
pub mod distribution;
pub mod fault;
pub mod gameday;
pub mod guardian;
pub mod journal;
pub mod load;
pub mod observe;
pub mod output;
pub mod preface;
pub mod process;
pub mod recover;
pub mod run;
pub mod scenario;
pub mod seed;
pub mod selftest;
pub mod service;
pub mod shim;
pub mod slo;
pub mod topology;
pub mod units;
