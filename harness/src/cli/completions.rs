//! `squall completions`.

use super::{Arguments, Exit, print};
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `squall completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  . <(squall completions bash)\n  squall completions zsh > _squall")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Known,
}

/// Shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Known {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Prints the script.
pub(super) fn main(args: &Args) -> Exit {
    print(&script(args.shell))
}

fn script(shell: Known) -> Vec<u8> {
    let shell = match shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::shown(&Arguments::command()), "squall", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_option_that_people_type_is_completed() {
        let command = super::super::shown(&Arguments::command());
        for shell in [Known::Bash, Known::Zsh, Known::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            for known in command.get_subcommands() {
                assert!(script.contains(known.get_name()), "{shell:?} lacks {}", known.get_name());
                for option in known.get_arguments().filter(|argument| !argument.is_hide_set()) {
                    let Some(long) = option.get_long() else { continue };
                    assert!(script.contains(long), "{shell:?} lacks {} --{long}", known.get_name());
                }
            }
            assert!(!script.contains("load-worker"), "{shell:?} names what a run starts");
        }
    }
}
