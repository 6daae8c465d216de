//! `squall recover`.

use super::{Exit, complain, tell};

/// Undoes what earlier runs left, and says what it did.
pub(super) fn main() -> Exit {
    let mut recovered = match crate::recover::run() {
        Ok(recovered) => recovered,
        Err(error) => {
            complain(&error);
            return Exit::Error;
        }
    };
    if let Err(error) = crate::gameday::registry::sweep() {
        complain(&error);
        return Exit::Error;
    }
    // What is left to be done by hand comes last.
    recovered.sort_by_key(|run| !run.is_clean());
    let lines: Vec<String> = recovered.iter().map(ToString::to_string).collect();
    let told = tell(&if lines.is_empty() { "nothing to recover".to_owned() } else { lines.join("\n") });
    if recovered.iter().all(crate::recover::Recovered::is_clean) { told } else { Exit::Error }
}
