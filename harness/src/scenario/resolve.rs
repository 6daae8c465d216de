//! From the user's words to a plan with nothing left to guess, or to everything that is wrong with them.

mod check;
mod control;
mod deployment;
mod expect;
mod fault;
mod healing;
mod load;
mod mesh;
mod plan;
mod policies;
mod quick;
mod release;
mod samples;
mod sources;
mod sweep;
mod target;
mod timeline;
mod topology;

pub(super) use quick::quick;

use super::code;
use super::problems::Problems;
use super::resolved::{Place, Scenario};
use super::written;
use squall_proxy::config::LoadOptions;
use std::path::{Path, PathBuf};

/// Where a scenario comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Its file, as given.
    pub file: &'a Path,
    /// Where it begins.
    pub place: Place,
    /// Text of the file.
    pub source: &'a str,
}

/// Resolves a scenario; none if `problems` has got an error.
pub(super) fn resolve(written: &written::Scenario, origin: Origin<'_>, problems: &mut Problems) -> Option<Scenario> {
    let folder = origin.file.parent().map(Path::to_owned).unwrap_or_default();
    if let Some(version) = written.version.filter(|version| version.value != 1) {
        problems
            .error(code::RANGE, version.place, format!("version {} of the language is not known", version.value))
            .expected("`1`");
    }
    if written.scenario.trim().is_empty() {
        problems
            .error(code::SHAPE, written.scenario.place, "a scenario without a title")
            .expected("a claim, such as `one failing instance is ejected`");
    }
    let reading = LoadOptions { accept_unsupported: written.accept_unsupported.clone() };
    let sources = sources::sources(&written.policies, &folder, problems);
    let policies = sources::read(&written.policies, &sources, &reading, problems);
    let services = topology::services(
        &written.topology.services,
        &folder,
        |service, problems| deployment::deployment(service, &folder, &reading, problems),
        problems,
    );
    if let Some(policies) = &policies {
        sources::unused(policies, &services, problems);
    }
    let facts = policies::facts(&services, policies.as_ref());
    let mode = mesh::resolve(written.mesh.as_ref(), problems);
    let flows = load::flows(&written.load.0, &services, written.sweep.is_some(), problems);
    let sweep = written.sweep.as_ref().map(|sweep| sweep::resolve(sweep, &flows, mode, problems));
    let timeline = match (&written.timeline, &written.sweep) {
        (Some(phases), None) => timeline::phases(phases, &services, problems),
        (None, Some(_)) => Vec::new(),
        (Some(_), Some(sweep)) => {
            problems.error(code::SHAPE, sweep.place, "both a `timeline` and a `sweep`").help("make them two scenarios");
            Vec::new()
        }
        (None, None) => {
            problems
                .error(code::SHAPE, written.scenario.place, "neither a `timeline` nor a `sweep`")
                .help("write `timeline: [{phase: baseline, for: 5s}, {phase: outage, for: 10s, faults: [...]}]`");
            Vec::new()
        }
    };
    let names = expect::Names { services: &services, flows: &flows, timeline: &timeline, sweep: sweep.as_ref() };
    let expectations = expect::all(&written.expect, &names, problems);
    let max_affected = written.max_affected.as_ref().map(|most| most.instances);
    let control = control::resolve(
        written.control.as_ref(),
        written.scenario.place,
        &services,
        &timeline,
        &expectations,
        &facts,
        problems,
    );
    // Arithmetic on names that do not exist would only repeat what has been said.
    if !problems.has_errors() {
        let plan = plan::Plan { services: &services, flows: &flows, timeline: &timeline };
        check::samples(&expectations, &plan, sweep.as_ref(), problems);
        check::healing(&expectations, &plan, &facts, problems);
        check::faults(&plan, max_affected, problems);
        check::load(&written.load.0, &plan, &facts, problems);
    }
    if problems.has_errors() {
        return None;
    }
    Some(Scenario {
        title: written.scenario.trim().to_owned(),
        // It becomes the name of a folder, which everybody sees.
        slug: slug(&squall_reports::redact::Redactor::default().text(&written.scenario)),
        file: PathBuf::from(origin.file),
        place: origin.place,
        source: origin.source.to_owned(),
        about: written.about.clone(),
        tags: written.tags.clone(),
        seed: written.seed,
        services,
        policies: sources,
        accept_unsupported: written.accept_unsupported.clone(),
        mode,
        flows,
        timeline,
        sweep,
        expectations,
        control,
        max_affected,
    })
}

/// The title in letters that a file's name can hold: at most 60, words joined by `-`.
fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words {
        if slug.len() + word.len() > 60 {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() { "scenario".to_owned() } else { slug }
}
