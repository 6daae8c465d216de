//! Arguments, help and exit codes: nothing else. Each command has a file of its own with its arguments and its `main`.

mod check;
mod color;
mod compare;
mod completions;
mod doctor;
mod exit;
mod fault;
mod guardian;
mod history;
mod init;
mod launch;
mod lint;
mod list;
mod live;
mod load;
mod man;
mod programs;
mod proxy;
mod recover;
mod replay;
mod report;
mod run;
mod schema;
mod selftest;
mod service;

pub use exit::Exit;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Proves that a service mesh heals itself: deploys your policies beside test services, breaks things on purpose under an exactly timed
/// load, and says whether the healing that you count on keeps the SLO.
#[derive(Debug, Parser)]
#[command(
    name = "squall",
    version,
    max_term_width = 110,
    after_help = "The book is in docs/.\n\nExamples:\n  squall run scenarios/\n  squall check scenarios/ && squall run scenarios/ --filter ejection"
)]
struct Arguments {
    /// When to colour output
    #[arg(long, global = true, value_enum, default_value_t = color::When::Auto, value_name = "WHEN")]
    color: color::When,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios: deploy, load, break, judge, report
    Run(run::Args),
    /// Validate scenarios and policies; start nothing
    Check(check::Args),
    /// Tell what policies promise and the data plane will not do; start nothing
    Lint(lint::Args),
    /// Load whoever runs already, at exactly planned instants, and judge it
    Load(Box<load::Args>),
    /// Measure two targets, or two scenarios, in blocks beside each other, and say which is better
    Compare(Box<compare::Args>),
    /// Keep the figures of many runs, and tell whether one became worse
    History(history::Args),
    /// List scenarios
    List(list::Args),
    /// Write a commented first scenario for each promise found in policies
    Init(init::Args),
    /// Print the JSON Schema of the scenario language
    #[command(after_help = "Examples:\n  squall schema > scenario.schema.json\n  squall schema | head -n 20")]
    Schema,
    /// Draw the report of a record again
    Report(report::Args),
    /// Play the live view from a record
    Replay(replay::Args),
    /// Undo what an earlier run left behind
    #[command(after_help = "Examples:\n  squall recover\n  squall recover && squall run scenarios/")]
    Recover,
    /// Tell what this machine can do
    #[command(after_help = "Examples:\n  squall doctor\n  squall doctor && squall run scenarios/ --quick")]
    Doctor,
    /// Try Squall itself: kill what a run consists of at every moment, and look whether anything is left
    Selftest(selftest::Args),
    /// Break things by hand: a relay with one fault in front of whoever runs already
    Fault(Box<fault::Args>),
    /// Run the data plane alone
    Proxy(Box<proxy::Args>),
    /// Run one instance of the test service
    Service(service::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print or write the manual
    Man(man::Args),
    /// Relays that count attempts and inject faults (started by a run)
    #[command(hide = true)]
    Shim,
    /// The load of one arm (started by a run)
    #[command(hide = true)]
    LoadWorker,
    /// One measurement (started by a comparison)
    #[command(hide = true)]
    Measure(compare::measure::Args),
    /// Undoes everything when its run dies (started by a run)
    #[command(hide = true)]
    Guardian(guardian::Args),
    /// Starts a program that dies with its parent (started by a run)
    #[command(hide = true)]
    Launch(launch::Args),
}

/// The whole program: arguments in, exit code out.
pub fn main() -> ExitCode {
    let arguments = parse();
    // Standard error is what anstream is used for everywhere else.
    color::choice(color::stderr(arguments.color)).write_global();
    let color = arguments.color;
    let exit = match arguments.command {
        Command::Run(args) => run::main(args, color),
        Command::Check(args) => check::main(&args),
        Command::Lint(args) => lint::main(&args, arguments.color),
        Command::Load(args) => load::main(&args, color),
        Command::Compare(args) => compare::main(&args, color),
        Command::History(args) => history::main(&args, color),
        Command::List(args) => list::main(&args),
        Command::Init(args) => init::main(&args),
        Command::Schema => schema::main(),
        Command::Report(args) => report::main(&args),
        Command::Replay(args) => replay::main(&args, color),
        Command::Recover => recover::main(),
        Command::Doctor => doctor::main(color),
        Command::Selftest(args) => selftest::main(&args),
        Command::Fault(args) => fault::main(&args, color),
        Command::Proxy(args) => proxy::main(*args),
        Command::Service(args) => service::main(args),
        Command::Completions(args) => completions::main(&args),
        Command::Man(args) => man::main(&args),
        Command::Shim => programs::shim(),
        Command::LoadWorker => programs::load_worker(),
        Command::Measure(args) => compare::measure::main(&args),
        Command::Guardian(args) => guardian::main(&args),
        Command::Launch(args) => launch::main(&args),
    };
    exit.into()
}

/// Reads the arguments. What is wrong with them, and help, are coloured as they ask for.
fn parse() -> Arguments {
    let asked = color::asked(std::env::args_os());
    let parsed = Arguments::command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| {
        let colour = if error.use_stderr() { color::stderr(asked) } else { color::stdout(asked) };
        let text = error.render();
        let text = if colour { text.ansi().to_string() } else { text.to_string() };
        // A closed pipe ends quietly.
        let _ =
            if error.use_stderr() { write!(std::io::stderr(), "{text}") } else { write!(std::io::stdout(), "{text}") };
        std::process::exit(error.exit_code())
    })
}

/// The commands that people type.
fn shown(command: &clap::Command) -> clap::Command {
    let hidden: Vec<String> =
        command.get_subcommands().filter(|one| one.is_hide_set()).map(|one| one.get_name().to_owned()).collect();
    let mut only = clap::Command::new("squall").args(command.get_arguments());
    only = only.version(env!("CARGO_PKG_VERSION"));
    if let Some(about) = command.get_about() {
        only = only.about(about.clone());
    }
    if let Some(examples) = command.get_after_help() {
        only = only.after_help(examples.clone());
    }
    only.subcommands(command.get_subcommands().filter(|one| !hidden.contains(&one.get_name().to_owned())))
}

/// Writes lines of results.
fn tell(lines: &dyn std::fmt::Display) -> Exit {
    print(format!("{lines}\n").as_bytes())
}

/// Writes to standard output. A closed pipe ends quietly: the reader has seen enough.
fn print(bytes: &[u8]) -> Exit {
    let mut out = std::io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format_args!("standard output: {error}"));
            Exit::Error
        }
        _ => Exit::Success,
    }
}

/// Why there is nothing to run: no scenario in these places, or none that a filter lets through.
fn nothing_selected(paths: &[PathBuf], filter: Option<&str>) -> String {
    let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let places = if places.is_empty() { ".".to_owned() } else { places.join(", ") };
    match filter {
        Some(text) => format!(
            "no scenario in {places} has `{text}` in its title, path or tags; `squall list {places}` shows them"
        ),
        None => format!("there is no scenario in {places}: a scenario is a YAML file with the key `scenario`"),
    }
}

/// What is wrong with what stands in no file: without a place.
fn said(finding: squall_yaml::Finding) -> String {
    let more = [finding.expected.map(|expected| format!("expected {expected}")), finding.help];
    std::iter::once(finding.message).chain(more.into_iter().flatten()).collect::<Vec<_>>().join("; ")
}

/// Says what went wrong, on standard error.
fn complain(error: &dyn std::fmt::Display) {
    anstream::eprintln!("\x1b[1;31merror\x1b[0m: {error}");
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
