//! The scenario language: as written, then resolved.
//!
//! [`load`] goes from files to [`resolved`] scenarios, which are all that the rest of the harness knows of it, or to everything
//! that is wrong with them.

mod code;
mod files;
pub mod finding;
pub mod limit;
pub mod metric;
mod parse;
mod problems;
mod resolve;
pub mod resolved;
pub mod schema;
pub mod set;
pub mod written;

#[cfg(test)]
mod tests;

use parse::Reading;
use problems::Problems;
use resolved::{ByHand, Place, Scenario};
use set::Set;
use squall_proxy::config::mesh::IstioVersion;
use squall_yaml::{Document, Finding, Severity};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// How scenarios are read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Changes to make before reading, to every scenario: `load.rate=800/s`.
    pub set: Vec<String>,
    /// No control, and recovery cut to what shows it.
    pub quick: bool,
    /// Whose behaviour the proxies of those scenarios follow that do not say it; the newest known Istio's.
    pub istio: IstioVersion,
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// In the order of the paths, and of each file.
    pub scenarios: Vec<Scenario>,
    /// What is likely not meant, but can be run.
    pub warnings: Vec<Finding>,
}

/// Reads the scenarios of a text that stands in no file of the user's. They need expect nothing.
pub fn of_text(source: &squall_yaml::Source) -> (Vec<Scenario>, Vec<Finding>) {
    parse::text_of(source, true, &Reading { figures_alone: true, ..Reading::default() })
}

/// Reads one fault by itself, or tells everything that is wrong with it.
pub fn fault_of_text(source: &squall_yaml::Source) -> Result<ByHand, Vec<Finding>> {
    let documents = squall_yaml::parse(source)?;
    let mut problems = Problems::new(&source.path);
    let read = documents.first().map(Document::read::<written::ByHand>).transpose()?;
    match read.and_then(|read| resolve::by_hand(&read.value, &mut problems)) {
        Some(fault) => Ok(fault),
        None => Err(problems.into_findings()),
    }
}

/// Where an address leads that may be broken: this machine's loopback, or what is allowed.
pub fn address(text: &str, allow: &[String]) -> Result<SocketAddr, Vec<Finding>> {
    let mut problems = Problems::new(Path::new(""));
    resolve::address(text, allow, &mut problems).ok_or_else(|| problems.into_findings())
}

/// Reads files, and all scenarios in folders: `*.yaml` with the key `scenario`, sorted, without those under `policies/`. The errors
/// are all that there are, in all files.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    let reading = Reading { set: changes(&options.set)?, istio: options.istio, figures_alone: false };
    let mut scenarios = Vec::new();
    let mut findings = Vec::new();
    for file in files::find(paths)? {
        let (of_file, found) = parse::file(&file, &reading);
        scenarios.extend(of_file);
        // Scenarios share policies; what is wrong with those is said once.
        let fresh: Vec<_> = found.into_iter().filter(|finding| !findings.contains(finding)).collect();
        findings.extend(fresh);
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    if options.quick {
        scenarios.iter_mut().for_each(resolve::quick);
    }
    name_apart(&mut scenarios);
    Ok(Loaded { scenarios, warnings: findings })
}

fn changes(texts: &[String]) -> Result<Vec<Set>, Vec<Finding>> {
    let mut changes = Vec::new();
    let mut problems = Problems::new(Path::new("--set"));
    for text in texts {
        match text.parse::<Set>() {
            Ok(change) => changes.push(change),
            Err(error) => {
                problems.error(code::SHAPE, Place::default(), error.to_string());
            }
        }
    }
    if problems.has_errors() { Err(problems.into_findings()) } else { Ok(changes) }
}

/// Makes the slugs differ.
fn name_apart(scenarios: &mut [Scenario]) {
    let mut taken = HashSet::new();
    for scenario in scenarios {
        let base = scenario.slug.clone();
        let mut number = 2_u32;
        while !taken.insert(scenario.slug.clone()) {
            scenario.slug = format!("{base}-{number}");
            number += 1;
        }
    }
}
