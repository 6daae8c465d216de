//! `squall man`.

use super::{Arguments, Exit, complain, print};
use clap::CommandFactory;
use std::io;
use std::path::PathBuf;

/// Arguments of `squall man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall man > squall.1\n  squall man man1")]
pub(super) struct Args {
    /// Write a page for each command into this folder; without it, the first page goes to standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the page of `squall`, or writes all of them.
pub(super) fn main(args: &Args) -> Exit {
    let written = pages().and_then(|pages| match &args.folder {
        None => Ok(pages.first().map_or(Exit::Success, |(_, page)| print(page))),
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            pages.iter().try_for_each(|(name, page)| std::fs::write(folder.join(name), page))?;
            Ok(Exit::Success)
        }
    });
    match written {
        Ok(exit) => exit,
        Err(error) => {
            let place = args.folder.as_ref().map(|folder| format!("{}: ", folder.display())).unwrap_or_default();
            complain(&format_args!("{place}{error}"));
            Exit::Error
        }
    }
}

/// File name and text of each page, the one about `squall` itself first.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = super::shown(&Arguments::command()).disable_help_subcommand(true);
    command.build();
    let of = |command: clap::Command| {
        let man = clap_mangen::Man::new(command);
        let mut page = Vec::new();
        man.render(&mut page).map(|()| (man.get_filename(), page))
    };
    let mut all = vec![of(command.clone())?];
    for inner in command.get_subcommands() {
        let name = format!("squall-{}", inner.get_name());
        all.push(of(inner.clone().name(name.clone()))?);
        for question in inner.get_subcommands() {
            all.push(of(question.clone().name(format!("{name}-{}", question.get_name())))?);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_command_with_all_its_options() {
        let pages = pages().unwrap();
        let command = super::super::shown(&Arguments::command());
        let of = |name: &str| {
            let page = pages.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}"));
            String::from_utf8(page.1.clone()).unwrap().replace("\\-", "-")
        };
        let first = of("squall.1");
        for known in command.get_subcommands() {
            let name = known.get_name();
            assert!(first.contains(&format!("squall-{name}(1)")), "squall.1 lacks {name}");
            let page = of(&format!("squall-{name}.1"));
            let shown = known.get_arguments().filter(|argument| !argument.is_hide_set());
            for option in shown.filter_map(|argument| argument.get_long()) {
                assert!(page.contains(&format!("--{option}")), "squall-{name}.1 lacks --{option}");
            }
        }
        let nested: usize = command.get_subcommands().map(|known| known.get_subcommands().count()).sum();
        assert_eq!(pages.len(), command.get_subcommands().count() + nested + 1);
        let explain = of("squall-proxy-explain.1");
        assert!(explain.contains("--url") && explain.contains("--policies"), "{explain}");
    }
}
