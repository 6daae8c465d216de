//! What other programs and people read of a run, drawn from small records made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::assigning_clones,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "helpers of tests may panic, and all names here are ours"
)]

mod annotations;
mod card;
mod junit;
mod markdown;
mod nasty;
mod pages;
mod salvage;
mod sample;
mod summary;
