//! How proxies stand to the services.

use std::collections::BTreeMap;

/// Where proxies stand between clients and services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshMode {
    /// Nowhere: the load spreads its connections over the instances.
    None,
    /// One on the client's side.
    Client,
    /// One beside each instance; the load spreads its connections over them.
    Server,
    /// On both sides.
    Both,
    /// One at the edge.
    Gateway,
}

impl MeshMode {
    /// All, in the order of their names in the language.
    pub const ALL: [Self; 5] = [Self::None, Self::Client, Self::Server, Self::Both, Self::Gateway];

    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Client => "client",
            Self::Server => "server",
            Self::Both => "both",
            Self::Gateway => "gateway",
        }
    }

    /// The one that a word names.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }

    /// All clients ask one proxy.
    pub fn has_entrance(self) -> bool {
        matches!(self, Self::Client | Self::Both | Self::Gateway)
    }

    /// A proxy stands beside each instance.
    pub fn has_sidecars(self) -> bool {
        matches!(self, Self::Server | Self::Both)
    }
}

/// The proxy that all clients ask, in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The mode.
    pub mode: MeshMode,
    /// Its policies are an Envoy bootstrap.
    pub bootstrap: bool,
    /// Labels by which Gateways select it.
    pub labels: BTreeMap<String, String>,
    /// What it takes, and where: values of `--listen`.
    pub listen: Vec<String>,
    /// Name of the listener that each flow asks.
    pub asked: Vec<String>,
}

/// A port of a service. All ports of an instance lead to the same process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Its name, as that of the Kubernetes Service.
    pub name: String,
    /// Bytes are passed on without being read as HTTP.
    pub tcp: bool,
}
