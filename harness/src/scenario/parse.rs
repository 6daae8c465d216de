//! From a file to scenarios.

use super::code;
use super::files::Found;
use super::problems::Problems;
use super::resolve::{Origin, resolve};
use super::resolved::{Place, Scenario};
use super::set::Set;
use super::written;
use squall_proxy::config::mesh::IstioVersion;
use squall_yaml::{Document, Finding, Severity, Source, Value};

/// How scenarios are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// Changes to make before.
    pub(super) set: Vec<Set>,
    /// Whose behaviour the proxies of those follow that do not say it.
    pub(super) istio: IstioVersion,
    /// They need expect nothing: who asks for figures alone proves nothing, and says so.
    pub(super) figures_alone: bool,
}

/// What a file holds: its scenarios, and what was found in them. A file that was not named by the user is passed over if no document
/// of it is a scenario.
pub(super) fn file(found: &Found, reading: &Reading) -> (Vec<Scenario>, Vec<Finding>) {
    match Source::read(&found.path) {
        Ok(source) => text_of(&source, found.named, reading),
        Err(error) => (Vec::new(), unreadable(found, &error.to_string())),
    }
}

fn unreadable(found: &Found, reason: &str) -> Vec<Finding> {
    let mut problems = Problems::new(&found.path);
    problems.error(code::FILE, Place::default(), format!("cannot read {}: {reason}", found.path.display()));
    problems.into_findings()
}

/// The scenarios of a text.
pub(super) fn text_of(source: &Source, named: bool, reading: &Reading) -> (Vec<Scenario>, Vec<Finding>) {
    let documents = match squall_yaml::parse(source) {
        Ok(documents) => documents,
        Err(findings) => return (Vec::new(), findings),
    };
    if !named && !documents.iter().any(is_scenario) {
        return (Vec::new(), Vec::new());
    }
    let mut problems = Problems::new(&source.path);
    if documents.is_empty() {
        problems.error(code::SHAPE, Place { line: 1, column: 1 }, "the file is empty").expected("a scenario");
    }
    let mut scenarios = Vec::new();
    for mut document in documents {
        if let Some(kind) = object_kind(&document) {
            let (place, path) = (document.place(), source.path.display());
            problems
                .error(
                    code::SHAPE,
                    Place { line: place.line, column: place.column },
                    format!("this is {} `{kind}`, not a scenario", article(kind)),
                )
                .expected("a scenario")
                .help(format!(
                    "name it under `policies:` of a scenario; `squall init {path}` writes one for each promise in it"
                ));
            continue;
        }
        let mut own = Problems::new(&source.path);
        let changes = change(&mut document, reading, &mut own);
        scenarios.extend(one(&document, source, reading, &mut own));
        problems.extend(own.into_findings().into_iter().map(|finding| told(finding, source, &changes)));
    }
    (scenarios, problems.into_findings())
}

/// The kind of a Kubernetes object, for that is what people have at hand.
fn object_kind(document: &Document) -> Option<&str> {
    let Value::Map(entries) = &document.root.value else { return None };
    let of = |name: &str| entries.iter().find(|(key, _)| key.value.scalar() == Some(name));
    of("apiVersion").filter(|_| of("scenario").is_none())?;
    of("kind")?.1.value.scalar()
}

/// `a` or `an`, as the word is spoken.
fn article(word: &str) -> &'static str {
    if word.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

fn is_scenario(document: &Document) -> bool {
    let Value::Map(entries) = &document.root.value else { return false };
    entries.iter().any(|(key, _)| key.value.scalar() == Some("scenario"))
}

/// Changes a document as `--set` says, and tells where.
fn change<'r>(
    document: &mut Document,
    reading: &'r Reading,
    problems: &mut Problems,
) -> Vec<(squall_yaml::Place, &'r Set)> {
    let place = document.place();
    let place = Place { line: place.line, column: place.column };
    let mut changes = Vec::new();
    for set in &reading.set {
        match set.apply(document) {
            Ok(at) => changes.push((at, set)),
            Err(error) => {
                problems
                    .error(code::UNKNOWN_NAME, place, error.to_string())
                    .help("a path goes by keys, and by number or name into lists: `load.rate`, `timeline[outage].for`");
            }
        }
    }
    changes
}

/// A finding, which says so if it is about what does not stand in the file.
fn told(mut finding: Finding, source: &Source, changes: &[(squall_yaml::Place, &Set)]) -> Finding {
    let change = changes.iter().find(|(at, _)| *at == finding.place && finding.file == source.path);
    if let Some((_, set)) = change {
        let changed = format!("this was changed by `--set {set}`");
        finding.help = Some(finding.help.map_or_else(|| changed.clone(), |help| format!("{help}\n{changed}")));
    }
    finding
}

fn one(document: &Document, source: &Source, reading: &Reading, problems: &mut Problems) -> Option<Scenario> {
    let place = document.place();
    let place = Place { line: place.line, column: place.column };
    let origin = Origin {
        file: &source.path,
        place,
        source: &source.text,
        istio: reading.istio,
        figures_alone: reading.figures_alone,
    };
    let read = match document.read_most::<written::Scenario>() {
        (Some(read), findings) if findings.is_empty() => read,
        (rest, findings) => {
            problems.extend(findings);
            if let Some(rest) = rest {
                let mut own = Problems::new(&source.path);
                resolve(&rest.value, origin, &mut own);
                problems.extend(own.into_findings().into_iter().filter(|finding| stands_alone(finding, source)));
            }
            return None;
        }
    };
    problems.extend(read.unsupported.into_iter().map(|finding| Finding {
        severity: Severity::Error,
        message: format!("`{}` is not obeyed yet", last_key(&finding.message)),
        help: Some("leave it out".to_owned()),
        code: Some(code::RESERVED),
        ..finding
    }));
    resolve(&read.value, origin, problems)
}

/// True if an error of a scenario's meaning does not merely follow from parts that could not be read: it is about a policy, or about a name
/// that stands nowhere else.
fn stands_alone(finding: &Finding, source: &Source) -> bool {
    if finding.file != source.path {
        return true;
    }
    // Names of parts that could not be read are no choice either.
    let has_choice = finding.expected.as_ref().is_some_and(|expected| expected.starts_with("one of"));
    let name = finding.message.split('`').nth(1).filter(|name| !name.is_empty());
    finding.code == Some(code::UNKNOWN_NAME)
        && has_choice
        && name.is_some_and(|name| source.text.matches(name).count() == 1)
}

/// The last key of a path.
fn last_key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
