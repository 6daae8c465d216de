//! From the user's words to a plan with nothing left to guess, or to everything that is wrong with them.

mod abort;
mod advice;
mod apply;
mod blast;
mod by_hand;
mod check;
mod control;
mod deployment;
mod entrance;
mod expect;
mod fault;
mod healing;
mod load;
mod mesh;
mod plan;
mod policies;
mod ports;
mod quick;
mod release;
mod running;
mod samples;
mod sites;
mod sources;
mod strikes;
mod sweep;
mod target;
mod timeline;
mod topology;

pub(super) use by_hand::{address, by_hand};
pub(super) use quick::quick;

use super::code;
use super::problems::Problems;
use super::resolved::{Control, Entrance, Flow, MeshMode, OtherPolicies, Place, Scenario, Service};
use super::written;
use sites::Sites;
use squall_proxy::config::LoadOptions;
use squall_proxy::config::mesh::IstioVersion;
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
    /// Whose behaviour its proxies follow, where it does not say it.
    pub istio: IstioVersion,
    /// It need expect nothing.
    pub figures_alone: bool,
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
    let compat = written.mesh.as_ref().and_then(|mesh| mesh.compat).map_or(origin.istio, |compat| compat.0);
    let accept_unsupported = written.accept_unsupported.clone();
    let reading = LoadOptions { accept_unsupported, forget_fields: false, version: compat };
    let sources = sources::sources(&written.policies, &folder, problems);
    let policies = sources::read("policies", &sources, &reading, problems);
    let allowed = running::Allowed::new(&written.allow, problems);
    let services = topology::services(
        &written.topology.services,
        &folder,
        policies.as_ref(),
        &allowed,
        |service, problems| deployment::deployment(service, &folder, &reading, problems),
        problems,
    );
    let asked = load::asked(&written.load.0);
    let hosts = asked.iter().filter_map(|asked| asked.flow.host.as_ref());
    let called: Vec<&str> = hosts.map(|host| host.split(':').next().unwrap_or_default()).collect();
    if let Some(policies) = &policies {
        sources::unused(policies, &services, &called, problems);
    }
    advice::check(&written.accept, problems);
    let (mode, mode_place) = mesh::resolve(written.mesh.as_ref(), problems);
    let zone = mesh::zone(written.mesh.as_ref(), problems);
    let beyond_envoy = mesh::beyond_envoy(written.mesh.as_ref(), problems);
    let sites = policies.as_ref().map(|policies| Sites::new(policies, &services, zone.as_deref(), compat));
    let facts = policies::facts(&services, sites.as_ref(), mode);
    let modes = modes(written, mode, mode_place.unwrap_or(written.scenario.place));
    if let Some(sites) = &sites {
        advice::give(sites, &modes, &services, &written.accept, problems);
    }
    sources::place_inline("policies", &written.policies, problems);
    let setting = control::Setting {
        folder: &folder,
        reading: &reading,
        services: &services,
        written: &written.topology.services,
        called: &called,
        mode,
        zone: zone.as_deref(),
    };
    let other = control::policies(written.control.as_ref(), &setting, problems);
    let flows = load::flows(&asked, &services, &folder, written.sweep.is_some(), problems);
    let entrances = entrances(&modes, sites.as_ref(), &services, &flows, problems);
    let other_entrance = other.as_ref().and_then(|other| other.entrance(mode, &services, &flows, problems));
    let sweep = written.sweep.as_ref().map(|sweep| sweep::resolve(sweep, &flows, mode, problems));
    let pushes = apply::Pushes { setting: &setting, refused: apply::to_be_refused(&written.expect) };
    let timeline = match (&written.timeline, &written.sweep) {
        (Some(phases), None) => timeline::phases(phases, &services, mode, &pushes, problems),
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
    let mut all_sites = sites.iter().chain(other.iter().filter_map(|other| other.sites.as_ref()));
    let bootstrap = all_sites.any(|sites| sites.objects.bootstrap.is_some());
    release::obeyed(&timeline, mode, bootstrap, problems);
    apply::obeyed(&timeline, mode, bootstrap, problems);
    let names = expect::Names { services: &services, flows: &flows, timeline: &timeline, sweep: sweep.as_ref() };
    let expectations = expect::all(&written.expect, &names, origin.figures_alone, problems);
    let max_affected = written.max_affected.as_ref().and_then(|most| blast::radius(most, &services, problems));
    let control = control::resolve(
        written.control.as_ref(),
        written.scenario.place,
        &services,
        &timeline,
        &expectations,
        other.as_ref().map_or(&facts, |other| &other.facts),
        problems,
    );
    let policies =
        other.as_ref().map(|other| OtherPolicies { sources: other.sources.clone(), entrance: other_entrance });
    let control = control.map(|control| Control { policies, ..control });
    // Arithmetic on names that do not exist would only repeat what has been said.
    if !problems.has_errors() {
        let plan = plan::Plan { services: &services, flows: &flows, timeline: &timeline };
        check::samples(&expectations, &plan, sweep.as_ref(), problems);
        let sought = sweep.as_ref().and_then(|sweep| sweep.search.as_ref()).map_or(&[][..], |search| &search.limits);
        check::samples(sought, &plan, sweep.as_ref(), problems);
        check::healing(&expectations, &plan, &facts, problems);
        check::faults(&plan, max_affected, problems);
        check::load(&asked, &plan, &facts, problems);
        if let Some(other) = &other {
            check::load(&asked, &plan, &other.facts, problems);
        }
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
        zone,
        compat,
        beyond_envoy,
        entrances,
        flows,
        timeline,
        sweep,
        expectations,
        control,
        max_affected,
        abort_when: abort::conditions(&written.abort_when, &folder, &allowed, written.sweep.is_some(), problems),
    })
}

/// The modes that are run, and where each is asked for.
fn modes(written: &written::Scenario, mode: MeshMode, place: Place) -> Vec<(MeshMode, Place)> {
    let cells = written.sweep.as_ref().and_then(|sweep| sweep.mode.as_ref());
    match cells {
        Some(modes) => modes.iter().map(|written| (mesh::mode(written), written.place)).collect(),
        None => vec![(mode, place)],
    }
}

/// The proxies that clients ask, in every mode that has one.
fn entrances(
    modes: &[(MeshMode, Place)],
    sites: Option<&Sites>,
    services: &[Service],
    flows: &[Flow],
    problems: &mut Problems,
) -> Vec<Entrance> {
    let Some(sites) = sites else { return Vec::new() };
    modes.iter().filter_map(|mode| entrance::resolve(*mode, sites, services, flows, problems)).collect()
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
