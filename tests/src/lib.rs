//! What the end-to-end tests share: a folder with a scenario in it, and the binary run in that folder.
//!
//! A test says only what is special about it. Nothing here sleeps: [`until`] waits for a condition and says which one.

pub mod bootstrap;
pub mod envoy;
pub mod frames;
pub mod gallery;
pub mod http;
pub mod http2;
pub mod proxy;
pub mod relay;
pub mod strict;
pub mod tls;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with scenarios, policies and the state of runs, gone when dropped.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
}

/// An empty project.
#[must_use]
pub fn project() -> Project {
    Project { folder: tempfile::tempdir().expect("a temporary folder") }
}

impl Project {
    /// Adds a file.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the binary, to be run here.
    #[must_use]
    pub fn squall(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("SQUALL_STATE_DIR", self.path().join("state")).env_remove("CI").env_remove("GITHUB_ACTIONS");
        command
    }

    /// Runs it to its end. A run that proved nothing for the machine's sake tells nothing of the program either: it is forgotten and
    /// done again, at most [`MOST_RUNS`] times, and each says so.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, |_| {})
    }

    /// The same for a command that is made ready before each of its runs.
    #[must_use]
    pub fn run_with(&self, arguments: &[&str], ready: impl Fn(&mut Command)) -> Ended {
        let before = self.runs();
        let once = || {
            let mut command = self.squall(arguments);
            ready(&mut command);
            Ended { output: command.output().expect("the binary runs") }
        };
        let mut ended = once();
        for _ in 1..MOST_RUNS {
            if !ended.is_machines_fault() {
                break;
            }
            eprintln!("the machine was too busy for {arguments:?}: {}", ended.out());
            for run in self.runs().difference(&before) {
                fs::remove_dir_all(run).expect("the run's own folder");
            }
            ended = once();
        }
        ended
    }

    /// Folders of runs.
    fn runs(&self) -> BTreeSet<PathBuf> {
        let entries = fs::read_dir(self.path().join("squall-out")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
    }

    /// Starts it, with what it prints thrown away.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.squall(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
    }

    /// What the newest run has written so far of a scenario.
    #[must_use]
    pub fn stream(&self, slug: &str) -> String {
        let file = self.path().join("squall-out/latest").join(slug).join("record.jsonl");
        fs::read_to_string(file).unwrap_or_default()
    }

    /// The newest record of a scenario.
    #[must_use]
    pub fn record(&self, slug: &str) -> Value {
        let file = self.path().join("squall-out/latest").join(slug).join("record.json");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).expect("a record is JSON")
    }
}

/// Runs of a command until the machine lets it prove something.
const MOST_RUNS: u32 = 5;

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    output: Output,
}

impl Ended {
    /// True if it was a run whose load could not be sent in time.
    fn is_machines_fault(&self) -> bool {
        self.code() == Some(3) && (self.out() + &self.err()).contains("the generator was up to")
    }

    /// Its exit code.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// Its standard output.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Its standard error.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Its standard output as one JSON value a line.
    #[must_use]
    pub fn json_lines(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Fails with everything that was printed unless it ended with this code.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "stdout:\n{}\nstderr:\n{}", self.out(), self.err());
        self
    }
}

/// The binary under test, of the same build as the tests.
#[must_use]
pub fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().expect("the path of the test");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let binary = folder.join("squall");
    assert!(binary.is_file(), "{} is not built: run `cargo test --workspace`", binary.display());
    binary
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Waits until `condition` holds, looking every 10 ms; fails with `what` after 30 s.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    #[allow(clippy::disallowed_methods, reason = "a test waits by the real clock")]
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited 30 s in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Processes whose command line holds `text`, by id.
#[must_use]
pub fn processes_with(text: &str) -> Vec<(i32, String)> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let with_command = ids.filter_map(|id| {
        let command = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        Some((id, String::from_utf8_lossy(&command).replace('\0', " ")))
    });
    with_command.filter(|(id, command)| command.contains(text) && *id != std::process::id() as i32).collect()
}

/// Children of a process, with their command lines.
#[must_use]
pub fn children(parent: u32) -> Vec<(i32, String)> {
    let is_child = |id: i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything; state and parent follow it.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        after_name.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    processes_with("").into_iter().filter(|(id, _)| is_child(*id)).collect()
}

/// A scenario of five seconds: three instances, one of which answers 503 for a while.
pub const EJECT: &str = include_str!("eject.yaml");

/// The policies of [`EJECT`].
pub const EJECT_POLICIES: &str = include_str!("eject-policies.yaml");

/// A project with [`EJECT`] in it, and its policies.
#[must_use]
pub fn ejection() -> Project {
    project().file("eject.yaml", EJECT).file("policies/cart.yaml", EJECT_POLICIES)
}
