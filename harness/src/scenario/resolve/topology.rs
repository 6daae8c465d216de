//! Services, their versions and what they run.

use super::load::LARGEST_BODY;
use super::ports;
use super::running::{self, Allowed};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Latency, Place, Program, Responds, Service, Version};
use crate::scenario::written::{self, Placed, is_name};
use crate::units::{Bytes, Percent, Text, TimeSpan};
use squall_proxy::config::objects::{Deployment, Objects};
use std::path::Path;
use std::time::Duration;

/// Version that a service's own instances have, once it has versions.
const FIRST_VERSION: &str = "v1";
/// At most so many instances: each is two processes.
const MOST_INSTANCES: u32 = 100;

/// Resolves all services; `deployment` reads a manifest.
pub(super) fn services(
    written: &[written::Service],
    folder: &Path,
    policies: Option<&Objects>,
    allowed: &Allowed<'_>,
    mut deployment: impl FnMut(&written::Service, &mut Problems) -> Option<Deployment>,
    problems: &mut Problems,
) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for service in written {
        let name = &service.name;
        if services.iter().any(|other| other.name == name.value) {
            problems.error(code::SHAPE, name.place, format!("two services are called `{}`", name.value));
        }
        if !is_name(name) {
            problems
                .error(code::RANGE, name.place, format!("`{}` cannot be a service's name", name.value))
                .expected("letters, digits and `-`, at most 63");
        }
        let deployment = deployment(service, problems);
        let replicas = deployment.as_ref().map(|deployment| deployment.replicas);
        let (ports, undeclared) = ports::resolve(service, policies, problems);
        services.push(Service {
            name: name.value.clone(),
            ports,
            undeclared,
            versions: versions(service, replicas, problems),
            zones: zones(service, problems),
            program: match &service.at {
                Some(at) => running::program(service, at, allowed, problems),
                None => program(service, folder, problems),
            },
            deployment,
        });
    }
    if written.is_empty() {
        problems
            .error(code::SHAPE, Place::default(), "`topology` has no service")
            .help("write `topology: {services: [{name: cart, instances: 3}]}`");
    }
    services
}

fn zones(service: &written::Service, problems: &mut Problems) -> Vec<String> {
    let Some(zones) = &service.zone else { return Vec::new() };
    if zones.0.is_empty() || zones.0.iter().any(|zone| !is_place(zone)) {
        problems.error(code::RANGE, zones.place, "a zone without a name").expected("`zone: a`, or `zone: [a, b]`");
    }
    zones.0.clone()
}

/// True for what can be a zone: a slash would set it apart from a region.
pub(super) fn is_place(zone: &str) -> bool {
    !zone.trim().is_empty() && !zone.contains('/')
}

fn versions(service: &written::Service, replicas: Option<u32>, problems: &mut Problems) -> Vec<Version> {
    let running = service.at.as_ref().map(|at| (at.len() as u32).clamp(1, MOST_INSTANCES));
    let instances = count(service.instances.as_ref(), running.or(replicas).unwrap_or(1), problems);
    let own = service.responds.as_ref();
    let Some(written) = &service.versions else {
        return vec![Version { name: None, instances, responds: responds(own, problems) }];
    };
    let mut versions: Vec<Version> = Vec::new();
    if !written.0.iter().any(|(name, _)| name.value == FIRST_VERSION) {
        versions.push(Version { name: Some(FIRST_VERSION.to_owned()), instances, responds: responds(own, problems) });
    }
    for (name, version) in &written.0 {
        if !is_name(name) {
            problems.error(code::RANGE, name.place, format!("`{}` cannot be a version's name", name.value));
        }
        let version = version.clone().unwrap_or_default();
        versions.push(Version {
            name: Some(name.value.clone()),
            instances: count(version.instances.as_ref(), instances, problems),
            responds: responds(version.responds.as_ref().or(own), problems),
        });
    }
    versions
}

fn count(written: Option<&Placed<u32>>, default: u32, problems: &mut Problems) -> u32 {
    let Some(instances) = written else { return default };
    if !(1..=MOST_INSTANCES).contains(&instances.value) {
        problems
            .error(code::RANGE, instances.place, format!("{} instances", instances.value))
            .expected(format!("1 to {MOST_INSTANCES}"));
    }
    instances.value.clamp(1, MOST_INSTANCES)
}

fn responds(written: Option<&Placed<written::Responds>>, problems: &mut Problems) -> Responds {
    if let Some((body, place)) = written.and_then(|written| Some((written.body?, written.place)))
        && body.0 > LARGEST_BODY
    {
        problems.error(code::RANGE, place, format!("a body of {body}")).expected("at most 1GiB");
    }
    let written = written.map(|responds| responds.value.clone()).unwrap_or_default();
    Responds {
        latency: latency(written.latency.as_ref(), problems),
        body: written.body.unwrap_or(Bytes(1_000)),
        errors: written.errors.unwrap_or(Percent(0.0)),
        cpu: written.cpu.map_or(Duration::ZERO, |span| span.0),
        limit: written.limit.map(|limit| limit.0),
    }
}

fn latency(written: Option<&Placed<written::Distribution<TimeSpan>>>, problems: &mut Problems) -> Latency {
    let default = Latency::Lognormal { p50: Duration::from_millis(2), p99: Duration::from_millis(10) };
    let Some(written) = written else { return default };
    let figures = match &written.value {
        written::Distribution::Fixed(span) => return Latency::Fixed(span.0),
        written::Distribution::Spread(figures) => spread(figures, written.place, problems),
    };
    match figures {
        None => default,
        Some(Figures::Uniform(min, max)) => Latency::Uniform { min: min.0, max: max.0 },
        Some(Figures::Lognormal(p50, p99)) => {
            if p50.0.is_zero() {
                problems
                    .error(code::RANGE, written.place, "a lognormal distribution has no median of 0")
                    .help("write `latency: 0ms` for an answer at once");
            }
            Latency::Lognormal { p50: p50.0, p99: p99.0 }
        }
    }
}

/// The two figures of a distribution.
pub(super) enum Figures<T> {
    /// Median and 99th percentile.
    Lognormal(T, T),
    /// Least and most.
    Uniform(T, T),
}

/// Two figures that go together, in order.
pub(super) fn spread<T: Text + Copy + PartialOrd>(
    written: &written::Spread<T>,
    place: Place,
    problems: &mut Problems,
) -> Option<Figures<T>> {
    let (figures, low, high, names) = match *written {
        written::Spread { p50: Some(p50), p99: Some(p99), min: None, max: None } => {
            (Figures::Lognormal(p50, p99), p50, p99, "p50 and p99")
        }
        written::Spread { min: Some(min), max: Some(max), p50: None, p99: None } => {
            (Figures::Uniform(min, max), min, max, "min and max")
        }
        _ => {
            problems
                .error(code::SHAPE, place, "a distribution needs both of its figures")
                .expected("`{p50: ..., p99: ...}` or `{min: ..., max: ...}`");
            return None;
        }
    };
    if low > high {
        problems.error(code::RANGE, place, format!("{names}: {low} is more than {high}"));
    }
    Some(figures)
}

fn program(service: &written::Service, folder: &Path, problems: &mut Problems) -> Program {
    let Some(run) = &service.run else {
        let only_own = [
            service.ready.as_ref().map(|ready| (ready.place, "ready")),
            service.env.as_ref().map(|env| (env.place, "env")),
        ];
        for (place, key) in only_own.into_iter().flatten() {
            problems.error(code::SHAPE, place, format!("`{key}` without `run`")).help(
                "the built-in test service needs none; name your own program with `run: [./cart, --port, \"{port}\"]`",
            );
        }
        return Program::TestService;
    };
    if let Some(responds) = &service.responds {
        problems
            .error(code::SHAPE, responds.place, "`responds` is for the built-in test service")
            .help("a program that `run` names answers in its own way");
    }
    if run.first().is_none_or(String::is_empty) {
        problems.error(code::SHAPE, run.place, "`run` names no program").expected("`[./cart, --port, \"{port}\"]`");
    }
    if !run.iter().any(|argument| argument.contains("{port}")) {
        let env = service.env.iter().flat_map(|env| &env.0);
        if !env.into_iter().any(|(_, value)| value.contains("{port}")) {
            problems
                .error(code::SHAPE, run.place, "no argument holds `{port}`, so the program cannot know where to listen")
                .help("instances listen on ports of their own: `run: [./cart, --port, \"{port}\"]`");
        }
    }
    if let Some(ready) = service.ready.as_ref().filter(|ready| !ready.starts_with('/')) {
        problems
            .error(code::RANGE, ready.place, format!("`{}` is no path", ready.value))
            .expected("one that begins with `/`");
    }
    Program::Own {
        run: run.value.clone(),
        // The folder of `cart.yaml` is the one we are in; programs are started from elsewhere.
        folder: std::path::absolute(Path::new(".").join(folder)).unwrap_or_else(|_| folder.to_owned()),
        env: service
            .env
            .iter()
            .flat_map(|env| &env.0)
            .map(|(name, value)| (name.value.clone(), value.clone()))
            .collect(),
        ready: service.ready.as_ref().map(|ready| ready.value.clone()),
    }
}
