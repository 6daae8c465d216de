//! Expectations on metrics: of a phase, of the whole timeline, of a sweep.

use super::healing;
use crate::scenario::code;
use crate::scenario::limit::Limit as Written;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Expectation, Flow, Limit, Metric, Phase, Service, Subject, Sweep};
use crate::scenario::written::{self, Placed};
use crate::units::Percent;

/// What expectations can name.
pub(super) struct Names<'a> {
    pub services: &'a [Service],
    pub flows: &'a [Flow],
    pub timeline: &'a [Phase],
    pub sweep: Option<&'a Sweep>,
}

impl Names<'_> {
    /// The phase that others are compared with.
    fn baseline(&self) -> Option<&Phase> {
        self.timeline.iter().find(|phase| phase.judged)
    }
}

/// Resolves all expectations, in the order of the file.
pub(super) fn all(
    written: &written::Expect,
    names: &Names<'_>,
    may_be_none: bool,
    problems: &mut Problems,
) -> Vec<Expectation> {
    let mut found = Vec::new();
    for (phase, blocks) in &written.phases {
        let known = || names.timeline.iter().filter(|phase| phase.judged).map(|phase| phase.name.as_str());
        if !known().any(|name| name == phase.value) {
            problems
                .error(code::UNKNOWN_NAME, phase.place, format!("no phase `{}`", phase.value))
                .names(phase, known().chain(["healing", "whole", "sweep"]));
            continue;
        }
        for block in &blocks.0 {
            metrics(block, Some(&phase.value), names, problems, &mut found);
        }
    }
    for block in written.whole.iter().flat_map(|whole| &whole.0) {
        metrics(block, None, names, problems, &mut found);
    }
    for healing in &written.healing {
        healing::resolve(healing, names, problems, &mut found);
    }
    for block in written.sweep.iter().flat_map(|sweep| &sweep.0) {
        super::sweep::expectations(block, names, problems, &mut found);
    }
    found.sort_by_key(|expectation| (expectation.place.line, expectation.place.column));
    for (number, expectation) in found.iter().enumerate() {
        if found[..number].iter().any(|other| other.id == expectation.id) {
            problems.error(code::SHAPE, expectation.place, format!("`{}` is expected twice", expectation.id));
        }
    }
    if found.is_empty() && !may_be_none && !problems.has_errors() {
        problems
            .error(
                code::SHAPE,
                crate::scenario::resolved::Place::default(),
                "nothing is expected, so nothing can be proved",
            )
            .help("write `expect: {outage: {success: \">= 99.9%\"}}`");
    }
    found
}

/// The limits of one block on a phase, or on the whole timeline.
fn metrics(
    block: &written::Metrics,
    phase: Option<&str>,
    names: &Names<'_>,
    problems: &mut Problems,
    found: &mut Vec<Expectation>,
) {
    if let Some(of) = block.of.as_ref().filter(|of| !names.flows.iter().any(|flow| flow.name == of.value)) {
        problems
            .error(code::UNKNOWN_NAME, of.place, format!("no flow `{}`", of.value))
            .names(of, names.flows.iter().map(|flow| flow.name.as_str()));
    }
    check_confidence(block, problems);
    let flow = block.of.as_ref().map(|of| of.value.clone());
    for (metric, limit) in &block.limits {
        if metric.value == Metric::HighestRate {
            problems.error(code::SHAPE, metric.place, "`highest-rate` is what a sweep with `search` finds");
            continue;
        }
        let Some(resolved) = of_timeline(metric, limit, phase, names, problems) else { continue };
        let suffix = flow.as_ref().map(|flow| format!("[{flow}]")).unwrap_or_default();
        let metric_value = metric.value.clone();
        found.push(Expectation {
            id: format!("{}.{}{suffix}", phase.unwrap_or("whole"), metric.value),
            place: limit.place,
            written: format!("{} {}", metric.value, limit.value),
            subject: match phase {
                Some(phase) => Subject::Phase { phase: phase.to_owned(), flow: flow.clone(), metric: metric_value },
                None => Subject::Whole { flow: flow.clone(), metric: metric_value },
            },
            limit: resolved,
            confidence: confidence(block, &metric.value),
        });
    }
}

fn of_timeline(
    metric: &Placed<Metric>,
    limit: &Placed<Written>,
    phase: Option<&str>,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Limit> {
    let Written::AtMostTimes { factor, phase: base } = &limit.value else {
        return absolute(metric, limit, problems);
    };
    let Some(baseline) = names.baseline() else {
        problems.error(code::SHAPE, limit.place, "there is no phase to compare with");
        return None;
    };
    match base.as_deref() {
        Some(name) if name == baseline.name => {}
        Some(name) => {
            problems
                .error(code::UNKNOWN_NAME, limit.place, format!("cannot compare with `{name}`"))
                .expected(format!("`{}`, the first phase that is judged", baseline.name));
        }
        None => {
            problems
                .error(code::SHAPE, limit.place, "so many times what?")
                .expected(format!("`<= {factor}x {}`", baseline.name));
        }
    }
    if phase == Some(baseline.name.as_str()) {
        problems.error(code::SHAPE, limit.place, format!("`{}` is compared with itself", baseline.name));
    }
    if !comparable(&metric.value) {
        problems
            .error(code::UNIT, limit.place, format!("`{}` cannot be compared with another phase", metric.value))
            .expected(metric.example());
    }
    if !baseline.faults.is_empty() {
        problems
            .error(code::SHAPE, limit.place, format!("`{}` has faults of its own, so it is no baseline", baseline.name))
            .help("put a phase without faults first");
    }
    Some(Limit::AtMostTimes(*factor))
}

/// True for what scales: response times, attempts, the proxy's cost.
pub(super) fn comparable(metric: &Metric) -> bool {
    matches!(metric, Metric::Response { .. } | Metric::AttemptsPerRequest | Metric::CpuOfProxy | Metric::MemoryOfProxy)
}

/// A limit with a number of its own, in the metric's base unit.
pub(super) fn absolute(metric: &Placed<Metric>, limit: &Placed<Written>, problems: &mut Problems) -> Option<Limit> {
    let (quantity, resolved): (_, fn(f64) -> Limit) = match &limit.value {
        Written::AtMost(quantity) => (*quantity, Limit::AtMost),
        Written::AtLeast(quantity) => (*quantity, Limit::AtLeast),
        Written::Exactly(quantity) => (*quantity, Limit::Exactly),
        Written::AtMostTimes { .. } => return None,
    };
    if !metric.takes(quantity) {
        problems
            .error(code::UNIT, limit.place, format!("`{}` is not measured in that unit", metric.value))
            .expected(metric.example());
        return None;
    }
    Some(resolved(quantity.base()))
}

/// Confidence is for shares; 50% to 99.99%.
pub(super) fn check_confidence(block: &written::Metrics, problems: &mut Problems) {
    let Some(confidence) = block.confidence else { return };
    if !(50.0..=99.99).contains(&confidence.0) {
        problems
            .error(code::RANGE, confidence.place, format!("a confidence of {}", confidence.value))
            .expected("50% to 99.99%, such as `95%`");
    }
    if !block.limits.iter().any(|(metric, _)| is_share(metric)) {
        problems
            .error(
                code::SHAPE,
                confidence.place,
                "`confidence` is for `success` and `degraded`, and neither stands here",
            )
            .help("leave `confidence` out");
    }
}

/// The confidence that a metric of the block is judged with.
pub(super) fn confidence(block: &written::Metrics, metric: &Metric) -> Option<Percent> {
    block.confidence.map(|confidence| confidence.value).filter(|_| is_share(metric))
}

fn is_share(metric: &Metric) -> bool {
    matches!(metric, Metric::Success | Metric::Degraded)
}
