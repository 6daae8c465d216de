//! Expected healing that the timeline leaves no time for, or that nothing calls for.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::plan::{Plan, Window};
use crate::scenario::resolve::policies::Facts;
use crate::scenario::resolved::{Expectation, HealingKind, Limit, Metric, Phase, PlannedFault, Subject};
use crate::topology::InstanceName;
use crate::units::TimeSpan;
use std::time::Duration;

/// A service has recovered once it met its limits for so long.
const STEADY: Duration = Duration::from_secs(5);
/// An instance is back once it had its share for so long.
const BACK: Duration = Duration::from_secs(1);

/// Checks each expected healing.
pub(in super::super) fn healing(expectations: &[Expectation], plan: &Plan<'_>, facts: &Facts, problems: &mut Problems) {
    for expectation in expectations {
        let Subject::Healing(kind) = &expectation.subject else { continue };
        let within = match expectation.limit {
            Limit::Within(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            _ => Duration::ZERO,
        };
        let case = Case { expectation, within, plan };
        match kind {
            HealingKind::Ejected(instance) => case.ejected(instance, facts, problems),
            HealingKind::NotEjected(_) => {}
            HealingKind::Readmitted(instance) => case.readmitted(instance, problems),
            HealingKind::Recovered(service) => case.recovered(service, expectations, problems),
            HealingKind::Restarted(instance) => case.restarted(instance, facts, problems),
            HealingKind::RolledBack { service, version } => case.rolled_back(service, version, problems),
            HealingKind::Refused(phase) => case.refused(phase, problems),
        }
    }
}

struct Case<'a> {
    expectation: &'a Expectation,
    within: Duration,
    plan: &'a Plan<'a>,
}

impl<'a> Case<'a> {
    fn fault(&self, hit: impl Fn(&InstanceName) -> bool) -> Option<(&'a PlannedFault, Window)> {
        self.plan.faults().find(|(fault, _)| hit(&fault.target))
    }

    fn released(&self, service: &str) -> bool {
        self.plan.timeline.iter().flat_map(Phase::releases).any(|release| release.service == service)
    }

    fn ejected(&self, instance: &InstanceName, facts: &Facts, problems: &mut Problems) {
        let Some((fault, window)) = self.fault(|target| target == instance) else {
            if !self.released(&instance.service) {
                self.nothing_hits(instance, problems);
            }
            return;
        };
        let silence = self.plan.silence(instance);
        let offered = self.plan.offered(instance);
        if offered <= 0.0 {
            problems.error(
                code::TIME,
                self.expectation.place,
                format!("`{instance}` gets no traffic, so its silence says nothing"),
            );
            return;
        }
        let lasting = window.length();
        let needed = self.within.saturating_add(silence);
        if lasting < needed {
            problems
                .error(
                    code::TIME,
                    self.expectation.place,
                    format!(
                        "`{}` lasts {}, but {} needs {} + {} of silence = {}",
                        fault.what,
                        TimeSpan(lasting),
                        self.expectation.written,
                        TimeSpan(self.within),
                        rounded(silence),
                        rounded(needed)
                    ),
                )
                .help(format!(
                    "silence counts once 20 requests should have come, at {offered:.1}/s, and after 1s at the earliest; make the \
                     fault longer, or `within` shorter"
                ));
        }
        let Some(base) = facts.base_ejection(&instance.service) else { return };
        let least = silence.saturating_mul(3) / 2;
        if base < least {
            problems
                .error(
                    code::TIME,
                    self.expectation.place,
                    format!(
                        "an ejection lasts {} at first, too short to be told from a gap: {} needs 1.5 x {} of silence = {}",
                        TimeSpan(base),
                        self.expectation.written,
                        rounded(silence),
                        rounded(least)
                    ),
                )
                .help("raise `baseEjectionTime`, or the rate");
        }
    }

    fn readmitted(&self, instance: &InstanceName, problems: &mut Problems) {
        let Some((_, window)) = self.fault(|target| target == instance) else {
            self.nothing_hits(instance, problems);
            return;
        };
        self.leaves(window.to, BACK, "after the fault", problems);
    }

    fn recovered(&self, service: &str, expectations: &[Expectation], problems: &mut Problems) {
        let Some((_, window)) = self.fault(|target| target.service == service) else {
            if !self.released(service) {
                problems.error(
                    code::SHAPE,
                    self.expectation.place,
                    format!("no fault hits `{service}`, so there is nothing to recover from"),
                );
            }
            return;
        };
        let broken =
            self.plan.phases().find(|(phase, _)| phase.faults.iter().any(|fault| fault.target.service == service));
        let judged = |phase: &str| {
            expectations.iter().any(|expectation| {
                matches!(&expectation.subject, Subject::Phase { phase: of, metric: Metric::Success | Metric::Lost | Metric::Response { .. }, .. } if of == phase)
            })
        };
        if let Some((phase, _)) = broken.filter(|(phase, _)| !judged(&phase.name)) {
            problems
                .error(
                    code::SHAPE,
                    self.expectation.place,
                    format!("nothing says when `{service}` is well: `{}` has no limit", phase.name),
                )
                .help(format!("write one: `{}: {{success: \">= 99.9%\"}}`", phase.name));
        }
        self.leaves(window.from, STEADY, "from the fault on", problems);
    }

    fn restarted(&self, instance: &InstanceName, facts: &Facts, problems: &mut Problems) {
        let Some((_, window)) = self.fault(|target| target == instance) else {
            self.nothing_hits(instance, problems);
            return;
        };
        let restarts =
            self.plan.faults().any(|(fault, _)| fault.target == *instance && fault.fault.kind.is_restarted());
        if !restarts && !facts.restarts(&instance.service) {
            problems.error(code::SHAPE, self.expectation.place, format!("nothing restarts `{instance}`")).help(
                "kill it with `restart: supervisor`, or give the service a liveness probe by `manifest` or `health`",
            );
        }
        self.leaves(window.from, Duration::ZERO, "from the fault on", problems);
    }

    fn rolled_back(&self, service: &str, version: &str, problems: &mut Problems) {
        let release = self.plan.phases().find_map(|(phase, window)| {
            let mut releases = phase.releases();
            releases
                .find(|release| release.service == service && release.to == version)
                .map(|release| (release, window))
        });
        match release {
            None => {
                problems.error(code::SHAPE, self.expectation.place, format!("nothing releases `{service}@{version}`"));
            }
            Some((release, _)) if release.roll_back_below.is_none() => {
                problems
                    .error(code::SHAPE, self.expectation.place, "the release says not when it is taken back")
                    .help("add `roll-back-when: {success: \"< 99%\", over: 2s}` to it");
            }
            Some((_, window)) => self.leaves(window.from, Duration::ZERO, "from the release on", problems),
        }
    }

    fn refused(&self, phase: &str, problems: &mut Problems) {
        let applied =
            self.plan.phases().find(|(candidate, _)| candidate.name == phase && candidate.applied().count() > 0);
        match applied {
            None => {
                problems
                    .error(code::SHAPE, self.expectation.place, format!("nothing is applied in phase `{phase}`"))
                    .help("add `do: [{apply: policies/broken.yaml}]` to it");
            }
            Some((_, window)) => self.leaves(window.from, Duration::ZERO, "from the push on", problems),
        }
    }

    fn nothing_hits(&self, instance: &InstanceName, problems: &mut Problems) {
        let hit: Vec<String> = self.plan.faults().map(|(fault, _)| fault.target.to_string()).collect();
        problems
            .error(code::SHAPE, self.expectation.place, format!("no fault hits `{instance}`"))
            .names(&instance.to_string(), hit.iter().map(String::as_str));
    }

    /// The timeline must leave `within` and the time that shows it.
    fn leaves(&self, from: Duration, shown: Duration, what: &str, problems: &mut Problems) {
        let left = self.plan.end().saturating_sub(from);
        let needed = self.within.saturating_add(shown);
        if left < needed {
            problems
                .error(
                    code::TIME,
                    self.expectation.place,
                    format!(
                        "the timeline has {} {what}, but {} needs {} + {} to show it = {}",
                        TimeSpan(left),
                        self.expectation.written,
                        TimeSpan(self.within),
                        TimeSpan(shown),
                        TimeSpan(needed)
                    ),
                )
                .help("make the last phase longer");
        }
    }
}

/// To the millisecond, for people.
fn rounded(span: Duration) -> TimeSpan {
    TimeSpan(Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}
