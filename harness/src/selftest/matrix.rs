//! Every kind with every event.

use super::event::{self, Event};
use super::kinds::Kind;
use super::{Cell, Say, abreast};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Plays all of them, some beside each other.
pub(super) fn play(root: &Path, kinds: &[Kind], say: Say<'_>) -> io::Result<Vec<Cell>> {
    let folder = root.join("matrix");
    std::fs::create_dir(&folder)?;
    let pairs: Vec<(Kind, Event)> =
        kinds.iter().flat_map(|kind| Event::ALL.into_iter().map(move |event| (*kind, event))).collect();
    let played = AtomicUsize::new(0);
    Ok(abreast(&pairs, |(kind, event)| {
        let outcome = event::play(&folder, *kind, *event);
        let number = played.fetch_add(1, Ordering::Relaxed) + 1;
        let held = if outcome.problems.is_empty() { "" } else { ": did not hold" };
        say(&format!("{number} of {}: {}, {}{held}", pairs.len(), kind.word, event.name()));
        Cell { kind: kind.word, event: event.name(), outcome }
    }))
}
