//! Sections of the report that stand for themselves: a picture, its key, and the table that goes with it.

mod resources;
mod sweep;
mod topology;

pub(super) use resources::resources;
pub(super) use sweep::sweep;
pub(super) use topology::topology;

use crate::plot::Width;
use crate::plot::key::{Sample, sample};

/// A picture for wide and for narrow pages.
struct Pair {
    wide: String,
    narrow: String,
}

impl Pair {
    fn of(draw: impl Fn(Width) -> String) -> Self {
        Self { wide: draw(Width::Wide), narrow: draw(Width::Narrow) }
    }

    fn drawn(draw: impl Fn(Width) -> Option<String>) -> Option<Self> {
        Some(Self { wide: draw(Width::Wide)?, narrow: draw(Width::Narrow)? })
    }
}

/// An entry of a key.
struct Key {
    sample: String,
    text: String,
}

/// Makes the entries of one key, with ids of their own.
fn key(name: &str, entries: Vec<(Sample, String)>) -> Vec<Key> {
    let entry = |(number, (shown, text)): (usize, (Sample, String))| Key {
        sample: sample(&format!("key-{name}-{number}"), shown),
        text,
    };
    entries.into_iter().enumerate().map(entry).collect()
}
