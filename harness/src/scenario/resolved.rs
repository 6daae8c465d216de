//! A scenario with nothing left to guess: defaults applied, names looked up, durations and rates as numbers.

mod abort;
mod expectation;
mod flow;
mod mesh;
mod profile;
mod service;
mod sweep;
mod timeline;

pub use abort::{AbortWhen, Alarm};
pub use expectation::{Chosen, Expectation, HealingKind, Limit, Metric, Subject};
pub use flow::{Flow, Header, HeaderValue, Players};
pub use mesh::{Entrance, MeshMode, Port};
pub use profile::{Pace, Profile, Stretch};
pub use service::{Latency, Program, Responds, Service, Version};
pub use sweep::{Combination, Search, Sweep};
pub use timeline::{Action, Apply, ByHand, Phase, PlannedFault, Release, Strikes};

use squall_proxy::config::mesh::IstioVersion;
use squall_proxy::policy::{Beyond, Healing};
use std::path::PathBuf;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The claim that the run is to prove.
    pub title: String,
    /// The title in letters that a file name can hold; unique in a run.
    pub slug: String,
    /// File as given on the command line.
    pub file: PathBuf,
    /// Where it begins.
    pub place: Place,
    /// Its text.
    pub source: String,
    /// Prose for the report.
    pub about: Option<String>,
    /// Words for `--filter`.
    pub tags: Vec<String>,
    /// Fixed seed, if the file has one.
    pub seed: Option<u64>,
    /// The services.
    pub services: Vec<Service>,
    /// Policy files (paths resolved against the scenario's folder); policies in line are written to a file of their own by the executor.
    pub policies: Vec<PolicySource>,
    /// Field paths that may stay without effect.
    pub accept_unsupported: Vec<String>,
    /// Where proxies stand; the cells of a sweep may say otherwise.
    pub mode: MeshMode,
    /// Whose behaviour it follows.
    pub compat: IstioVersion,
    /// What it does better than Envoy.
    pub beyond_envoy: Beyond,
    /// The proxies that clients ask, by mode, for each mode that is run and has one.
    pub entrances: Vec<Entrance>,
    /// Zone of the proxy.
    pub zone: Option<String>,
    /// The flows of the load.
    pub flows: Vec<Flow>,
    /// Phases in order, the warm-up first; empty for a sweep.
    pub timeline: Vec<Phase>,
    /// Lists to combine; absent for a timeline.
    pub sweep: Option<Sweep>,
    /// All expectations, in the order of the file.
    pub expectations: Vec<Expectation>,
    /// The same run with healing taken out, or under other policies.
    pub control: Option<Control>,
    /// Blast radius: at most so many instances may be hit at once.
    pub max_affected: Option<u32>,
    /// Conditions under which everything is undone at once, and nothing judged.
    pub abort_when: Vec<AbortWhen>,
}

impl Scenario {
    /// True if the text stands in the title or the path, whatever its case, or is a tag.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.title.to_lowercase().contains(&text)
            || self.file.display().to_string().to_lowercase().contains(&text)
            || self.tags.iter().any(|tag| tag.to_lowercase() == text)
    }
}

/// Where policies come from.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicySource {
    /// A file or folder.
    Path(PathBuf),
    /// Written in the scenario itself, as YAML text.
    Inline(String),
}

/// The same run with healing taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Where it stands in the file.
    pub place: Place,
    /// What is taken out.
    pub without: Vec<Healing>,
    /// Policies in the place of the scenario's own.
    pub policies: Option<OtherPolicies>,
    /// Ids of the expectations that it must miss; the default is every `success` and `lost` of a phase that has a fault.
    pub fails: Vec<String>,
    /// Run the recovery too; by default the control ends with the last phase that has a fault or an action.
    pub whole_timeline: bool,
}

/// Policies that a control obeys in the place of the scenario's own.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherPolicies {
    /// Where they are.
    pub sources: Vec<PolicySource>,
    /// The proxy that clients ask under them, if the mode has one.
    pub entrance: Option<Entrance>,
}
