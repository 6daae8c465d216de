//! `squall fault`: faults by hand, for game days.

mod kinds;
mod serve;
mod told;

use super::{Exit, color, complain, tell};
use crate::gameday::registry::{self, Broken};
use jiff::Timestamp;
use serde_json::json;
use std::net::SocketAddr;

/// Arguments of `squall fault`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "docs/game-days.md tells how; docs/faults.md what each kind does.\n\nExamples:\n  squall fault latency --to 127.0.0.1:8080 --listen 127.0.0.1:9090 --base 200ms --for 1m\n  squall fault clear --all"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    #[command(flatten)]
    Kind(kinds::Chosen),
    /// Offer the HTTP API of Toxiproxy, so that its clients work
    Serve(serve::Args),
    /// Tell what is broken by hand on this machine just now
    List(List),
    /// End faults, and return once they are undone
    Clear(Clear),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall fault list\n  squall fault list --json")]
struct List {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  squall fault clear 127.0.0.1:9090\n  squall fault clear --all")]
struct Clear {
    /// Where the relays listen, or their ports alone, as `squall fault list` shows them
    #[arg(value_name = "ADDRESS", required_unless_present = "all")]
    listen: Vec<Named>,

    /// Every one on this machine that is yours
    #[arg(long, conflicts_with = "listen")]
    all: bool,
}

/// A relay, by where it listens.
#[derive(Debug, Clone, Copy)]
enum Named {
    Address(SocketAddr),
    Port(u16),
}

impl std::str::FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = text.strip_prefix(':').unwrap_or(text);
        let address = text.parse().map(Self::Address).ok();
        address.or_else(|| port.parse().map(Self::Port).ok()).ok_or("expected 127.0.0.1:9090, or 9090")
    }
}

impl Named {
    fn is(self, listen: SocketAddr) -> bool {
        match self {
            Self::Address(address) => address == listen,
            Self::Port(port) => port == listen.port(),
        }
    }
}

/// Breaks, serves, lists or clears.
pub(super) fn main(args: &Args, color: color::When) -> Exit {
    match &args.what {
        What::Kind(chosen) => told::fault(chosen, color),
        What::Serve(args) => serve::main(args),
        What::List(args) => list(args),
        What::Clear(args) => clear(args),
    }
}

fn list(args: &List) -> Exit {
    let broken = match registry::list() {
        Ok(broken) => broken,
        Err(error) => {
            complain(&error);
            return Exit::Error;
        }
    };
    if args.json {
        let notes: Vec<_> = broken.iter().map(|one| &one.note).collect();
        return tell(&json!({"faults": notes}));
    }
    if broken.is_empty() {
        return tell(&"nothing is broken by hand");
    }
    let lines: Vec<[String; 4]> = broken.iter().map(line).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let shown = lines.iter().map(|[listen, to, what, time]| {
        format!("{listen:0$}  {to:1$}  {what:2$}  {time}", widths[0], widths[1], widths[2])
    });
    tell(&shown.collect::<Vec<_>>().join("\n"))
}

fn line(broken: &Broken) -> [String; 4] {
    let note = &broken.note;
    let seconds = |from: Timestamp, to: Timestamp| (to - from).total(jiff::Unit::Second).unwrap_or(0.0).max(0.0) as u64;
    let now = Timestamp::now();
    let time = match note.until {
        Some(until) if until > now => format!("for {} s more", seconds(now, until)),
        Some(_) => "over; passes everything on".to_owned(),
        None => format!("since {} s", seconds(note.since, now)),
    };
    let to = note.to.map_or_else(String::new, |to| format!("-> {to}"));
    [note.listen.to_string(), to, note.what.clone(), time]
}

fn clear(args: &Clear) -> Exit {
    let cleared = registry::list().map_err(|error| error.to_string()).and_then(|all| {
        let unknown: Vec<String> = args
            .listen
            .iter()
            .filter(|named| !all.iter().any(|one| named.is(one.note.listen)))
            .map(|named| match named {
                Named::Address(address) => address.to_string(),
                Named::Port(port) => format!("port {port}"),
            })
            .collect();
        if !unknown.is_empty() {
            return Err(format!("no relay listens on {}; `squall fault list` shows all", unknown.join(", ")));
        }
        let meant = |one: &Broken| args.all || args.listen.iter().any(|named| named.is(one.note.listen));
        let meant: Vec<Broken> = all.into_iter().filter(meant).collect();
        let number = meant.len();
        let left = registry::clear(meant).map_err(|error| error.to_string())?;
        registry::sweep().map_err(|error| error.to_string())?;
        match left.first() {
            None => Ok(number),
            Some(left) => Err(format!("the relay on {} does not end; squall recover", left.note.listen)),
        }
    });
    match cleared {
        Ok(number) => tell(&format!("{number} cleared")),
        Err(error) => {
            complain(&error);
            Exit::Error
        }
    }
}
