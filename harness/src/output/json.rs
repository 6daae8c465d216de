//! `--json`: one object a line and scenario on standard output, in the order of the files.

use super::{InOrder, Output};
use crate::run::events::RunEvent;
use std::io::Write;

/// One JSON line a scenario.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    order: InOrder<String>,
}

impl Output for JsonLines {
    fn event(&mut self, event: &RunEvent) {
        let lines = match event {
            RunEvent::Judged { scenario, record, record_file, report_file } => {
                let summary = squall_reports::json::Summary::of(record, record_file, report_file);
                // A summary is plain strings and numbers: it can always be written.
                self.order.push(*scenario, serde_json::to_string(&summary).unwrap_or_default())
            }
            RunEvent::Ends { .. } => self.order.rest(),
            _ => Vec::new(),
        };
        let mut out = std::io::stdout().lock();
        // A closed pipe ends quietly: the reader has seen enough.
        lines.iter().for_each(|line| drop(writeln!(out, "{line}")));
    }
}
