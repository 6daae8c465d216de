//! The files of a run. Pure functions of records: the same record gives the same bytes.

use crate::plot::{self, Width};
use crate::record::{Arm, ArmKind, Record};
use crate::{hlog, html, junit, markdown};
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
}

/// Files about a whole run.
#[derive(Debug, Clone)]
pub struct RunFiles {
    /// The overview page.
    pub html: PathBuf,
    /// `JUnit`.
    pub junit: PathBuf,
    /// Markdown.
    pub markdown: PathBuf,
}

/// How a picture of an arm is drawn.
type Draw = fn(&Arm, Width) -> String;

/// Writes the report of one scenario, and its plots.
pub fn write_scenario(record: &Record, folder: &Path) -> Result<(), Error> {
    write(&folder.join("report.html"), html::report(record)?.as_bytes())?;
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).map_err(|source| Error::File { path: plots.clone(), source })?;
    for arm in record.arms.iter().filter(|arm| !arm.superseded) {
        let prefix = match (arm.kind, &arm.cell) {
            (ArmKind::Main, _) => String::new(),
            (ArmKind::Control, _) => "control-".to_owned(),
            (ArmKind::Cell, Some(cell)) => format!("{}-{}-{}-", cell.mode, cell.rate, cell.connections),
            (ArmKind::Cell, None) => continue,
        };
        let hlog = folder.join(format!("{prefix}latency.hlog"));
        let text = hlog::write(arm).map_err(|source| Error::File { path: hlog.clone(), source })?;
        write(&hlog, &text)?;
        if arm.kind == ArmKind::Cell {
            // Cells are drawn together.
            continue;
        }
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
    Ok(())
}

/// Writes the overview of a run of many scenarios.
pub fn write_run(records: &[(Record, PathBuf)], folder: &Path) -> Result<RunFiles, Error> {
    let files = RunFiles {
        html: folder.join("index.html"),
        junit: folder.join("junit.xml"),
        markdown: folder.join("summary.md"),
    };
    write(&files.html, html::index(records, folder)?.as_bytes())?;
    write(&files.junit, junit::report(records.iter().map(|(record, _)| record))?.as_bytes())?;
    write(&files.markdown, markdown::summary(records.iter().map(|(record, _)| record)).as_bytes())?;
    Ok(files)
}

/// A picture as SVG, which follows the scheme of whoever looks at it, and as PNG.
fn picture(path: &Path, svg: &str) -> Result<(), Error> {
    write(&path.with_extension("svg"), plot::standalone(svg).as_bytes())?;
    write(&path.with_extension("png"), &plot::png(svg)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}
