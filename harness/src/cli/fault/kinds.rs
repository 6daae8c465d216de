//! A command for each kind of fault that can be done by hand: its options are the keys that it has in a scenario, read by the scenario's own rules.

use crate::cli::said;
use crate::gameday::Asked;
use crate::scenario::schema::{self, FaultKind, Form, Key};
use crate::scenario::{self, resolved::ByHand};
use crate::seed;
use clap::{ArgAction, ArgMatches, Command, FromArgMatches, Subcommand, value_parser};
use serde_json::{Map, Value, json};
use squall_yaml::Source;
use std::net::{IpAddr, SocketAddr};

/// What strikes a process, or what proxies are told of it, is not done by hand: neither is ours.
const EXAMPLES: [(&str, &str); 19] = [
    ("latency", "--base 200ms"),
    ("abort", "--status 503 --pick 30%"),
    ("reset", "--after-bytes 1KB"),
    ("truncate", "--after-bytes 100B"),
    ("refuse", ""),
    ("flap", "--down 2s --up 5s"),
    ("accept-stall", ""),
    ("connection-limit", "--most 10"),
    ("hang", "--pick 'every 5th'"),
    ("blackhole", "--direction server-to-client"),
    ("bandwidth", "--rate 64KB/s"),
    ("slicer", "--size 16B --every 10ms"),
    ("drip", "--every 20ms"),
    ("slow-close", "--by 2s"),
    ("corrupt", "--every 1KiB"),
    ("rewrite", "--set 'cache-control: no-store'"),
    ("lose-trailers", ""),
    ("degrade", "--by 500ms --pick 20%"),
    ("overload", "--each 20ms"),
];

/// Keys of a fault in a scenario that have no meaning by hand, or another option.
const ELSEWHERE: [&str; 4] = ["target", "behind", "at", "for"];

/// The kind that was chosen, and what is asked of it.
#[derive(Debug)]
pub(super) struct Chosen {
    kind: FaultKind,
    example: &'static str,
    matches: ArgMatches,
}

/// Kinds that can be done by hand, each with an example of its own options.
fn offered() -> impl Iterator<Item = (FaultKind, &'static str)> {
    let example = |kind: &FaultKind| EXAMPLES.iter().find(|(word, _)| *word == kind.word).map(|(_, example)| *example);
    schema::fault_kinds().into_iter().filter_map(move |kind| example(&kind).map(|example| (kind, example)))
}

impl Subcommand for Chosen {
    fn augment_subcommands(command: Command) -> Command {
        offered().fold(command, |command, (kind, example)| command.subcommand(of_kind(&kind, example)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        EXAMPLES.iter().any(|(word, _)| *word == name)
    }
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, matches) =
            matches.subcommand().ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let (kind, example) = offered()
            .find(|(kind, _)| kind.word == name)
            .ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))?;
        Ok(Self { kind, example, matches: matches.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn of_kind(kind: &FaultKind, example: &str) -> Command {
    let space = if example.is_empty() { "" } else { " " };
    let examples = format!(
        "docs/faults.md tells of each option.\n\nExamples:\n  squall fault {word} --to 127.0.0.1:8080 --listen 127.0.0.1:9090{space}{example} --for 1m\n  \
         squall fault {word} --to 127.0.0.1:8080{space}{example} --for 10s --stay --json",
        word = kind.word
    );
    let command =
        Command::new(kind.word.clone()).about(kind.about.trim_end_matches('.').to_owned()).after_help(examples);
    let own = kind.keys.iter().filter(|key| !ELSEWHERE.contains(&key.name.as_str()));
    command.args(common()).args(own.map(option).collect::<Vec<_>>())
}

/// Options that every kind has.
fn common() -> [clap::Arg; 9] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        clap::Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag =
        |name: &'static str, help: &'static str| clap::Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    [
        option("to", "ADDRESS", "Whom to break: host and port").required(true),
        option("listen", "ADDRESS", "Where whoever is to meet the fault connects; port 0 is any free one")
            .default_value("127.0.0.1:0")
            .value_parser(value_parser!(SocketAddr)),
        option("for", "TIME", "How long; until Ctrl-C or `squall fault clear` if absent"),
        flag("tcp", "Pass bytes on without reading them as HTTP: for databases, TLS, anything"),
        option("allow", "HOST", "Hosts, addresses or networks that may be broken, or listened on, although they are not this machine's loopback; may be repeated")
            .action(ArgAction::Append),
        flag("stay", "Let the relay stay when the fault is over, and pass everything on until it is told to end"),
        option("seed", "N", "From which victims and delays are drawn; drawn itself if absent")
            .value_parser(value_parser!(u64)),
        flag("json", "Tell what happens as JSON objects, a line each"),
        flag("quiet", "Tell nothing under way").short('q'),
    ]
}

fn option(key: &Key) -> clap::Arg {
    let value = match key.form {
        Form::List => "NAME,...",
        Form::Map => "KEY: VALUE,...",
        Form::Number => "N",
        Form::Flag | Form::Text => "VALUE",
    };
    let help = key.about.trim_end_matches('.').replace(['`', '{', '}'], "");
    let option = clap::Arg::new(key.name.clone()).long(key.name.clone()).help(help).required(key.is_required);
    if key.form == Form::Flag { option.action(ArgAction::SetTrue) } else { option.value_name(value) }
}

impl Chosen {
    pub(super) fn has(&self, flag: &str) -> bool {
        self.matches.get_flag(flag)
    }

    /// What is to be broken, or everything that is wrong with it.
    pub(super) fn asked(&self) -> Result<Asked, Vec<String>> {
        let fault = self.fault();
        let listen =
            self.matches.get_one::<SocketAddr>("listen").copied().unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        let mut wrong = fault.as_ref().err().cloned().unwrap_or_default();
        if !listen.ip().is_loopback() && !self.allowed().iter().any(|one| one.parse() == Ok::<IpAddr, _>(listen.ip())) {
            wrong.push(format!(
                "anybody who reaches this machine could connect to {listen}; if that is meant: --allow {}",
                listen.ip()
            ));
        }
        let seed = self.matches.get_one("seed").copied().unwrap_or_else(seed::draw);
        match fault {
            Ok(fault) if wrong.is_empty() => Ok(Asked { fault, listen, seed, stays: self.has("stay") }),
            _ => Err(wrong),
        }
    }

    fn allowed(&self) -> Vec<&String> {
        self.matches.get_many("allow").into_iter().flatten().collect()
    }

    fn text_of(&self, name: &str) -> Option<&String> {
        self.matches.get_one(name)
    }

    /// As it would stand in a scenario, and read like that.
    fn fault(&self) -> Result<ByHand, Vec<String>> {
        let mut keys = Map::from_iter([("target".to_owned(), json!("target"))]);
        for key in self.kind.keys.iter().filter(|key| !ELSEWHERE.contains(&key.name.as_str())) {
            let value = match key.form {
                Form::Flag => self.has(&key.name).then(|| json!(true)),
                form => self.text_of(&key.name).map(|text| value(text, form)),
            };
            keys.extend(value.map(|value| (key.name.clone(), value)));
        }
        let mut written = json!({
            "service": {"name": "target", "at": [self.text_of("to")], "tcp": self.has("tcp")},
            "allow": self.allowed(),
            "fault": {&self.kind.word: keys},
        });
        if let (Some(lasting), Some(written)) = (self.text_of("for"), written.as_object_mut()) {
            written.insert("for".to_owned(), json!(lasting));
        }
        let source = Source { path: "the command line".into(), text: written.to_string() };
        let read = scenario::fault_of_text(&source);
        read.map_err(|findings| {
            let help = format!("such as: squall fault {} --to 127.0.0.1:8080 {}", self.kind.word, self.example);
            findings.into_iter().map(said).chain([help]).collect()
        })
    }
}

/// The value of an option, as a scenario would have it.
fn value(text: &str, form: Form) -> Value {
    let wrapped = match form {
        Form::Map if !text.trim_start().starts_with('{') => format!("{{{text}}}"),
        Form::List if !text.trim_start().starts_with('[') => format!("[{text}]"),
        Form::Number | Form::Map | Form::List => text.to_owned(),
        Form::Flag | Form::Text => return json!(text),
    };
    // What is none is refused by what reads the whole.
    let read = squall_yaml::parse(&Source { path: "the command line".into(), text: wrapped });
    let document = read.ok().and_then(|documents| documents.into_iter().next());
    document.and_then(|document| Some(document.read::<Value>().ok()?.value)).unwrap_or_else(|| json!(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::{Kind, Pick, Unit};

    fn asked(line: &str) -> Result<Asked, Vec<String>> {
        let words = squall_words(line);
        let command = Chosen::augment_subcommands(Command::new("fault").subcommand_required(true));
        let matches = command.try_get_matches_from(words).map_err(|error| vec![error.to_string()])?;
        Chosen::from_arg_matches(&matches).unwrap().asked()
    }

    /// Words of a command line, quoted ones as one.
    fn squall_words(line: &str) -> Vec<String> {
        let quoted = line.split('\'').enumerate();
        let words = |(at, part): (usize, &str)| -> Vec<String> {
            if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        };
        std::iter::once("fault".to_owned()).chain(quoted.flat_map(words)).collect()
    }

    #[test]
    fn each_example_is_a_fault_of_its_kind() {
        for (word, example) in EXAMPLES {
            let asked = asked(&format!("{word} --to 127.0.0.1:8080 {example} --for 1m")).unwrap();
            let kind = asked.fault.fault.kind.word();
            let same = match word {
                "flap" => "refuse",
                "degrade" => "latency",
                word => word,
            };
            assert_eq!(kind, same);
            assert_eq!(asked.fault.lasting, Some(std::time::Duration::from_secs(60)));
        }
    }

    #[test]
    fn every_kind_of_the_language_is_offered_unless_it_strikes_processes_or_their_listing() {
        let kinds: Vec<String> = schema::fault_kinds().into_iter().map(|kind| kind.word).collect();
        let missing: Vec<&String> = kinds.iter().filter(|kind| !Chosen::has_subcommand(kind)).collect();
        assert_eq!(missing, ["kill", "pause", "terminate", "crash-loop", "limit", "unlist", "stale", "misdirect"]);
        assert_eq!(offered().count(), EXAMPLES.len());
    }

    #[test]
    fn options_are_read_as_in_a_scenario() {
        let asked = asked(
            "abort --to 127.0.0.1:8080 --status 503 --retry-after 2s --pick 30% --match 'path: /cart*, method: GET' --pulse 'active: 2s, idle: 3s'",
        )
        .unwrap();
        let fault = asked.fault.fault;
        assert!(matches!(&fault.kind, Kind::Abort { reply, .. } if reply.status == 503), "{fault:?}");
        assert_eq!((fault.pick, fault.unit), (Pick::Percent(30.0), Unit::Request));
        assert_eq!((fault.matching.path.as_deref(), fault.matching.method.as_deref()), (Some("/cart*"), Some("GET")));
        assert!(fault.rhythm.pulse.is_some());
        assert_eq!(asked.fault.what, "abort 503 (2s on, 3s off), 30%");
    }

    #[test]
    fn bytes_are_not_read_where_that_is_asked_for() {
        let asked = asked("latency --to 127.0.0.1:5432 --base 1ms --tcp").unwrap();
        assert_eq!((asked.fault.tcp, asked.fault.fault.unit), (true, Unit::Connection));
    }

    #[test]
    fn what_is_wrong_is_said_at_once_and_how_it_is_right() {
        for (line, wanted) in [
            ("latency --to 127.0.0.1 --base 1ms", "is no address"),
            ("latency --to 192.0.2.1:80 --base 1ms", "is not on this machine"),
            ("latency --to 127.0.0.1:80 --base soon", "soon"),
            ("latency --to 127.0.0.1:80 --base 1ms --listen 0.0.0.0:9090", "--allow 0.0.0.0"),
            ("abort --to 127.0.0.1:80 --status 99", "no status to abort with"),
            ("abort --to 127.0.0.1:80 --status 503 --tcp", "is TCP"),
            ("abort --to 127.0.0.1:80 --status 503 --pick 130%", "130%"),
            ("drip --to 127.0.0.1:80 --every 1ms --for 0s", "no length"),
        ] {
            let wrong = asked(line).unwrap_err().join("\n");
            assert!(wrong.contains(wanted), "{line}: {wrong}");
        }
    }
}
