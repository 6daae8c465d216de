//! The run record, and everything that is drawn from it.
//!
//! A run writes one [`record::Record`] a scenario; nothing else passes from a run to a report. From it alone come the
//! HTML page, the plots, `JUnit` and Markdown, at any later time and on any other machine.
//!
//! - [`record`]: what was asked, what happened, how it was judged. Versioned; start reading here.
//! - [`stats`]: percentiles, their intervals, tests of difference; each names its definition and source.
//! - [`compare`]: two things measured in blocks beside each other. [`load`]: a load without a scenario, as one object.
//! - [`spread`]: repetitions of a scenario beside each other.
//! - [`plot`]: series to SVG, and SVG to PNG.
//! - [`digest`]: the few figures of a scenario that every overview tells.
//! - [`history`]: figures of many runs, kept in `SQLite`, and from when on one is another.
//! - [`html`], [`index`], [`trend`], [`card`], [`junit`], [`markdown`], [`annotations`], [`summary`], [`hlog`]: one output each.
//! - [`redact`], [`escape`]: what must not leave, and what must not be taken for markup.
//!
//! This crate knows nothing of proxies, processes or scenario files.

pub mod annotations;
pub mod artifacts;
pub mod card;
pub mod compare;
pub mod digest;
pub mod escape;
mod glyph;
pub mod history;
pub mod hlog;
pub mod html;
pub mod index;
pub mod json;
pub mod junit;
pub mod load;
pub mod markdown;
pub mod plot;
pub mod record;
pub mod redact;
pub mod spread;
pub mod stats;
pub mod summary;
pub mod trend;
pub mod words;
