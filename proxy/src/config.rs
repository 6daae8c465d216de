//! Foreign formats end here: Istio and Kubernetes YAML in, [`Policies`] out, with every mistake at once and its place.
//!
//! Every field of the kinds that are read is known. It is obeyed, or refused by name unless it is listed as accepted; nothing is ignored
//! silently. Defaults are applied here, by the rules of whoever's format it is.

mod duration;
mod istio;
mod kubernetes;
mod native;
mod object;
mod problems;
pub mod weights;

use crate::policy::Policies;
use object::Header;
use problems::Problems;
use squall_yaml::{Document, Finding, Severity, Source};
use std::path::{Path, PathBuf};

/// How policies are read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Fields that may stay without effect: `DestinationRule.spec.trafficPolicy.tls`.
    pub accept_unsupported: Vec<String>,
}

/// Policies that were read without an error.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Resolved.
    pub policies: Policies,
    /// What is likely not meant.
    pub warnings: Vec<Finding>,
    /// Accepted fields that have no effect.
    pub unsupported: Vec<Finding>,
    /// The texts.
    pub sources: Vec<Source>,
}

/// Reads files and folders of policies: YAML or JSON, several documents, in any order.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for path in paths.iter().flat_map(|path| files(path)) {
        match std::fs::read_to_string(&path) {
            Ok(text) => sources.push(Source { path, text }),
            Err(error) => findings.push(unreadable(&path, &error)),
        }
    }
    match read(&sources, options) {
        Ok(loaded) if findings.is_empty() => Ok(Loaded { sources, ..loaded }),
        Ok(_) => Err(findings),
        Err(more) => {
            findings.extend(more);
            Err(findings)
        }
    }
}

/// Reads policies from texts.
pub fn read(sources: &[Source], options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    let mut loaded =
        Loaded { policies: Policies::default(), warnings: Vec::new(), unsupported: Vec::new(), sources: Vec::new() };
    let mut errors = Vec::new();
    for source in sources {
        let documents = match squall_yaml::parse(source) {
            Ok(documents) => documents,
            Err(findings) => {
                errors.extend(findings);
                continue;
            }
        };
        for document in documents {
            let mut problems = Problems::new(&source.path, options);
            object(&document, &mut loaded.policies, &mut problems);
            let (own, accepted) = problems.into_parts();
            loaded.unsupported.extend(accepted);
            let (own_errors, warnings) = own.into_iter().partition(|one: &Finding| one.severity == Severity::Error);
            errors.extend::<Vec<_>>(own_errors);
            loaded.warnings.extend::<Vec<_>>(warnings);
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(errors) }
}

/// Reads one object into the policies.
fn object(document: &Document, policies: &mut Policies, problems: &mut Problems<'_>) {
    if matches!(document.root.value, squall_yaml::Value::Null) {
        return;
    }
    let Some(header) = Header::of(document, problems) else { return };
    match (header.group.as_str(), header.kind.as_str()) {
        ("networking.istio.io", "VirtualService") => {
            policies.virtual_services.extend(istio::virtual_service(document, problems));
        }
        ("networking.istio.io", "DestinationRule") => {
            policies.destination_rules.extend(istio::destination_rule(document, problems));
        }
        ("", "Service") => policies.services.extend(kubernetes::service(document, problems)),
        ("apps", "Deployment") => policies.deployments.extend(kubernetes::deployment(document, problems)),
        ("discovery.k8s.io", "EndpointSlice") => policies.endpoints.extend(kubernetes::endpoints(document, problems)),
        ("squall.dev", "HealthCheck") => policies.health_checks.extend(native::health_check(document, problems)),
        _ => header.refuse_unless_accepted(problems),
    }
}

/// A name for the state of these texts: the same texts have the same.
pub fn version<'a>(sources: impl Iterator<Item = &'a Source>) -> String {
    // FNV-1a, which no release of the standard library changes.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in sources.flat_map(|source| source.text.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// A file itself, or the YAML and JSON files of a folder in order of their names.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_policy = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
    };
    let mut files: Vec<_> = inside.filter(is_policy).collect();
    files.sort();
    files
}

fn unreadable(path: &Path, error: &std::io::Error) -> Finding {
    Finding {
        severity: Severity::Error,
        file: path.to_owned(),
        place: squall_yaml::Place::default(),
        span_len: 0,
        message: format!("cannot be read: {error}"),
        expected: None,
        help: None,
        code: Some("SQ0301"),
    }
}

#[cfg(test)]
mod tests;
