//! One run of one scenario, of which nothing but the record is kept.

use crate::cli::Exit;
use crate::run::{self, Options, events::RunEvent};
use crate::scenario::resolved::Scenario;
use squall_reports::record::Record;
use std::sync::{Arc, Mutex, PoisonError};

/// Runs it to its verdict, as it is written: no control, no second try. Whatever else happens is told as it happens.
pub(in crate::cli) fn once(
    scenario: Scenario,
    seed: Option<u64>,
    tell: impl Fn(RunEvent) + Send + Sync + 'static,
) -> Result<(Record, Exit), String> {
    let folder = tempfile::Builder::new().prefix("squall-once-").tempdir().map_err(|error| error.to_string())?;
    let options = Options {
        out: folder.path().to_owned(),
        seed,
        jobs: Some(1),
        quick: false,
        control: false,
        rerun: false,
        repeat: 1,
        keep: false,
        resume: None,
        set: Vec::new(),
        reports: false,
        junit: None,
        html: None,
    };
    let judged: Arc<Mutex<Option<Record>>> = Arc::default();
    let kept = Arc::clone(&judged);
    let say: run::Say = Arc::new(move |event| match event {
        RunEvent::Judged { record, .. } => {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(*record);
        }
        event => tell(event),
    });
    let summary = run::run(&[scenario], &options, &say).map_err(|error| error.to_string())?;
    let record = judged.lock().unwrap_or_else(PoisonError::into_inner).take();
    let record = record.ok_or("the run came to no verdict")?;
    Ok((record, Exit::of(summary.worst, !summary.dirty.is_empty())))
}
