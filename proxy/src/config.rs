//! Foreign formats end here: Istio and Kubernetes YAML in, [`Objects`] out, with every mistake at once and its place.
//!
//! Every field of the kinds that are read is known. It is obeyed, or refused by name unless it is listed as accepted; nothing is ignored
//! silently. Defaults are applied here, by the rules of whoever's format it is.

pub mod advice;
pub mod analyze;
mod duration;
mod envoy;
mod fields;
pub(crate) mod files;
pub mod gateway_api;
mod istio;
mod kinds;
mod kubernetes;
pub mod mesh;
mod names;
mod native;
mod number;
mod object;
pub mod objects;
mod pairs;
mod problems;
mod re2;
mod sieve;
pub mod weights;

use files::Files;
use mesh::IstioVersion;
use object::Header;
use objects::Objects;
use problems::Problems;
use squall_yaml::{Document, Finding, Severity, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How policies are read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Kinds that are passed over, and fields that may stay without effect: `DestinationRule.spec.trafficPolicy.tunnel`.
    pub accept_unsupported: Vec<String>,
    /// Nobody will ask where fields stand, which takes more room than the policies themselves.
    pub forget_fields: bool,
    /// Whose fields and defaults they are: of Istio, and of its Envoy.
    pub version: IstioVersion,
}

/// Objects that were read without an error.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Read and checked one by one.
    pub objects: Objects,
    /// What is likely not meant.
    pub warnings: Vec<Finding>,
    /// Accepted kinds and fields that have no effect.
    pub unsupported: Vec<Finding>,
    /// The texts.
    pub sources: Vec<Source>,
    /// Files in which anything stands at all.
    pub filled: BTreeSet<PathBuf>,
}

/// Reads files, and folders with all their folders: policies in YAML or JSON, several documents, in any order.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    load_with(paths, Vec::new(), options)
}

/// The same behind texts that stand in no file.
pub fn load_with(paths: &[PathBuf], texts: Vec<Source>, options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut sources = texts;
    let files = Files::of(paths);
    findings.extend(files.failed.iter().map(|(path, error)| unreadable(path, error)));
    for path in &files.found {
        match Source::read(path) {
            Ok(source) => sources.push(source),
            Err(error) => findings.push(unreadable(path, &error)),
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

/// The files that are read of a path, in their order.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    Files::of(&[path.to_owned()]).found
}

/// Reads policies from texts.
pub fn read(sources: &[Source], options: &LoadOptions) -> Result<Loaded, Vec<Finding>> {
    let mut loaded = Loaded { warnings: unknown_names(options), ..Loaded::default() };
    let mut errors = Vec::new();
    for source in sources {
        let documents = match squall_yaml::parse(source) {
            Ok(documents) => documents,
            Err(findings) => {
                errors.extend(findings);
                continue;
            }
        };
        if !documents.is_empty() {
            loaded.filled.insert(source.path.clone());
        }
        for document in documents {
            let mut problems = Problems::new(&source.path, options);
            document_objects(&document, &mut loaded.objects, &mut problems);
            let (own, accepted) = problems.into_parts();
            loaded.unsupported.extend(accepted);
            let (own_errors, warnings) = own.into_iter().partition(|one: &Finding| one.severity == Severity::Error);
            errors.extend::<Vec<_>>(own_errors);
            loaded.warnings.extend::<Vec<_>>(warnings);
        }
    }
    loaded.objects.sort();
    if errors.is_empty() { Ok(loaded) } else { Err(errors) }
}

/// Reads the object of a document, or those of a list, into the others.
fn document_objects(document: &Document, objects: &mut Objects, problems: &mut Problems<'_>) {
    if matches!(document.root.value, squall_yaml::Value::Null) {
        return;
    }
    if envoy::is_bootstrap(document) {
        let read = envoy::bootstrap(document, problems);
        if objects.bootstrap.is_some() {
            problems.error(document.place(), "a second bootstrap", "a proxy has one configuration in Envoy's words");
        }
        objects.bootstrap = read.map(Box::new);
        return;
    }
    let Some(header) = Header::of(document, problems) else { return };
    match header.items(document) {
        // Each by itself, so that one that is passed over takes none of the others along.
        Some(items) => items.iter().for_each(|item| document_objects(item, objects, problems)),
        None => object(document, &header, objects, problems),
    }
}

/// Reads one object into the others.
fn object(document: &Document, header: &Header, objects: &mut Objects, problems: &mut Problems<'_>) {
    let Some(kind) = header.known(problems) else { return };
    match (kind.group, kind.name) {
        ("networking.istio.io", "VirtualService") => {
            objects.virtual_services.extend(istio::virtual_service(document, problems));
        }
        ("networking.istio.io", "DestinationRule") => {
            objects.destination_rules.extend(istio::destination_rule(document, problems));
        }
        ("networking.istio.io", "Gateway") => objects.gateways.extend(istio::gateway(document, problems)),
        ("networking.istio.io", "ServiceEntry") => {
            objects.service_entries.extend(istio::service_entry(document, problems));
        }
        ("networking.istio.io", "WorkloadEntry") => objects.workloads.extend(istio::workload_entry(document, problems)),
        ("networking.istio.io", "Sidecar") => objects.sidecars.extend(istio::sidecar(document, problems)),
        ("gateway.networking.k8s.io", "HTTPRoute") => {
            objects.virtual_services.extend(gateway_api::http_route(document, problems));
        }
        ("gateway.networking.k8s.io", "GRPCRoute") => {
            objects.virtual_services.extend(gateway_api::grpc_route(document, problems));
        }
        ("gateway.networking.k8s.io", "Gateway") => objects.gateways.extend(gateway_api::gateway(document, problems)),
        ("", "Service") => objects.services.extend(kubernetes::service(document, problems)),
        ("apps", "Deployment") => objects.deployments.extend(kubernetes::deployment(document, problems)),
        ("discovery.k8s.io", "EndpointSlice") => {
            objects.endpoints.extend(kubernetes::endpoint_slice(document, problems));
        }
        ("squall.dev", "HealthCheck") => objects.health_checks.extend(native::health_check(document, problems)),
        _ => {}
    }
}

/// Names that are accepted and that nothing has.
fn unknown_names(options: &LoadOptions) -> Vec<Finding> {
    let wrong = |name: &String| Some((name.clone(), kinds::check_accepted(name).err()?));
    let finding = |(name, help): (String, String)| Finding {
        severity: Severity::Warning,
        file: PathBuf::from("accept-unsupported"),
        place: squall_yaml::Place::default(),
        span_len: 0,
        message: format!("`{name}` is accepted without effect, but there is no such kind and no such field"),
        expected: None,
        help: Some(help),
        code: Some("SQ0303"),
    };
    options.accept_unsupported.iter().filter_map(wrong).map(finding).collect()
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
