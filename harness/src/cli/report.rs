//! `squall report`.

mod compare;
pub(super) mod find;

use super::{Exit, complain};
use find::Found;
pub(super) use find::read;
use squall_reports::artifacts::{self, Recorded};
use squall_reports::digest::Digest;
use squall_reports::record::Record;
use squall_reports::{index, json, junit, markdown, summary::RunSummary, trend};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Arguments of `squall report`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall report squall-out/latest\n  squall report squall-out/latest --format markdown --out -"
)]
pub(super) struct Args {
    /// A record, or the folder of a scenario, of a run, or (with --index) of many runs
    #[arg(required_unless_present = "compare", value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// What to draw: pages and pictures beside each record, or one text of all records
    #[arg(long, value_enum, default_value_t = Format::Html, conflicts_with_all = ["json", "index", "compare"])]
    format: Format,

    /// Print totals by phase as JSON, one object a line and record, and write nothing
    #[arg(long, conflicts_with_all = ["index", "compare"])]
    json: bool,

    /// Draw the overview of all runs in a folder: verdicts and key figures of each scenario run by run
    #[arg(long, conflicts_with = "compare")]
    index: bool,

    /// Draw two records, or all scenarios of two runs, side by side in equal scales: what changed, and what differed
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "records")]
    compare: Option<Vec<PathBuf>>,

    /// Folder for pages and pictures (beside the record, or squall-out/compare); file for one text, `-` for standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// report.html with all its files, and index.html of a run
    Html,
    /// The pictures alone
    Png,
    /// Test report
    Junit,
    /// Summary for people
    Markdown,
    /// Summary for programs
    Json,
}

/// Draws again, or prints. What can be read is drawn, whatever is wrong with the rest.
pub(super) fn main(args: &Args) -> Exit {
    let mut exit = Exit::Success;
    let mut fail = |error: &dyn std::fmt::Display| {
        complain(error);
        exit = Exit::Error;
    };
    let drawn = if let Some([a, b]) = args.compare.as_deref() {
        compare::draw(a, b, args.out.as_deref(), &mut fail)
    } else if args.index {
        overview(args, &mut fail)
    } else {
        let mut found = Vec::new();
        let problems = find::each(&args.records, false, |one| found.push(one));
        problems.iter().for_each(|problem| fail(problem));
        match args.format {
            _ if args.json => found.into_iter().try_for_each(|found| print(&found.record)),
            Format::Html | Format::Png => pages(&found, args),
            Format::Junit | Format::Markdown | Format::Json => one_text(found, args),
        }
    };
    if let Err(error) = &drawn {
        fail(error);
    }
    exit
}

fn print(record: &Record) -> Result<(), String> {
    let totals = json::Totals::of(record);
    say(&(serde_json::to_string(&totals).map_err(|error| error.to_string())? + "\n"))
}

/// Beside each record, or in a folder: one for each record where there are several.
fn pages(found: &[Found], args: &Args) -> Result<(), String> {
    let mut errors = Vec::new();
    let folders = folders(found, args.out.as_deref());
    for (one, folder) in found.iter().zip(&folders) {
        let drawn = std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))
            .and_then(|()| draw(&one.record, folder, args.format));
        match drawn {
            Ok(file) => say(&format!("{}\n", file.display()))?,
            Err(error) => errors.push(error),
        }
    }
    if args.format == Format::Html {
        for (run, records) in by_run(found, &folders, args.out.as_deref()) {
            let file = run.join("index.html");
            index::page(&records, &run).map_err(|error| error.to_string()).and_then(|page| write(&file, &page))?;
            say(&format!("{}\n", file.display()))?;
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// Where each record is drawn: by the name of its own folder, and of its run where two have the same.
fn folders(found: &[Found], out: Option<&Path>) -> Vec<PathBuf> {
    let Some(out) = out else { return found.iter().map(|one| one.folder.clone()).collect() };
    if let [_] = found {
        return vec![out.to_owned()];
    }
    let mut folders: Vec<PathBuf> = Vec::new();
    for one in found {
        let own = one.folder.file_name().map_or(one.record.scenario.slug.clone(), |name| name.display().to_string());
        let folder = out.join(&own);
        let taken = folders.contains(&folder);
        folders.push(if taken { out.join(format!("{own}-{}", one.record.run.id)) } else { folder });
    }
    folders
}

fn draw(record: &Record, folder: &Path, format: Format) -> Result<PathBuf, String> {
    if format == Format::Png {
        artifacts::write_pictures(record, folder).map_err(|error| error.to_string())?;
        return Ok(folder.join("summary.png"));
    }
    artifacts::write_scenario(record, folder).map_err(|error| error.to_string())?;
    Ok(folder.join("report.html"))
}

/// The folders of runs that were named as such, with their records: each has an overview of its own.
fn by_run(found: &[Found], folders: &[PathBuf], out: Option<&Path>) -> Vec<(PathBuf, Vec<Recorded>)> {
    let mut runs: Vec<(PathBuf, Vec<Recorded>)> = Vec::new();
    for (one, folder) in found.iter().zip(folders) {
        let Some(run) = &one.run else { continue };
        let overview = out.unwrap_or(run);
        let entry = (one.record.clone(), folder.clone());
        match runs.iter_mut().find(|(known, _)| *known == *overview) {
            Some((_, records)) => records.push(entry),
            None => runs.push((overview.to_owned(), vec![entry])),
        }
    }
    runs
}

/// One text of all records, to a file or to standard output.
fn one_text(found: Vec<Found>, args: &Args) -> Result<(), String> {
    if found.is_empty() {
        return Ok(());
    }
    let root = std::env::current_dir().unwrap_or_default();
    let records: Vec<Recorded> = found.into_iter().map(|one| (one.record, one.folder)).collect();
    let text = match args.format {
        Format::Junit => junit::report(&records, &root).map_err(|error| error.to_string())?,
        Format::Markdown => markdown::summary(&records, &root),
        _ => RunSummary::of(&records, &root).json().map_err(|error| error.to_string())?,
    };
    match args.out.as_deref().filter(|out| *out != Path::new("-")) {
        Some(file) => write(file, &text),
        None => say(&text),
    }
}

/// The overview of many runs, in their folder or where asked for.
fn overview(args: &Args, fail: &mut dyn FnMut(&dyn std::fmt::Display)) -> Result<(), String> {
    let first = args.records.first().map_or(Path::new("."), PathBuf::as_path);
    let file = match &args.out {
        Some(out) if out.extension().is_some_and(|extension| extension == "html") => out.clone(),
        Some(out) => out.join("index.html"),
        None => first.join("index.html"),
    };
    let file = std::path::absolute(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let place = file.parent().unwrap_or(Path::new("/"));
    let mut runs: Vec<trend::Run> = Vec::new();
    let problems = find::each(&args.records, true, |one| {
        let id = one.record.run.id.clone();
        let scenario = (Digest::of(&one.record), artifacts::relative(&one.folder.join("report.html"), place));
        match runs.iter_mut().find(|run| run.id == id) {
            Some(run) => run.scenarios.push(scenario),
            None => runs.push(trend::Run { id, scenarios: vec![scenario] }),
        }
    });
    problems.iter().for_each(|problem| fail(problem));
    if runs.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    trend::page(&runs).map_err(|error| error.to_string()).and_then(|page| write(&file, &page))?;
    say(&format!("{}\n", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// On standard output; a closed pipe ends quietly, for its reader has seen enough.
fn say(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}
