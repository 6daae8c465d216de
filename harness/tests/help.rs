//! The binary itself: what it says of itself, and that words it does not know are a usage error.

use std::process::Command;

fn squall(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_squall")).args(arguments).output().expect("the binary runs")
}

#[test]
fn help_names_every_command_that_people_type() {
    let output = squall(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("help is text");
    for command in ["run", "check", "list", "init", "schema", "report", "recover", "doctor", "proxy", "service"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in:\n{help}");
    }
    assert!(!help.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    assert_eq!(squall(&["rum"]).status.code(), Some(2));
}
