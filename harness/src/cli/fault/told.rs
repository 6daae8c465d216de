//! One fault by hand, and what is told of it.

use super::kinds::Chosen;
use crate::cli::{Exit, color, complain};
use crate::gameday::{self, Asked, Event, Summary};
use crate::units::TimeSpan;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

/// Where nobody looks, it is told as rarely as this what passes.
const SELDOM: u64 = 10;

/// Breaks as asked, and tells of it.
pub(super) fn fault(chosen: &Chosen, color: color::When) -> Exit {
    let asked = match chosen.asked() {
        Ok(asked) => asked,
        Err(wrong) => {
            wrong.iter().for_each(|wrong| complain(wrong));
            return Exit::BadInput;
        }
    };
    let teller = Teller {
        what: asked.fault.what.clone(),
        to: asked.fault.to.to_string(),
        unit: if asked.fault.tcp { "connections" } else { "requests" },
        lasting: asked.fault.lasting,
        json: chosen.has("json"),
        quiet: chosen.has("quiet"),
        terminal: io::stderr().is_terminal(),
        colour: color::stderr(color),
    };
    let teller = Arc::new(teller);
    let tells = Arc::clone(&teller);
    let ran = gameday::run(&asked, &(Arc::new(move |event| tells.tell(event)) as gameday::Say));
    match ran {
        Ok(summary) => teller.end(&asked, &summary),
        Err(error) => {
            teller.clear_line();
            complain(&error);
            Exit::Error
        }
    }
}

struct Teller {
    what: String,
    to: String,
    unit: &'static str,
    lasting: Option<Duration>,
    json: bool,
    quiet: bool,
    terminal: bool,
    colour: bool,
}

impl Teller {
    fn tell(&self, event: Event) {
        if self.json {
            return out(&match event {
                Event::Begins { listen, nobody } => {
                    json!({"is": "begins", "what": self.what, "listen": listen, "to": self.to, "nobody-behind": nobody})
                }
                Event::Harms => json!({"is": "harms"}),
                Event::Passes { offered, seconds } if !self.quiet => {
                    json!({"is": "passes", "offered": offered, "seconds": seconds})
                }
                Event::Passes { .. } => return,
                Event::Stays => json!({"is": "stays"}),
            });
        }
        match event {
            Event::Begins { listen, nobody } => {
                let lasting = self.lasting.map_or("until Ctrl-C".to_owned(), |time| format!("for {}", TimeSpan(time)));
                out(&format_args!("{listen} -> {}: {}, {lasting}", self.to, self.what));
                if nobody {
                    self.say(&format!("nobody takes connections at {} just now", self.to));
                }
            }
            Event::Harms => self.say(&format!("{} has harmed its first unit", self.what)),
            Event::Passes { offered, seconds } if seconds > 0 => self.passes(offered, seconds),
            Event::Passes { .. } => {}
            Event::Stays => self.say("the fault is over; everything passes until Ctrl-C"),
        }
    }

    fn passes(&self, offered: u64, seconds: u64) {
        if self.quiet {
            return;
        }
        let text = match self.lasting.map(|lasting| lasting.as_secs()) {
            Some(lasting) if seconds <= lasting => format!("{seconds} of {lasting} s, {offered} {}", self.unit),
            _ => format!("{seconds} s, {offered} {}", self.unit),
        };
        if self.terminal {
            let (dim, plain) = if self.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            // Nobody looks at a terminal that has gone.
            let _ = write!(io::stderr(), "\r\x1b[K{dim}{text}{plain}");
        } else if seconds.is_multiple_of(SELDOM) {
            self.say(&text);
        }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.clear_line();
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    fn clear_line(&self) {
        if self.terminal && !self.quiet && !self.json {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// What it came to. A fault that harmed nothing has proven nothing.
    fn end(&self, asked: &Asked, summary: &Summary) -> Exit {
        self.clear_line();
        if self.json {
            out(&json!({
                "is": "ends",
                "what": self.what,
                "listen": summary.listen,
                "to": self.to,
                "seconds": summary.lasted.as_secs_f64(),
                "offered": summary.offered,
                "withheld": summary.withheld,
                "harmed": summary.harmed,
                "seed": asked.seed,
                "cut": summary.cut,
                "left": summary.left,
            }));
        } else {
            let lasted = Duration::from_millis(summary.lasted.as_millis() as u64 / 100 * 100);
            out(&format_args!(
                "undone after {}: of {} {} the fault took {}, and {} never got there",
                TimeSpan(lasted),
                summary.offered,
                self.unit,
                summary.harmed,
                summary.withheld
            ));
        }
        for left in &summary.left {
            complain(left);
        }
        if !summary.left.is_empty() {
            Exit::Error
        } else if summary.cut {
            Exit::Aborted
        } else if summary.harmed == 0 {
            self.say("nothing was harmed, so nothing was shown");
            Exit::Unproven
        } else {
            Exit::Success
        }
    }
}

/// A line of results. A closed pipe is no reason to end a fault early.
fn out(line: &dyn std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
