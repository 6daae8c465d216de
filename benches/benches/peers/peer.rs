//! The proxies that are compared.

use super::PROXY_CORE;
use super::configuration::{self, Protocol};
use super::process::{Pinned, free};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What all of them share.
pub(crate) struct Setting<'a> {
    pub(crate) endpoints: &'a [SocketAddr],
    pub(crate) folder: &'a Path,
    /// Envoy's binary.
    pub(crate) envoy: String,
}

/// A proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Squall,
    Envoy,
    Hyper,
    HaProxy,
    Nginx,
}

impl Peer {
    pub(crate) const ALL: [Self; 5] = [Self::Squall, Self::Envoy, Self::Hyper, Self::HaProxy, Self::Nginx];
    pub(crate) const NAMES: [&str; 5] = ["squall", "envoy", "bare hyper", "haproxy", "nginx"];

    /// Its column in tables.
    pub(crate) fn place(self) -> usize {
        self as usize
    }

    /// Starts it in front of the endpoints, and waits until it takes connections.
    pub(crate) fn start(self, setting: &Setting<'_>, protocol: Protocol) -> io::Result<(Pinned, SocketAddr)> {
        self.start_scaled(setting, protocol, 1, 1)
    }

    /// The same with so many routes and clusters, where it takes Envoy's files.
    pub(crate) fn start_scaled(
        self,
        setting: &Setting<'_>,
        protocol: Protocol,
        routes: usize,
        clusters: usize,
    ) -> io::Result<(Pinned, SocketAddr)> {
        let [listen, admin] = free();
        let folder = setting.folder.display().to_string();
        let file = setting.folder.join(format!("{}.yaml", Self::NAMES[self.place()]));
        let text = match self {
            Self::Squall | Self::Envoy => {
                configuration::bootstrap(listen, admin, setting.endpoints, protocol, routes, clusters)
            }
            Self::HaProxy => configuration::haproxy(listen, setting.endpoints, protocol),
            Self::Nginx => configuration::nginx(listen, setting.endpoints, protocol, &folder),
            Self::Hyper => String::new(),
        };
        if self != Self::Hyper {
            return self.start_with(setting, &file, &text, listen, &[]);
        }
        let this = std::env::current_exe()?;
        let endpoints: Vec<String> = setting.endpoints.iter().map(ToString::to_string).collect();
        let spoken = if protocol == Protocol::Http2 { "http2" } else { "http1" };
        let to = listen.to_string();
        let arguments: Vec<&str> =
            ["forwarder", spoken, &to].into_iter().chain(endpoints.iter().map(String::as_str)).collect();
        Ok((started(&this.to_string_lossy(), &arguments, listen)?, listen))
    }

    /// Starts it on a configuration, with further arguments, and waits until it takes connections.
    pub(crate) fn start_with(
        self,
        setting: &Setting<'_>,
        file: &Path,
        text: &str,
        listen: SocketAddr,
        further: &[&str],
    ) -> io::Result<(Pinned, SocketAddr)> {
        std::fs::write(file, text)?;
        let file = file.display().to_string();
        let squall = squall_tests::binary();
        let squall = squall.to_string_lossy();
        let (program, arguments) = match self {
            Self::Squall => (&*squall, vec!["proxy", "--envoy-bootstrap", &file, "--concurrency", "1"]),
            Self::Envoy => (
                setting.envoy.as_str(),
                vec!["-c", &file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
            ),
            Self::HaProxy => ("haproxy", vec!["-f", &file]),
            Self::Nginx => ("nginx", vec!["-c", &file]),
            Self::Hyper => return Err(io::Error::other("the bare forwarder has no file")),
        };
        Ok((started(program, &[&arguments, further].concat(), listen)?, listen))
    }
}

fn started(program: &str, arguments: &[&str], listen: SocketAddr) -> io::Result<Pinned> {
    let failed = |error| io::Error::other(format!("{program}: {error}"));
    let mut process = Pinned::start(PROXY_CORE, program, arguments).map_err(failed)?;
    process.listens(listen).map_err(failed)?;
    Ok(process)
}

/// Installs Envoy unless it is there, and says where.
pub(crate) fn envoy() -> io::Result<String> {
    let script = squall_tests::repository().join("tests/envoy/setup");
    let output = Command::new(script).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
