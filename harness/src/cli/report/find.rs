//! Records, wherever they lie: a file, the folder of a scenario, of a run, or of many runs.

use squall_reports::record::{self, ReadError, Record, fold};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A record that was read.
#[derive(Debug)]
pub(in crate::cli) struct Found {
    /// What it says.
    pub(in crate::cli) record: Record,
    /// The file or folder that was read, as it was found.
    pub(in crate::cli) path: PathBuf,
    /// The folder that its files lie in, as a whole path.
    pub(in crate::cli) folder: PathBuf,
    /// The folder of its run, if that was named.
    pub(super) run: Option<PathBuf>,
}

/// What is wrong with one of the paths.
#[derive(Debug)]
pub(in crate::cli) struct Problem {
    path: PathBuf,
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.text)
    }
}

/// Where a record may be.
struct Place {
    path: PathBuf,
    run: Option<PathBuf>,
}

/// Reads all records of these paths, one after the other, since many may be large; comes back with what could not be read. The
/// records of a cut run, and those that are damaged, are read as far as they go.
pub(in crate::cli) fn each(paths: &[PathBuf], of_many_runs: bool, mut take: impl FnMut(Found)) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let places = if of_many_runs { runs_in(path) } else { places(path) };
        if places.is_empty() {
            problems.push(nothing_in(path));
        }
        for place in places {
            if !seen.insert(place.path.canonicalize().unwrap_or_else(|_| place.path.clone())) {
                continue;
            }
            match read(&place.path) {
                Ok(record) => take(Found { record, folder: folder_of(&place.path), path: place.path, run: place.run }),
                Err(text) => problems.push(Problem { path: place.path, text }),
            }
        }
    }
    problems
}

fn nothing_in(path: &Path) -> Problem {
    let text = if path.exists() {
        format!("there is no record here; this makes one: squall run scenarios/ --out {}", path.display())
    } else {
        "there is no such file or folder".to_owned()
    };
    Problem { path: path.to_owned(), text }
}

/// A record itself, or those in the folder of a run.
fn places(path: &Path) -> Vec<Place> {
    if path.is_file() || is_record_folder(path) {
        return vec![Place { path: path.to_owned(), run: None }];
    }
    let run = std::path::absolute(path).ok();
    inside(path)
        .into_iter()
        .filter(|path| is_record_folder(path))
        .map(|path| Place { path, run: run.clone() })
        .collect()
}

/// The records of all runs in a folder; `latest` leads to one that stands beside it.
fn runs_in(path: &Path) -> Vec<Place> {
    let runs = inside(path).into_iter().filter(|run| !run.is_symlink());
    let of_runs: Vec<Place> = runs.flat_map(|run| places(&run)).filter(|place| place.path.is_dir()).collect();
    // The folder of one run is the least of many.
    if of_runs.is_empty() || is_run_folder(path) { places(path) } else { of_runs }
}

fn is_run_folder(path: &Path) -> bool {
    inside(path).iter().any(|path| is_record_folder(path))
}

fn inside(path: &Path) -> Vec<PathBuf> {
    let mut inside: Vec<PathBuf> =
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside
}

fn is_record_folder(path: &Path) -> bool {
    path.join("record.json").is_file() || path.join("record.jsonl").is_file()
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    std::path::absolute(folder.join("")).unwrap_or_else(|_| folder.to_owned()).components().collect()
}

/// A run that was cut has lines only, and a damaged record has lines beside it: they are folded into what can be known.
pub(in crate::cli) fn read(path: &Path) -> Result<Record, String> {
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        return fold::fold_file(path).map_err(|error| error.to_string());
    }
    let (file, lines) = if path.is_dir() {
        (path.join("record.json"), path.join("record.jsonl"))
    } else {
        (path.to_owned(), path.with_extension("jsonl"))
    };
    if !file.is_file() && lines.is_file() {
        return fold::fold_file(&lines).map_err(|error| error.to_string());
    }
    if !file.is_file() {
        return Err(match places(path).len() {
            0 => nothing_in(path).text,
            several => format!(
                "this is the folder of a run of {several} scenarios; name one of those in it: {}",
                inside(path)
                    .iter()
                    .filter(|one| is_record_folder(one))
                    .filter_map(|one| one.file_name())
                    .map(|name| name.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        });
    }
    match record::read_file(&file) {
        Err(ReadError::Damaged(damage)) => {
            let salvaged = record::salvage_file(&file).or_else(|| fold::fold_file(&lines).ok());
            if let Some(record) = &salvaged {
                let missing = record.reasons.first().map_or("", |reason| reason.text.as_str());
                anstream::eprintln!("\x1b[1;33mwarning\x1b[0m: {}: {damage}; {missing}", file.display());
            }
            salvaged.ok_or_else(|| ReadError::Damaged(damage).to_string())
        }
        other => other.map_err(|error| error.to_string()),
    }
}
