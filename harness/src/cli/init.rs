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
    tell(&scenarios.join("---\n").trim_end())
}

/// A healing that a policy promises.
enum Promise {
    /// A `DestinationRule` with `outlierDetection`.
    Ejection { host: String, failures: u64, base: Duration, instances: u64, file: PathBuf },
    /// A route of a `VirtualService` with `retries`; requests to this path take it.
    Retries { host: String, attempts: u64, path: Option<String>, file: PathBuf },
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
                instances: enough(number(detection, "maxEjectionPercent").unwrap_or(10)),
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
                    promises.push(Promise::Retries { host, attempts, path: path_of(route), file: file.to_owned() });
                }
            }
        }
        _ => {}
    }
}

/// A path that the first match of a route takes; None for a route that takes every path.
fn path_of(route: &Node) -> Option<String> {
    let uri = get(entries(get(route, "match")).first()?, "uri")?;
    text(uri, "exact").or_else(|| text(uri, "prefix")).map(str::to_owned)
}

/// Instances, and requests a second, of a first scenario.
const INSTANCES: u64 = 3;
const RATE: u64 = 500;
/// How long a fault lasts, seconds.
const FAULT: u64 = 8;

/// So many instances that a share of them in percent is one at least.
fn enough(percent: u64) -> u64 {
    100_u64.div_ceil(percent.clamp(5, 100)).max(INSTANCES)
}

/// How often an instance that goes on failing is ejected within the fault: for the base time, then for twice as long, and so on.
fn ejections(base: Duration) -> u64 {
    let (mut times, mut spent) = (1, 0);
    while spent + times * base.as_secs().max(1) < FAULT {
        spent += times * base.as_secs().max(1);
        times += 1;
    }
    times
}

fn scenario(promise: &Promise, all: &[Promise]) -> String {
    let mut text = String::new();
    // Several policies may promise the same: the file tells their scenarios apart.
    let twins = all.iter().filter(|other| other.same_as(promise)).count() > 1;
    let by = if twins { format!(", by {}", promise.file().display()) } else { String::new() };
    // Writing to a string never fails.
    let _ = match promise {
        Promise::Ejection { host, failures, base, instances, file } => {
            let times = ejections(*base);
            let lost = failures * times * 2;
            // Back at the latest one interval (10 s by default) after the ejection ends, which began with the fault.
            let recovery = base.as_secs() + 15;
            write!(
                text,
                "\
# {file} ejects an instance of {host} after {failures} failures in a row, for {base} at first.
scenario: a failing instance of {host} is ejected{by}
about: >
  With outlier detection about {failures} requests fail before the instance is out. Without it {third} requests a second to
  {host} would go on failing. One of {instances} instances may go by the policy's maxEjectionPercent, whose default is 10.
topology:
  services: [{{name: {host}, instances: {instances}}}]
policies: [{file}]
load: {{to: {host}, rate: {RATE}/s}}
timeline:
  - {{phase: baseline, for: 5s}}
  - {{phase: fault, for: {FAULT}s, faults: [{{abort: {{target: {host}/1, status: 503}}}}]}}
  - {{phase: recovery, for: {recovery}s}}
expect:
  # Ejected {times} times in {FAULT} s, each after {failures} failures in a row, and as many again on their way when the instance goes.
  fault: {{lost: \"<= {lost}\"}}
  healing:
    - {{ejected: {host}/1, within: 2s}}
    - {{readmitted: {host}/1, within: {within}s}}
# The same without outlier detection and retries must fail, or the scenario proves nothing.
control: {{without: [outlier-detection, retries]}}
",
                file = file.display(),
                base = TimeSpan(*base),
                third = RATE / instances,
                within = recovery - 2,
            )
        }
        Promise::Retries { host, attempts, path, file } => write!(
            text,
            "\
# {file} retries requests to {host} up to {attempts} times.
scenario: failures of 10 % of the attempts at {host} are hidden by retries{by}
about: >
  Every instance fails 10 % of its attempts. With {attempts} more attempts a request is lost only if all of them fail, at about
  1.11 attempts a request. The control has no retries, and nothing else taken out: it loses 10 %.
topology:
  services: [{{name: {host}, instances: {INSTANCES}}}]
policies: [{file}]
load: {{to: {host}, rate: {RATE}/s{request}}}
timeline:
  - {{phase: baseline, for: 5s}}
  - {{phase: flaky, for: {FAULT}s, faults: [{{abort: {{target: {host}, status: 503, pick: 10%}}}}]}}
expect:
  flaky: {{success: \">= {success}%\", attempts-per-request: \"<= 1.3\"}}
control: {{without: [retries]}}
",
            file = file.display(),
            // One attempt in ten fails, and of those one in ten again; half as much again for chance.
            success = if *attempts == 1 { "98" } else { "99.5" },
            request = path.as_ref().map_or_else(String::new, |path| format!(", request: {{path: {}}}", quoted(path))),
        ),
    };
    text
}

/// A text as YAML reads it back, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
    fn a_route_is_asked_by_its_own_path_and_enough_instances_may_be_ejected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policies.yaml");
        fs::write(
            &file,
            "kind: VirtualService\nspec:\n  http:\n    - match: [{uri: {prefix: /api}}]\n      retries: {attempts: 3}\n      \
             route: [{destination: {host: cart}}]\n---\nkind: DestinationRule\nspec:\n  host: cart\n  \
             trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3, baseEjectionTime: 3s}}\n",
        )
        .unwrap();
        let (promises, _) = look(&[file]).unwrap();
        let texts: Vec<String> = promises.iter().map(|promise| scenario(promise, &promises)).collect();
        assert!(texts[0].contains("request: {path: \"/api\"}") && texts[0].contains("control: {without: [retries]}"));
        // Ten per cent of ten is one; in 8 s it is ejected for 3 s, and again for 6 s.
        assert!(texts[1].contains("instances: 10}") && texts[1].contains("lost: \"<= 12\""), "{}", texts[1]);
    }

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
