//! The files of a run. Pure functions of records: the same record gives the same bytes.

use crate::plot::{self, Width};
use crate::record::{Arm, ArmKind, Record};
use crate::summary::RunSummary;
use crate::{card, hlog, html, index, junit, markdown};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A page could not be filled in.
    #[error("a page could not be filled in: {0}")]
    Page(#[from] askama::Error),
    /// A picture could not be drawn.
    #[error(transparent)]
    Plot(#[from] plot::Error),
    /// The test report could not be written.
    #[error(transparent)]
    Junit(#[from] quick_junit::SerializeError),
    /// The summary could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// A record, and the folder that its files lie in.
pub type Recorded = (Record, PathBuf);

/// Files about a whole run.
#[derive(Debug, Clone)]
pub struct RunFiles {
    /// The overview page.
    pub html: PathBuf,
    /// `JUnit`.
    pub junit: PathBuf,
    /// Markdown.
    pub markdown: PathBuf,
    /// The compact summary.
    pub json: PathBuf,
}

/// How a picture of an arm is drawn.
type Draw = fn(&Arm, Width) -> String;

/// Writes the report of one scenario, its pictures and its latencies.
pub fn write_scenario(record: &Record, folder: &Path) -> Result<(), Error> {
    write(&folder.join("report.html"), html::report(record)?.as_bytes())?;
    for (arm, prefix) in named(record) {
        let file = folder.join(format!("{prefix}latency.hlog"));
        let text = hlog::write(arm).map_err(|bad| Error::File { path: file.clone(), source: io::Error::other(bad) })?;
        write(&file, text.as_bytes())?;
    }
    write_pictures(record, folder)
}

/// Writes the pictures of one scenario: `summary.png` for those who see nothing else, and each plot by itself.
pub fn write_pictures(record: &Record, folder: &Path) -> Result<(), Error> {
    write(&folder.join("summary.png"), &card::png(record)?)?;
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).map_err(|source| Error::File { path: plots.clone(), source })?;
    // Cells are drawn together.
    for (arm, prefix) in named(record).filter(|(arm, _)| arm.kind != ArmKind::Cell) {
        let drawn: [(&str, Draw); 3] =
            [("healing", plot::healing), ("outcomes", plot::outcomes), ("latency", plot::latency)];
        for (name, draw) in drawn {
            picture(&plots.join(format!("{prefix}{name}")), &draw(arm, Width::Wide))?;
        }
        if let Some(svg) = plot::phases(arm, None, Width::Wide) {
            picture(&plots.join(format!("{prefix}phases")), &svg)?;
        }
        for (name, svg) in
            [("topology", plot::topology(arm, Width::Wide)), ("resources", plot::resources(arm, Width::Wide))]
        {
            if let Some(svg) = svg {
                picture(&plots.join(format!("{prefix}{name}")), &svg)?;
            }
        }
    }
    if let Some(sweep) = plot::Sweep::of(record) {
        picture(&plots.join("sweep"), &plot::sweep::lines(&sweep, Width::Wide))?;
        picture(&plots.join("heat"), &plot::sweep::heat(&sweep, Width::Wide))?;
    }
    if let Some(highest) = plot::highest(&record.searches, Width::Wide) {
        picture(&plots.join("highest"), &highest)?;
    }
    Ok(())
}

/// The arms that count, with what their files begin with.
fn named(record: &Record) -> impl Iterator<Item = (&Arm, String)> {
    record.arms.iter().filter(|arm| !arm.superseded).filter_map(|arm| {
        let prefix = match (arm.kind, &arm.cell) {
            (ArmKind::Main, _) => String::new(),
            (ArmKind::Control, _) => "control-".to_owned(),
            (ArmKind::Cell, cell) => cell.as_ref().map(|cell| format!("{}-", cell.file_name()))?,
        };
        Some((arm, prefix))
    })
}

/// Writes the overview of a run of many scenarios. What other programs read names files relative to `root`, the folder that
/// they are started in.
pub fn write_run(records: &[Recorded], folder: &Path, root: &Path) -> Result<RunFiles, Error> {
    let files = RunFiles {
        html: folder.join("index.html"),
        junit: folder.join("junit.xml"),
        markdown: folder.join("summary.md"),
        json: folder.join("summary.json"),
    };
    write(&files.html, index::page(records, folder)?.as_bytes())?;
    write(&files.junit, junit::report(records, root)?.as_bytes())?;
    write(&files.markdown, markdown::summary(records, root).as_bytes())?;
    write(&files.json, RunSummary::of(records, folder).json()?.as_bytes())?;
    Ok(files)
}

/// A path as others are told it: relative to `root` where it lies in it.
pub(crate) fn shown(path: &Path, root: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

/// A path as it is reached from a folder; as it is, if only one of them is whole.
pub fn relative(path: &Path, from: &Path) -> String {
    if path.is_absolute() != from.is_absolute() {
        return path.display().to_string();
    }
    let (path, from): (Vec<_>, Vec<_>) = (path.components().collect(), from.components().collect());
    let common = path.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".into(), from.len() - common);
    let down = path[common..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<String>>().join("/")
}

/// The picture that shows the most of a record, beside its report.
pub(crate) fn plot_of(record: &Record) -> Option<&'static str> {
    let mut arms = record.arms.iter().filter(|arm| !arm.superseded);
    let first = arms.next()?;
    Some(match first.kind {
        ArmKind::Cell if !record.searches.is_empty() => "plots/highest.png",
        ArmKind::Cell => "plots/sweep.png",
        ArmKind::Main | ArmKind::Control => "plots/healing.png",
    })
}

/// A picture as SVG, which follows the scheme of whoever looks at it, and as PNG.
fn picture(path: &Path, svg: &str) -> Result<(), Error> {
    write(&path.with_extension("svg"), plot::standalone(svg).as_bytes())?;
    write(&path.with_extension("png"), &plot::png(svg)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_up_and_down() {
        for (path, from, expected) in [
            ("/out/run/a/report.html", "/out", "run/a/report.html"),
            ("/out/run/a/report.html", "/pages/nightly", "../../out/run/a/report.html"),
            ("/out/report.html", "/out", "report.html"),
            ("out/a", "out", "a"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(from)), expected);
        }
    }
}
