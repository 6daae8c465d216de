//! Envoy or Squall, running with a bootstrap.

use crate::http::{Message, get};
use crate::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running proxy; it is killed when dropped.
#[derive(Debug)]
pub struct Side {
    child: Child,
    folder: TempDir,
    /// `envoy` or `squall`.
    pub name: &'static str,
    /// Where it takes requests.
    pub listen: SocketAddr,
    /// Where it answers questions.
    pub admin: SocketAddr,
}

impl Side {
    /// Envoy, once it has read its file. `bootstrap.yaml` is among the files.
    pub(super) fn envoy(binary: &Path, files: &[(&str, String)]) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(["-c", "bootstrap.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]);
        command.args(["--file-flush-interval-msec", "10", "--admin-address-path", "admin"]);
        Self::start("envoy", command, files)
    }

    /// Squall.
    pub(super) fn squall(files: &[(&str, String)]) -> Result<Self, String> {
        let mut command = Command::new(crate::binary());
        command.args(["proxy", "--seed", "1", "--envoy-bootstrap", "bootstrap.yaml"]);
        Self::start("squall", command, files)
    }

    fn start(name: &'static str, mut command: Command, files: &[(&str, String)]) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        files.iter().for_each(|(name, text)| fs::write(path(name), text).expect("a file"));
        let file = |name: &str| fs::File::create(path(name)).expect("a file");
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(file("ready")).stderr(file("log"));
        let mut child = command.spawn().expect("a process");
        let read = |name: &str| fs::read_to_string(path(name)).unwrap_or_default();
        let mut found = None;
        until(&format!("{name} is ready"), || {
            found = addresses(name, read);
            found.is_some() || child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        match found {
            Some((listen, admin)) => Ok(Self { child, folder, name, listen, admin }),
            None => Err(format!("{name} does not take the bootstrap:\n{}", read("log"))),
        }
    }

    /// What the admin interface says.
    #[must_use]
    pub fn ask_admin(&self, path: &str) -> Message {
        get(self.admin, path, "host: localhost\r\nconnection: close\r\n")
    }

    /// All counters and levels.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, i64> {
        let text = self.ask_admin("/stats").text();
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    /// The health of each endpoint, as `cluster address flags`.
    #[must_use]
    pub fn health(&self) -> Vec<String> {
        let text = self.ask_admin("/clusters").text();
        let lines = text.lines().filter_map(|line| {
            let (cluster, rest) = line.split_once("::")?;
            let (address, flags) = rest.split_once("::health_flags::")?;
            Some(format!("{cluster} {address} {flags}"))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    }

    /// The lines of its access log so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|line| line.trim_end().to_owned()).collect()
    }
}

/// Where it listens and where it answers questions, once it does both.
fn addresses(name: &str, read: impl Fn(&str) -> String) -> Option<(SocketAddr, SocketAddr)> {
    if name == "squall" {
        let ready: Value = serde_json::from_str(&read("ready")).ok()?;
        let address = |key: &str| ready[key].as_str()?.parse().ok();
        return Some((address("listen")?, address("admin")?));
    }
    let admin: SocketAddr = read("admin").trim().parse().ok()?;
    let ask = |path: &str| get(admin, path, "host: localhost\r\nconnection: close\r\n").text();
    if ask("/ready").trim() != "LIVE" {
        return None;
    }
    let listeners: Value = serde_json::from_str(&ask("/listeners?format=json")).ok()?;
    let socket = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
    let port = u16::try_from(socket["port_value"].as_u64()?).ok()?;
    Some((SocketAddr::from(([127, 0, 0, 1], port)), admin))
}

impl Drop for Side {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
