//! Sections of the report that stand for themselves: a picture, its key, and the table that goes with it.

mod resources;
mod searches;
mod sweep;
mod topology;

pub(super) use resources::resources;
pub(super) use searches::searches;
pub(super) use sweep::{lines_key, sweep};
pub(super) use topology::topology;

use crate::plot::Width;
use crate::plot::key::{Sample, sample};

/// A picture for wide and for narrow pages.
pub(super) struct Pair {
    pub(super) wide: String,
    pub(super) narrow: String,
}

impl Pair {
    pub(super) fn of(draw: impl Fn(Width) -> String) -> Self {
        Self { wide: draw(Width::Wide), narrow: draw(Width::Narrow) }
    }

    pub(super) fn drawn(draw: impl Fn(Width) -> Option<String>) -> Option<Self> {
        Some(Self { wide: draw(Width::Wide)?, narrow: draw(Width::Narrow)? })
    }
}

/// An entry of a key; with a series, it can be turned off.
pub(super) struct Key {
    pub(super) series: Option<&'static str>,
    pub(super) sample: String,
    pub(super) text: String,
}

/// Makes the entries of one key, with ids of their own.
pub(super) fn key(name: &str, entries: Vec<(Option<&'static str>, Sample, String)>) -> Vec<Key> {
    let entry = |(number, (series, shown, text)): (usize, (Option<&'static str>, Sample, String))| Key {
        series,
        sample: sample(&format!("key-{name}-{number}"), shown),
        text,
    };
    entries.into_iter().enumerate().map(entry).collect()
}
