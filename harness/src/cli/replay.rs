//! `squall replay`.

use super::report::read;
use super::{Exit, complain, live};
use crate::clock::now;
use crate::output::replay::{Step, steps};
use crate::output::{Format, Options, Outputs, Pace};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

/// Arguments of `squall replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall replay squall-out/latest/one-failing* --speed 4\n  squall replay squall-out/latest/one-failing* --live never --speed max"
)]
pub(super) struct Args {
    /// A record, or the folder of a scenario
    #[arg(value_name = "RECORD")]
    record: PathBuf,

    /// How many times as fast as it was, or `max`
    #[arg(long, value_name = "N", default_value = "1")]
    speed: Speed,

    #[command(flatten)]
    live: live::Args,
}

/// How fast a record is played.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speed {
    Times(f64),
    Unbounded,
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Unbounded);
        }
        let times = text.strip_suffix('x').unwrap_or(text).parse().ok();
        let sensible = times.filter(|times| (0.01..=10_000.0).contains(times));
        sensible.map(Self::Times).ok_or("expected 0.01 to 10000, or `max`")
    }
}

/// Plays a record.
pub(super) fn main(args: &Args, color: super::color::When) -> Exit {
    let options = match live::options(args.live, Format::Human, false, color) {
        Ok(options) => options,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let record = match read(&args.record) {
        Ok(record) => record,
        Err(error) => {
            complain(&format_args!("{}: {error}", args.record.display()));
            return Exit::Error;
        }
    };
    let pace = match args.speed {
        Speed::Times(times) => Pace::Times(times),
        Speed::Unbounded => Pace::Unbounded,
    };
    play(steps(&record, &args.record), Options { replay: true, pace, ..options });
    Exit::Success
}

fn play(steps: Vec<Step>, options: Options) {
    let (leave, left) = mpsc::channel();
    let is_left = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_left);
    let outputs = Outputs::new(options, move || {
        flag.store(true, Ordering::SeqCst);
        // Whoever plays may be gone already.
        let _ = leave.send(());
    });
    let began = now();
    for Step { at, event, last } in steps {
        match options.pace {
            Pace::Times(times) => {
                let due = began.after(at.div_f64(times));
                if left.recv_timeout(due.since(now())).is_ok() {
                    break;
                }
                // The end stays on the screen until somebody leaves it.
                if last && options.live && left.recv().is_err() {
                    break;
                }
            }
            Pace::Unbounded if is_left.load(Ordering::SeqCst) => break,
            Pace::Unbounded => {}
        }
        outputs.event_at(at, event);
    }
    outputs.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_and_nonsense_is_refused() {
        assert_eq!("4".parse(), Ok(Speed::Times(4.0)));
        assert_eq!("0.5x".parse(), Ok(Speed::Times(0.5)));
        assert_eq!("max".parse(), Ok(Speed::Unbounded));
        for nonsense in ["0", "-1", "fast", "NaN", "inf", ""] {
            assert!(nonsense.parse::<Speed>().is_err(), "{nonsense}");
        }
    }
}
