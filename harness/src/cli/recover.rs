//! `squall recover`.

use super::{Exit, complain, tell};

/// Undoes what earlier runs left, and says what it did.
pub(super) fn main() -> Exit {
    let recovered = match crate::recover::run() {
        Ok(recovered) => recovered,
        Err(error) => {
            complain(&error);
            return Exit::Error;
        }
    };
    if recovered.is_empty() {
        tell(&"nothing to recover");
    }
    for run in &recovered {
        tell(run);
    }
    if recovered.iter().all(|run| run.left.is_empty()) { Exit::Success } else { Exit::Error }
}
