//! `--json`: one object a line and scenario on standard output, in the order of the files.

use super::Results;
use crate::run::events::RunEvent;
use squall_reports::json::Summary;
use std::io::Write;

/// One JSON line a scenario.
#[derive(Debug)]
pub(super) struct JsonLines;

impl Results for JsonLines {
    fn event(&mut self, event: &RunEvent, out: &mut dyn Write) -> std::io::Result<()> {
        let RunEvent::Judged { record, record_file, report_file, .. } = event else { return Ok(()) };
        // A summary is plain strings and numbers: it can always be written.
        let line = serde_json::to_string(&Summary::of(record, record_file, report_file)).unwrap_or_default();
        writeln!(out, "{line}")
    }
}
