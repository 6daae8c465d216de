//! Whether a run is drawn over and over, or told line by line.

use crate::output::{Format, Looks, Options, Pace};
use crate::run::machine;
use nix::unistd::{getpgrp, tcgetpgrp};
use std::io::IsTerminal;

/// Arguments about what is shown under way.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// A live view on the terminal instead of lines; auto: unless in CI, in the background or on no terminal
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    live: When,

    /// Draw the live view with nothing but ASCII
    #[arg(long)]
    ascii: bool,
}

/// `--live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum When {
    /// Where somebody looks
    Auto,
    /// Wherever there is a terminal
    Always,
    /// Nowhere
    Never,
}

/// What the surroundings are like.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Standard error is a terminal.
    terminal: bool,
    /// We may write to it without being asked to stop.
    foreground: bool,
    /// It can move its cursor.
    clever: bool,
    /// Nobody looks.
    ci: bool,
    /// Standard input is asked for something.
    keep: bool,
}

impl When {
    fn decide(self, place: Place) -> Result<bool, &'static str> {
        match self {
            Self::Never => Ok(false),
            Self::Always if !place.terminal => Err("--live always needs a terminal on standard error"),
            Self::Always if place.keep => Err("--live always and --keep both want the keys: leave one of them out"),
            Self::Always => Ok(true),
            Self::Auto => Ok(place.terminal && place.foreground && place.clever && !place.ci && !place.keep),
        }
    }
}

/// Puts together how a run is shown; what cannot be is a usage error.
pub(super) fn options(
    args: Args,
    format: Format,
    keep: bool,
    color: super::color::When,
) -> Result<Options, &'static str> {
    let place = Place {
        terminal: std::io::stderr().is_terminal(),
        foreground: tcgetpgrp(std::io::stderr()).is_ok_and(|group| group == getpgrp()),
        clever: std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb"),
        ci: machine::ci().is_some(),
        keep,
    };
    Ok(Options {
        format,
        live: args.live.decide(place)?,
        replay: false,
        colour: super::color::stdout(color),
        looks: Looks { colour: super::color::stderr(color), ascii: args.ascii },
        pace: Pace::Times(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { terminal: true, foreground: true, clever: true, ci: false, keep: false };

    #[test]
    fn the_view_is_for_those_who_look() {
        assert_eq!(When::Auto.decide(HERE), Ok(true));
        for elsewhere in [
            Place { terminal: false, ..HERE },
            Place { foreground: false, ..HERE },
            Place { clever: false, ..HERE },
            Place { ci: true, ..HERE },
            Place { keep: true, ..HERE },
        ] {
            assert_eq!(When::Auto.decide(elsewhere), Ok(false), "{elsewhere:?}");
        }
        assert_eq!(When::Never.decide(HERE), Ok(false));
    }

    #[test]
    fn always_means_it_and_says_why_it_cannot() {
        assert_eq!(When::Always.decide(Place { ci: true, clever: false, ..HERE }), Ok(true));
        assert!(When::Always.decide(Place { terminal: false, ..HERE }).is_err());
        assert!(When::Always.decide(Place { keep: true, ..HERE }).is_err());
    }
}
