//! `squall init`: a first scenario for each healing that policies promise, with the policies' own numbers.

use super::{Exit, complain, tell};
use crate::scenario::finding;
use crate::units::TimeSpan;
use squall_yaml::{Document, Finding, Node, Source, Value};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `squall init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall init scenarios/ejection/policies\n  squall init scenarios/ejection/policies/eject-and-retry.yaml > first.yaml"
)]
pub(super) struct Args {
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,
}

/// Prints a commented scenario for each outlier detection and each retry rule.
pub(super) fn main(args: &Args) -> Exit {
    let (promises, findings) = match look(&args.policies) {
        Ok(found) => found,
        Err(error) => {
            complain(&error);
            return Exit::BadInput;
        }
    };
    if !findings.is_empty() {
        finding::print(&findings);
        return Exit::BadInput;
    }
    if promises.is_empty() {
        complain(&"these policies promise no healing: there is no `outlierDetection` and no `retries` in them");
        return Exit::NothingSelected;
    }
    let scenarios: Vec<String> = promises.iter().map(|promise| scenario(promise, &promises)).collect();
    tell(&scenarios.join("---\n").trim_end());
    Exit::Success
}

/// A healing that a policy promises.
enum Promise {
    /// A `DestinationRule` with `outlierDetection`.
    Ejection { host: String, failures: u64, base: Duration, file: PathBuf },
    /// A route of a `VirtualService` with `retries`.
    Retries { host: String, attempts: u64, file: PathBuf },
}

impl Promise {
    fn host(&self) -> &str {
        match self {
            Self::Ejection { host, .. } | Self::Retries { host, .. } => host,
        }
    }

    fn file(&self) -> &Path {
        match self {
            Self::Ejection { file, .. } | Self::Retries { file, .. } => file,
        }
    }

    fn same_as(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.host() == other.host()
    }
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}", .path.display())]
struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

/// All promises of the policies, and what is wrong with their YAML.
fn look(paths: &[PathBuf]) -> Result<(Vec<Promise>, Vec<Finding>), Unreadable> {
    let mut findings = Vec::new();
    let mut promises = Vec::new();
    for file in files(paths)? {
        let text = fs::read_to_string(&file).map_err(|error| Unreadable { path: file.clone(), error })?;
        let source = Source { text, path: file };
        match squall_yaml::parse(&source) {
            Ok(documents) => {
                for document in &documents {
                    promised(document, &source.path, &mut promises);
                }
            }
            Err(found) => findings.extend(found),
        }
    }
    Ok((promises, findings))
}

/// Files as given, and those of folders.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Unreadable> {
    let mut files = Vec::new();
    for path in paths {
        let at = |error| Unreadable { path: path.clone(), error };
        if !fs::metadata(path).map_err(at)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(at)?;
        let yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let mut inside: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(yaml).collect();
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn promised(document: &Document, file: &Path, promises: &mut Vec<Promise>) {
    let root = &document.root;
    let Some(spec) = get(root, "spec") else { return };
    match text(root, "kind") {
        Some("DestinationRule") => {
            let Some(host) = text(spec, "host").map(short) else { return };
            let Some(detection) = get(spec, "trafficPolicy").and_then(|policy| get(policy, "outlierDetection")) else {
                return;
            };
            promises.push(Promise::Ejection {
                host,
                // Istio's defaults: 5 failures in a row, 30 s.
                failures: number(detection, "consecutive5xxErrors").unwrap_or(5),
                base: text(detection, "baseEjectionTime")
                    .and_then(|text| text.parse::<TimeSpan>().ok())
                    .map_or(Duration::from_secs(30), |span| span.0),
                file: file.to_owned(),
            });
        }
        Some("VirtualService") => {
            for route in entries(get(spec, "http")) {
                let Some(retries) = get(route, "retries") else { continue };
                let destination = entries(get(route, "route")).first().and_then(|to| get(to, "destination"));
                let Some(host) = destination.and_then(|destination| text(destination, "host")).map(short) else {
                    continue;
                };
                // Istio's default: 2 attempts beyond the first.
                let attempts = number(retries, "attempts").unwrap_or(2);
                if attempts > 0 {
                    promises.push(Promise::Retries { host, attempts, file: file.to_owned() });
                }
            }
        }
        _ => {}
    }
}

/// Instances, and requests a second, of a first scenario.
const INSTANCES: u64 = 3;
const RATE: u64 = 500;

fn scenario(promise: &Promise, all: &[Promise]) -> String {
    let mut text = String::new();
    // Several policies may promise the same: the file tells their scenarios apart.
    let twins = all.iter().filter(|other| other.same_as(promise)).count() > 1;
    let by = if twins { format!(", by {}", promise.file().display()) } else { String::new() };
    // What ejects the instance would save it without retries, too.
    let ejects = all.iter().any(|other| matches!(other, Promise::Ejection { .. }) && other.host() == promise.host());
    let without = if ejects { "retries, outlier-detection" } else { "retries" };
    // Writing to a string never fails.
    let _ = match promise {
        Promise::Ejection { host, failures, base, file } => {
            let lost = failures * 2;
            // Back at the latest one interval (10 s by default) after the ejection ends, which began with the fault.
            let recovery = base.as_secs() + 15;
            write!(
                text,
                "\
# {file} ejects an instance of {host} after {failures} failures in a row, for {base} at first.
scenario: a failing instance of {host} is ejected{by}
about: >
  With outlier detection about {failures} requests fail before the instance is out. Without it a third of all requests to
  {host} would go on failing: {third} a second.
topology:
  services: [{{name: {host}, instances: {INSTANCES}}}]
policies: [{file}]
load: {{to: {host}, rate: {RATE}/s}}
timeline:
  - {{phase: baseline, for: 5s}}
  - {{phase: fault, for: 8s, faults: [{{abort: {{target: {host}/1, status: 503}}}}]}}
  - {{phase: recovery, for: {recovery}s}}
expect:
  # {failures} failures in a row, and as many again on their way when the instance goes.
  fault: {{lost: \"<= {lost}\"}}
  healing:
    - {{ejected: {host}/1, within: 2s}}
    - {{readmitted: {host}/1, within: {within}s}}
# The same without outlier detection and retries must fail, or the scenario proves nothing.
control: {{without: [outlier-detection, retries]}}
",
                file = file.display(),
                base = TimeSpan(*base),
                third = RATE / INSTANCES,
                within = recovery - 2,
            )
        }
        Promise::Retries { host, attempts, file } => write!(
            text,
            "\
# {file} retries requests to {host} up to {attempts} times.
scenario: failures on one instance of {host} are hidden by retries{by}
about: >
  A third of the requests meets an instance that fails 30 % of them, so 10 % of first attempts fail. With {attempts} more
  attempts, hardly any request is lost, at about 1.1 attempts a request.
topology:
  services: [{{name: {host}, instances: {INSTANCES}}}]
policies: [{file}]
load: {{to: {host}, rate: {RATE}/s}}
timeline:
  - {{phase: baseline, for: 5s}}
  - {{phase: flaky, for: 8s, faults: [{{abort: {{target: {host}/1, status: 503, pick: 30%}}}}]}}
expect:
  flaky: {{success: \">= 99%\", attempts-per-request: \"<= 1.3\"}}
control: {{without: [{without}]}}
",
            file = file.display(),
        ),
    };
    text
}

/// The first label of a host: the name that it has as a service.
fn short(host: &str) -> String {
    host.split('.').next().unwrap_or(host).to_owned()
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(name, _)| name.value.scalar() == Some(key)).map(|(_, value)| value)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    get(node, key).and_then(|node| node.value.scalar())
}

fn number(node: &Node, key: &str) -> Option<u64> {
    text(node, key).and_then(|text| text.parse().ok())
}

fn entries(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::List(entries)) => entries,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{look, scenario};
    use crate::scenario::{LoadOptions, finding, load};
    use std::fs;
    use std::path::Path;

    #[test]
    fn what_init_writes_can_be_run_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let policies =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/ejection/policies/eject-and-retry.yaml");
        let (promises, findings) = look(&[policies]).unwrap();
        assert_eq!((promises.len(), findings.len()), (2, 0));
        let file = folder.path().join("first.yaml");
        fs::write(&file, promises.iter().map(|promise| scenario(promise, &promises)).collect::<Vec<_>>().join("---\n"))
            .unwrap();
        let loaded = load(&[file], &LoadOptions::default());
        let loaded = loaded.unwrap_or_else(|findings| panic!("{}", finding::render(&findings, false)));
        assert_eq!(loaded.scenarios.len(), 2);
        assert_eq!(loaded.warnings, []);
    }
}
