//! From a file to scenarios.

use super::code;
use super::files::Found;
use super::problems::Problems;
use super::resolve::{Origin, resolve};
use super::resolved::{Place, Scenario};
use super::set::Set;
use super::written;
use squall_yaml::{Document, Finding, Severity, Source, Value};
use std::fs;

/// What a file holds: its scenarios, and what was found in them. A file that was not named by the user is passed over if no document
/// of it is a scenario.
pub(super) fn file(found: &Found, set: &[Set]) -> (Vec<Scenario>, Vec<Finding>) {
    match fs::read(&found.path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => text_of(&Source { path: found.path.clone(), text }, found.named, set),
            Err(_) => (Vec::new(), unreadable(found, "it is not UTF-8")),
        },
        Err(error) => (Vec::new(), unreadable(found, &error.to_string())),
    }
}

fn unreadable(found: &Found, reason: &str) -> Vec<Finding> {
    let mut problems = Problems::new(&found.path);
    problems.error(code::FILE, Place::default(), format!("cannot read {}: {reason}", found.path.display()));
    problems.into_findings()
}

/// The scenarios of a text.
pub(super) fn text_of(source: &Source, named: bool, set: &[Set]) -> (Vec<Scenario>, Vec<Finding>) {
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
                    format!("this is a `{kind}`, not a scenario"),
                )
                .expected("a scenario")
                .help(format!(
                    "name it under `policies:` of a scenario; `squall init {path}` writes one for each promise in it"
                ));
            continue;
        }
        let mut own = Problems::new(&source.path);
        scenarios.extend(one(&mut document, source, set, &mut own));
        problems.extend(own.into_findings());
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

fn is_scenario(document: &Document) -> bool {
    let Value::Map(entries) = &document.root.value else { return false };
    entries.iter().any(|(key, _)| key.value.scalar() == Some("scenario"))
}

fn one(document: &mut Document, source: &Source, set: &[Set], problems: &mut Problems) -> Option<Scenario> {
    let place = document.place();
    let place = Place { line: place.line, column: place.column };
    for change in set {
        if let Err(error) = change.apply(document) {
            problems
                .error(code::UNKNOWN_NAME, place, error.to_string())
                .help("a path goes by keys, and by number or name into lists: `load.rate`, `timeline[outage].for`");
        }
    }
    let origin = Origin { file: &source.path, place, source: &source.text };
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
