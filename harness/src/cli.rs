//! Arguments, help and exit codes: nothing else. Each command has a file of its own with its arguments and its `main`.

mod check;
mod doctor;
mod exit;
mod guardian;
mod init;
mod launch;
mod list;
mod programs;
mod proxy;
mod recover;
mod report;
mod run;
mod schema;
mod service;

pub use exit::Exit;

use clap::{Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Proves that a service mesh heals itself: deploys your policies beside test services, breaks things on purpose under an exactly timed
/// load, and says whether the healing that you count on keeps the SLO.
#[derive(Debug, Parser)]
#[command(
    name = "squall",
    version,
    max_term_width = 110,
    after_help = "Examples:\n  squall run scenarios/\n  squall check scenarios/ && squall run scenarios/ --filter ejection\n\nThe book is in docs/."
)]
struct Arguments {
    /// When to colour output
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN")]
    color: ColorWhen,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios: deploy, load, break, judge, report
    Run(run::Args),
    /// Validate scenarios and policies; start nothing
    Check(check::Args),
    /// List scenarios
    List(list::Args),
    /// Write a commented first scenario for each promise found in policies
    Init(init::Args),
    /// Print the JSON Schema of the scenario language
    Schema,
    /// Draw the report of a record again
    Report(report::Args),
    /// Undo what an earlier run left behind
    Recover,
    /// Tell what this machine can do
    Doctor,
    /// Run the data plane alone
    Proxy(proxy::Args),
    /// Run one instance of the test service
    Service(service::Args),
    /// Relays that count attempts and inject faults (started by a run)
    #[command(hide = true)]
    Shim,
    /// The load of one arm (started by a run)
    #[command(hide = true)]
    LoadWorker,
    /// Undoes everything when its run dies (started by a run)
    #[command(hide = true)]
    Guardian(guardian::Args),
    /// Starts a program that dies with its parent (started by a run)
    #[command(hide = true)]
    Launch(launch::Args),
}

/// The whole program: arguments in, exit code out.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    choose_colour(arguments.color);
    let exit = match arguments.command {
        Command::Run(args) => run::main(args),
        Command::Check(args) => check::main(&args),
        Command::List(args) => list::main(&args),
        Command::Init(args) => init::main(&args),
        Command::Schema => schema::main(),
        Command::Report(args) => report::main(&args),
        Command::Recover => recover::main(),
        Command::Doctor => doctor::main(),
        Command::Proxy(args) => proxy::main(args),
        Command::Service(args) => service::main(args),
        Command::Shim => programs::shim(),
        Command::LoadWorker => programs::load_worker(),
        Command::Guardian(args) => guardian::main(&args),
        Command::Launch(args) => launch::main(&args),
    };
    exit.into()
}

/// `--color` goes before `NO_COLOR`, `CLICOLOR_FORCE` and whether there is a terminal, which anstream knows.
fn choose_colour(when: ColorWhen) {
    let choice = match when {
        // An empty NO_COLOR means nothing, by the letter of its convention.
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
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
