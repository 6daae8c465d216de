//! `squall history`: the figures of many runs, and whether one of them has become worse.

use super::report::find;
use super::{Exit, color, complain};
use squall_reports::compare::words;
use squall_reports::history::store::Error;
use squall_reports::history::{Series, Store, export};
use squall_reports::stats::paired::Direction;
use squall_reports::words::many;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Arguments of `squall history`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall history add squall-out && squall history check\n  squall history page --out history.html"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,

    /// The file that keeps it
    #[arg(long, global = true, value_name = "FILE", default_value = "squall-out/history.db")]
    db: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add records: files, folders of scenarios, of runs, or of many runs; those that are known are passed over
    Add {
        /// Records
        #[arg(required = true, value_name = "RECORD")]
        records: Vec<PathBuf>,
    },
    /// Make it anew from these records
    Rebuild {
        /// Records
        #[arg(required = true, value_name = "RECORD")]
        records: Vec<PathBuf>,
    },
    /// List runs, oldest first
    List,
    /// Tell what has changed; exit 99 if something became worse of late
    Check {
        /// Runs within which a change is late enough to fail by
        #[arg(long, value_name = "N", default_value_t = RECENT)]
        recent: usize,
    },
    /// Draw every figure run by run, with its changes
    Page {
        /// The page
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print figures for other tools
    Export {
        /// For which
        #[arg(long, value_enum)]
        format: Format,
    },
}

/// Runs that count as of late.
const RECENT: usize = 5;

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Bencher's metric format, of the last runs
    Bencher,
    /// github-action-benchmark's customSmallerIsBetter, of the last runs
    GithubSmaller,
    /// github-action-benchmark's customBiggerIsBetter, of the last runs
    GithubBigger,
    /// A line for each figure of each run
    Csv,
}

/// Does what is asked.
pub(super) fn main(args: &Args, color: color::When) -> Exit {
    let done = match &args.what {
        What::Add { records } => add(&args.db, records),
        What::Rebuild { records } => rebuild(&args.db, records),
        What::List => list(&args.db),
        What::Check { recent } => check(&args.db, *recent, color::stdout(color)),
        What::Page { out } => page(&args.db, out),
        What::Export { format } => print(&args.db, *format),
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        Exit::Error
    })
}

fn told(db: &Path) -> impl Fn(Error) -> String {
    let db = db.display().to_string();
    move |error| format!("{db}: {error}")
}

/// What is there already; a history that was never written is not made by looking at it.
fn existing(db: &Path) -> Result<Store, String> {
    if !db.is_file() {
        return Err(format!("there is no history at {}: `squall history add squall-out` makes one", db.display()));
    }
    Store::open(db).map_err(told(db))
}

fn add(db: &Path, records: &[PathBuf]) -> Result<Exit, String> {
    if let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut store = Store::open(db).map_err(told(db))?;
    let (mut added, mut known, mut failed) = (0, 0, None);
    let problems = find::each(records, true, |found| {
        let path = std::path::absolute(&found.path).unwrap_or(found.path);
        match store.add(&found.record, &path.display().to_string()) {
            Ok(true) => added += 1,
            Ok(false) => known += 1,
            Err(error) => failed = Some(error),
        }
    });
    problems.iter().for_each(|problem| complain(problem));
    if let Some(error) = failed {
        return Err(told(db)(error));
    }
    let text = format!("{} added, {known} known, quick or cut", many(added, "record"));
    let exit = super::tell(&text);
    Ok(if problems.is_empty() { exit } else { Exit::Error })
}

fn rebuild(db: &Path, records: &[PathBuf]) -> Result<Exit, String> {
    // Beside the old one, which is given up only when the new one is whole.
    let fresh = db.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let exit = add(&fresh, records)?;
    if exit != Exit::Success {
        let _ = std::fs::remove_file(&fresh);
        return Err(format!("{} stays as it was: not all of these records could be read", db.display()));
    }
    std::fs::rename(&fresh, db).map_err(|error| format!("{}: {error}", db.display()))?;
    Ok(exit)
}

fn list(db: &Path) -> Result<Exit, String> {
    let nights = existing(db)?.nights().map_err(told(db))?;
    let mut text = String::new();
    for night in nights {
        // Writing to a string never fails.
        let _ = writeln!(text, "{}  {:<12}  {:<28}  {}", night.started, night.verdict, night.run, night.title);
    }
    Ok(super::print(text.as_bytes()))
}

fn check(db: &Path, recent: usize, colour: bool) -> Result<Exit, String> {
    let all = existing(db)?.series().map_err(told(db))?;
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = String::new();
    let mut worse = 0;
    for series in &all {
        let Some(change) = series.changes().pop() else { continue };
        let late = series.regression(recent).is_some();
        worse += usize::from(late);
        let word = match (change.worse, late) {
            (true, true) => paint("1;31", "WORSE"),
            (true, false) => "worse".to_owned(),
            (false, _) => paint("32", "better"),
        };
        let value = |value: f64| words::value(series.unit, value);
        let since = series.nights.get(change.at).map_or("", |night| night.run.as_str());
        let by = words::change(change.after / change.before);
        let (scenario, name) = (&series.scenario, &series.name);
        let _ = writeln!(
            text,
            "{word}  {scenario}: {name} {} to {} ({by}) since {since}",
            value(change.before),
            value(change.after)
        );
    }
    let _ = writeln!(text, "{}", outcome(&all, worse, recent));
    match super::print(text.as_bytes()) {
        Exit::Success if worse > 0 => Ok(Exit::Failed),
        exit => Ok(exit),
    }
}

fn outcome(all: &[Series], worse: usize, recent: usize) -> String {
    let longest = all.iter().map(|series| series.nights.len()).max().unwrap_or(0);
    let (figures, recent) = (many(all.len(), "figure"), many(recent, "run"));
    match worse {
        0 => format!("{figures} over up to {}: none became worse in the last {recent}", many(longest, "run")),
        worse => format!("{worse} of {figures} became worse in the last {recent}"),
    }
}

fn page(db: &Path, out: &Path) -> Result<Exit, String> {
    let all = existing(db)?.series().map_err(told(db))?;
    let page = squall_reports::html::history::page(&all, RECENT).map_err(|error| error.to_string())?;
    std::fs::write(out, page).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(super::tell(&out.display()))
}

fn print(db: &Path, format: Format) -> Result<Exit, String> {
    let all = existing(db)?.series().map_err(told(db))?;
    let text = match format {
        Format::Bencher => format!("{:#}\n", export::bencher(&all)),
        Format::GithubSmaller => format!("{:#}\n", export::github(&all, Direction::LowerIsBetter)),
        Format::GithubBigger => format!("{:#}\n", export::github(&all, Direction::HigherIsBetter)),
        Format::Csv => export::csv(&all),
    };
    Ok(super::print(text.as_bytes()))
}
