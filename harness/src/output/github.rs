//! What GitHub reads of a run: annotations in its log, the step's summary, the step's outputs.

use super::{Format, Results};
use crate::run::events::RunEvent;
use squall_reports::artifacts::Recorded;
use squall_reports::digest::Digest;
use squall_reports::{annotations, escape, markdown};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where GitHub wants things, by the variables that it sets.
#[derive(Debug, Default)]
pub(super) struct GitHub {
    format: Format,
    annotate: bool,
    summary: Option<PathBuf>,
    outputs: Option<PathBuf>,
    /// The page on which the artifacts of this run are found.
    page: Option<String>,
    workspace: Option<PathBuf>,
    folder: Option<PathBuf>,
    records: Vec<Recorded>,
}

impl GitHub {
    /// Absent where no variable asks for anything.
    pub(super) fn asked_for(format: Format) -> Option<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let page = || {
            Some(format!(
                "{}/{}/actions/runs/{}",
                set("GITHUB_SERVER_URL")?,
                set("GITHUB_REPOSITORY")?,
                set("GITHUB_RUN_ID")?
            ))
        };
        let asked = Self {
            format,
            annotate: set("GITHUB_ACTIONS").is_some_and(|value| value != "false"),
            summary: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            outputs: set("GITHUB_OUTPUT").map(PathBuf::from),
            page: page(),
            workspace: set("GITHUB_WORKSPACE").map(PathBuf::from),
            ..Self::default()
        };
        (asked.annotate || asked.summary.is_some() || asked.outputs.is_some()).then_some(asked)
    }

    /// On standard output only where people read it; a program that reads JSON there would choke.
    fn annotate(&self, out: &mut dyn Write) {
        let digests: Vec<Digest> = self.records.iter().map(|(record, _)| Digest::of(record)).collect();
        let mut text = annotations::github(&digests, &|file| in_repository(file, self.workspace.as_deref())).join("\n");
        text.extend((!text.is_empty()).then_some('\n'));
        // A log that cannot be written is no reason to lose the verdict.
        let _ = match self.format {
            Format::Human => out.write_all(text.as_bytes()),
            Format::Jsonl => io::stderr().lock().write_all(text.as_bytes()),
        };
    }

    fn summarise(&self, file: &Path) -> io::Result<()> {
        let root = std::env::current_dir().unwrap_or_default();
        let mut text = markdown::summary(&self.records, &root);
        if let Some(page) = &self.page {
            text.extend(["\nAll pages and records: [artifacts of this run](", page, "#artifacts).\n"]);
        }
        append(file, &text)
    }

    fn tell(&self, file: &Path, worst: &str, index: &Path) -> io::Result<()> {
        let one_line = |text: String| escape::visible(&text);
        let report = one_line(index.display().to_string());
        let record = self.folder.as_deref().or(index.parent()).unwrap_or(index);
        append(file, &format!("verdict={worst}\nreport={report}\nrecord={}\n", one_line(record.display().to_string())))
    }
}

/// A file as the repository in `workspace` knows it; without one, as it was given.
pub fn in_repository(file: &str, workspace: Option<&Path>) -> String {
    let Ok(whole) = std::path::absolute(file) else { return file.to_owned() };
    let inside = workspace.and_then(|workspace| whole.strip_prefix(workspace).ok());
    inside.map_or_else(|| file.trim_start_matches("./").to_owned(), |inside| inside.display().to_string())
}

/// Others write there too: nothing is ever cut off.
fn append(file: &Path, text: &str) -> io::Result<()> {
    File::options().create(true).append(true).open(file)?.write_all(text.as_bytes())
}

impl Results for GitHub {
    fn event(&mut self, event: &RunEvent, out: &mut dyn Write) -> io::Result<()> {
        match event {
            RunEvent::Begins { folder, .. } => self.folder = Some(folder.clone()),
            RunEvent::Judged { record, record_file, .. } => {
                let folder = record_file.parent().unwrap_or(record_file);
                self.records.push(((**record).clone(), folder.to_owned()));
            }
            RunEvent::Ends { worst, index_file, .. } => {
                if self.annotate {
                    self.annotate(out);
                }
                let summary = self.summary.iter().map(|file| (file, self.summarise(file)));
                let outputs = self.outputs.iter().map(|file| (file, self.tell(file, &worst.to_string(), index_file)));
                for (file, written) in summary.chain(outputs) {
                    if let Err(error) = written {
                        anstream::eprintln!("{}: {error}", file.display());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
