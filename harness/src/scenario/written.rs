//! A scenario in the user's own words: what the file says, with a place for every value that can be wrong in meaning.
//!
//! Nothing here is looked up or defaulted; that is `resolve`'s work. Keys of the language that are not obeyed yet are
//! [`Reserved`]: they are known, and refused by name. The same types are the source of the JSON Schema, so their
//! documentation is what an editor shows.

mod abort;
mod action;
mod by_hand;
mod compat;
mod control;
mod expect;
mod fault;
mod journey;
mod load;
mod pick;
mod placed;
mod port;
mod profile;
mod shapes;
mod sweep;
mod target;
mod timeline;
mod topology;

pub use abort::*;
pub use action::*;
pub use by_hand::*;
pub use compat::*;
pub use control::*;
pub use expect::*;
pub use fault::*;
pub use journey::*;
pub use load::*;
pub use pick::*;
pub use placed::*;
pub use port::*;
pub use profile::*;
pub use shapes::*;
pub use sweep::*;
pub use target::*;
pub use timeline::*;
pub use topology::*;

use crate::units::Percent;
use schemars::JsonSchema;
use serde::Deserialize;

/// A scenario: what runs, what breaks, what must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// The title: a claim that the run proves, such as `one failing instance is ejected`.
    pub scenario: Placed<String>,
    /// Version of the language: 1.
    pub version: Option<Placed<u64>>,
    /// Prose for the report: why the limits are what they are.
    pub about: Option<String>,
    /// Words for `--filter`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Fixed seed; otherwise one is drawn, printed and recorded.
    pub seed: Option<u64>,
    /// The services.
    pub topology: Topology,
    /// Policies as they are in the cluster: files, folders, or objects in line; or one Envoy bootstrap.
    #[serde(default)]
    pub policies: Vec<Placed<Policy>>,
    /// Fields of the policies that may stay without effect, such as `DestinationRule.spec.trafficPolicy.tls`.
    #[serde(default)]
    pub accept_unsupported: Vec<String>,
    /// Codes of advice that is known and meant, such as `SQ0514`: it is not told again.
    #[serde(default)]
    pub accept: Vec<Placed<String>>,
    /// How the proxy stands to the services.
    pub mesh: Option<Mesh>,
    /// One flow of requests, or a list of named flows.
    pub load: OneOrMany<Flow>,
    /// Phases in order; a warm-up of 1 s is put in front unless the first phase is called `warm-up`.
    pub timeline: Option<Vec<Phase>>,
    /// Lists to combine; each cell is a short run. In place of a timeline.
    pub sweep: Option<Placed<Sweep>>,
    /// What must hold, by name of phase, and for `healing`, `whole` and `sweep`.
    pub expect: Expect,
    /// The same run with healing taken out: it must fail, or the scenario proves nothing.
    pub control: Option<Placed<Control>>,
    /// Blast radius.
    pub max_affected: Option<Placed<MaxAffected>>,
    /// Conditions under which everything is undone at once, and nothing judged.
    #[serde(default)]
    pub abort_when: Vec<Placed<AbortWhen>>,
    /// Where services may run that are not on this machine's loopback: names, addresses, or networks such as `10.1.0.0/16`.
    #[serde(default)]
    pub allow: Vec<Placed<String>>,
}

/// Blast radius: how much may be hit at once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MaxAffected {
    /// Instances that faults may hit at the same time.
    pub instances: Option<u32>,
    /// So many of all instances, rounded down.
    pub percent: Option<Percent>,
}

/// How the proxy stands to the services.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mesh {
    /// Where a proxy stands; `client` where it is not said.
    pub mode: Option<Placed<Mode>>,
    /// Zone that the proxy is in, by which it finds the instances nearest to it.
    pub zone: Option<Placed<String>>,
    /// Whose proxy; `squall` where it is not said.
    pub proxy: Option<Placed<String>>,
    /// Whose behaviour it follows where releases differ: a version of Istio such as `1.23`; the newest known where it is not said.
    pub compat: Option<Compat>,
    /// What it does better than Envoy: `half-open`, `fresh-evidence`, `stalled`, `per-instance-limits`, or `all`; nothing where it is
    /// not said.
    #[serde(default)]
    pub beyond_envoy: Vec<Placed<String>>,
}

/// Where a proxy stands between clients and services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nowhere: the load spreads its connections over the instances.
    None,
    /// On the client's side.
    Client,
    /// On the service's side: one beside each instance.
    Server,
    /// On both sides.
    Both,
    /// At the edge, where the policies' Gateways open it.
    Gateway,
}

/// A policy: a path, or the object itself.
#[derive(Debug, Clone)]
pub enum Policy {
    /// A file or folder, relative to the scenario's folder.
    Path(String),
    /// The object.
    Inline(serde_json::Map<String, serde_json::Value>),
}
