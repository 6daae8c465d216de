//! The binary itself: what it says of itself, and that words it does not know are a usage error.

use std::path::Path;
use std::process::{Command, Output};

const COMMANDS: [&str; 14] = [
    "run",
    "check",
    "lint",
    "list",
    "init",
    "schema",
    "report",
    "replay",
    "recover",
    "doctor",
    "proxy",
    "service",
    "completions",
    "man",
];

/// Questions that a command answers.
const NESTED: [&str; 2] = ["proxy explain", "proxy translate"];

fn squall(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_squall")).args(arguments).output().expect("the binary runs")
}

fn help(arguments: &[&str]) -> String {
    let output = squall(arguments);
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("help is text")
}

/// The commands with which the help of a command ends.
fn examples(command: &str) -> Vec<String> {
    let help = help(&command.split_whitespace().chain(["--help"]).collect::<Vec<_>>());
    let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in:\n{help}"));
    examples.trim_end().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn help_names_every_command_that_people_type() {
    let help = help(&["--help"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in:\n{help}");
    }
    assert!(!help.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn help_of_every_command_ends_with_two_that_can_be_pasted() {
    for command in COMMANDS.into_iter().chain(NESTED).chain([""]) {
        let examples = examples(command);
        assert_eq!(examples.len(), 2, "{command}: {examples:?}");
        for example in &examples {
            assert!(example.contains(format!("squall {command}").trim_end()), "{command}: {example}");
            let paths = example.split_whitespace().filter(|word| word.starts_with("scenarios/"));
            for path in paths {
                assert!(root().join(path).exists(), "{example}: there is no {path}");
            }
        }
    }
}

/// Those that end at once, and need no run before them.
#[test]
fn what_help_says_works_when_it_is_pasted() {
    let scratch = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("scenarios"), scratch.path().join("scenarios")).expect("a link");
    let binaries = Path::new(env!("CARGO_BIN_EXE_squall")).parent().expect("a folder").display().to_string();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    for command in ["check", "list", "init", "schema", "completions", "man"].into_iter().chain(NESTED) {
        for example in examples(command) {
            let mut shell = Command::new("bash");
            let shell = shell.args(["-c", &format!("set -o pipefail; {example}")]).current_dir(scratch.path());
            let output = shell.env("PATH", &path).output().expect("bash runs");
            assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{example}");
        }
    }
    for page in ["squall-run.1", "squall-proxy-explain.1"] {
        assert!(scratch.path().join("man1").join(page).is_file(), "{page}");
    }
}

#[test]
fn colour_goes_by_the_option_then_by_the_variables() {
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        for known in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(known);
        }
        let output = command.args(arguments).envs(variables.iter().copied()).output().expect("the binary runs");
        [output.stdout, output.stderr].iter().any(|text| text.contains(&0x1b))
    };
    // An error on standard error, help on standard output, and a report of this machine.
    for arguments in [&["run", "nowhere"][..], &["--help"], &["doctor"], &["run"]] {
        assert!(!coloured(arguments, &[]), "a pipe is no terminal: {arguments:?}");
        assert!(coloured(arguments, &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        assert!(coloured(arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), "an empty NO_COLOR: {arguments:?}");
        assert!(!coloured(arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{arguments:?}");
        assert!(!coloured(arguments, &[("CLICOLOR_FORCE", "0")]), "{arguments:?}");
        let never: Vec<&str> = ["--color", "never"].iter().chain(arguments).copied().collect();
        assert!(!coloured(&never, &[("CLICOLOR_FORCE", "1")]), "{never:?}");
        let always: Vec<&str> = ["--color=always"].iter().chain(arguments).copied().collect();
        assert!(coloured(&always, &[("NO_COLOR", "1")]), "{always:?}");
    }
}

#[test]
fn a_live_view_without_a_terminal_is_a_usage_error() {
    let output = squall(&["run", "--live", "always", &root().join("scenarios/ejection").display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--live always needs a terminal"));
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    assert_eq!(squall(&["rum"]).status.code(), Some(2));
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
