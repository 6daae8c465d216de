//! Whether there is colour, for each of the two streams by itself.

use std::ffi::OsString;
use std::io::IsTerminal;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum When {
    /// Where it is wanted and can be seen
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// The option first, then the variables in the order of their conventions, then whether somebody looks.
fn decide(when: When, variable: impl Fn(&str) -> Option<OsString>, terminal: bool) -> bool {
    // An empty variable means nothing.
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR").is_some() => false,
        When::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto if set("CLICOLOR").is_some_and(|value| value == "0") => false,
        When::Auto if set("TERM").is_none_or(|value| value == "dumb") => false,
        When::Auto => terminal,
    }
}

/// True if standard output is to be coloured.
pub(super) fn stdout(when: When) -> bool {
    decide(when, |name| std::env::var_os(name), std::io::stdout().is_terminal())
}

/// True if standard error is to be coloured.
pub(super) fn stderr(when: When) -> bool {
    decide(when, |name| std::env::var_os(name), std::io::stderr().is_terminal())
}

/// What the arguments say, before they are read: help and errors about arguments obey it too.
pub(super) fn asked(arguments: impl Iterator<Item = OsString>) -> When {
    let words: Vec<String> =
        arguments.filter_map(|word| word.into_string().ok()).take_while(|word| word != "--").collect();
    let after = |at: usize| words.get(at + 1).cloned();
    let value = |(at, word): (usize, &String)| match word.strip_prefix("--color") {
        Some("") => after(at),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    };
    match words.iter().enumerate().filter_map(value).next_back().as_deref() {
        Some("always") => When::Always,
        Some("never") => When::Never,
        _ => When::Auto,
    }
}

/// What anstream is told of a stream.
pub(super) fn choice(colour: bool) -> anstream::ColorChoice {
    if colour { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(when: When, variables: &[(&str, &str)], terminal: bool) -> bool {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(*value));
        decide(when, find, terminal)
    }

    #[test]
    fn each_rule_goes_before_those_behind_it() {
        let term = ("TERM", "xterm");
        assert!(with(When::Always, &[("NO_COLOR", "1")], false));
        assert!(!with(When::Never, &[("CLICOLOR_FORCE", "1"), term], true));
        assert!(!with(When::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1"), term], true));
        assert!(with(When::Auto, &[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")], false));
        assert!(!with(When::Auto, &[("CLICOLOR", "0"), term], true));
        assert!(!with(When::Auto, &[("CLICOLOR", "1"), ("TERM", "dumb")], true));
        assert!(with(When::Auto, &[term], true));
        assert!(!with(When::Auto, &[term], false));
    }

    #[test]
    fn empty_and_zero_mean_nothing_where_their_conventions_say_so() {
        let term = ("TERM", "xterm");
        assert!(with(When::Auto, &[("NO_COLOR", ""), term], true), "an empty NO_COLOR is none");
        assert!(!with(When::Auto, &[("CLICOLOR_FORCE", ""), term], false));
        assert!(!with(When::Auto, &[("CLICOLOR_FORCE", "0"), term], false));
        assert!(with(When::Auto, &[("CLICOLOR", ""), term], true));
        assert!(!with(When::Auto, &[("NO_COLOR", "0"), term], true), "any value but none at all");
    }

    #[test]
    fn the_option_is_found_wherever_it_stands() {
        let asked = |words: &[&str]| asked(words.iter().map(OsString::from));
        assert_eq!(asked(&["squall", "run", "--color", "never", "x"]), When::Never);
        assert_eq!(asked(&["squall", "--color=always", "run"]), When::Always);
        assert_eq!(asked(&["squall", "--colour"]), When::Auto);
        assert_eq!(asked(&["squall", "run", "--", "--color", "never"]), When::Auto);
    }
}
