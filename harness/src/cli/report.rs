//! `squall report`.

use super::{Exit, complain};
use squall_reports::record::{self, Record};
use std::path::{Path, PathBuf};

/// Arguments of `squall report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall report squall-out/latest\n  squall report squall-out/latest --json")]
pub(super) struct Args {
    /// A record, or the folder of a scenario or of a whole run
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// Print totals by phase as JSON, one object a line and record, and write nothing
    #[arg(long)]
    json: bool,

    /// Folder for the report; beside the record by default
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Draws again, or prints totals.
pub(super) fn main(args: &Args) -> Exit {
    let mut exit = Exit::Success;
    for path in args.records.iter().flat_map(|path| expand(path)) {
        let drawn = read(&path).and_then(|record| if args.json { print(&record) } else { draw(&record, &path, args) });
        if let Err(error) = drawn {
            complain(&format_args!("{}: {error}", path.display()));
            exit = Exit::Error;
        }
    }
    exit
}

/// The folder of a whole run stands for the records in it.
fn expand(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() || is_record_folder(path) {
        return vec![path.to_owned()];
    }
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut records: Vec<_> = inside.filter(|inside| is_record_folder(inside)).collect();
    records.sort();
    if records.is_empty() { vec![path.to_owned()] } else { records }
}

fn is_record_folder(path: &Path) -> bool {
    path.join("record.json").is_file() || path.join("record.jsonl").is_file()
}

/// A run that was cut has lines only; they are folded into what can be known.
pub(super) fn read(path: &Path) -> Result<Record, String> {
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        return record::stream::fold_file(path).map_err(|error| error.to_string());
    }
    let lines = path.join("record.jsonl");
    if path.is_dir() && !path.join("record.json").is_file() && lines.is_file() {
        return record::stream::fold_file(&lines).map_err(|error| error.to_string());
    }
    record::read_file(path).map_err(|error| error.to_string())
}

fn print(record: &Record) -> Result<(), String> {
    let totals = squall_reports::json::Totals::of(record);
    println!("{}", serde_json::to_string(&totals).map_err(|error| error.to_string())?);
    Ok(())
}

fn draw(record: &Record, path: &Path, args: &Args) -> Result<(), String> {
    let beside = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = args.out.as_deref().or(beside).unwrap_or(Path::new("."));
    squall_reports::artifacts::write_scenario(record, folder).map_err(|error| error.to_string())?;
    println!("{}", folder.join("report.html").display());
    Ok(())
}
