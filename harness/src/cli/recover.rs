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
    let lines: Vec<String> = recovered.iter().map(ToString::to_string).collect();
    let told = tell(&if lines.is_empty() { "nothing to recover".to_owned() } else { lines.join("\n") });
    if recovered.iter().all(|run| run.left.is_empty()) { told } else { Exit::Error }
}
