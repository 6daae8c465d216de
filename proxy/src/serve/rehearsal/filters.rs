//! What the filters of a listener do with a request.

use super::Scene;
use crate::filter::conditions::Asked;
use crate::filter::cors::{self, Cors};
use crate::filter::fault;
use crate::policy::{Abort, AbortWith, FaultInjection, Fraction, HttpFilter, RateLimit, Route};
use crate::serve::health_check;

/// A filter at its place in the order.
pub(crate) struct FilterRun<'c> {
    /// Which.
    pub filter: &'c HttpFilter,
    /// What it does.
    pub does: Does<'c>,
}

/// What a filter does.
pub(crate) enum Does<'c> {
    /// Nothing with this request.
    Nothing,
    /// It answers a health check itself.
    AnswersHealthCheck,
    /// It answers whether a request across origins may be made.
    AnswersPreflight(u16),
    /// It lets the answer say that its origin is allowed.
    AllowsOrigin,
    /// It makes faults; true: those of the route.
    Faults(&'c FaultInjection, bool),
    /// It counts requests; true: by the limit of the route.
    Limits(&'c RateLimit, bool),
}

impl Does<'_> {
    /// True if no such request gets past it.
    pub(super) fn answers_all(&self) -> bool {
        match self {
            Self::AnswersHealthCheck | Self::AnswersPreflight(_) => true,
            Self::Faults(injection, _) => {
                let certain = |abort: Abort| abort.share >= Fraction::ALL && abort.with != AbortWith::Header;
                injection.abort.is_some_and(certain) && injection.max_active.is_none()
            }
            Self::Nothing | Self::AllowsOrigin | Self::Limits(..) => false,
        }
    }
}

/// All filters up to the first that answers every such request.
pub(super) fn run<'c>(scene: &Scene<'c, '_>, route: &'c Route) -> Vec<FilterRun<'c>> {
    let mut runs: Vec<FilterRun<'c>> = Vec::new();
    for filter in &scene.manager.filters {
        let does = does(scene, filter, route);
        let over = does.answers_all();
        runs.push(FilterRun { filter, does });
        if over {
            break;
        }
    }
    runs
}

fn does<'c>(scene: &Scene<'c, '_>, filter: &'c HttpFilter, route: &'c Route) -> Does<'c> {
    let request = scene.request;
    match filter {
        HttpFilter::HealthCheck(own) => {
            let asks = health_check::asks(own, request);
            if asks && !own.pass_through { Does::AnswersHealthCheck } else { Does::Nothing }
        }
        HttpFilter::Cors => {
            let policy = route.filters.cors.as_ref().filter(|_| route.forward().is_some());
            let policy = policy.filter(|policy| policy.enabled != Some(Fraction::NONE));
            match policy.map(|policy| cors::judge(policy, request)) {
                Some(Cors::Answer(response)) => Does::AnswersPreflight(response.status),
                Some(Cors::Allow) => Does::AllowsOrigin,
                Some(Cors::PassOn) | None => Does::Nothing,
            }
        }
        HttpFilter::Fault(own) => {
            let of_route = route.filters.fault.as_deref();
            let injection = of_route.or(own.as_ref());
            let clusters = route.forward().into_iter().flat_map(|forward| forward.to.clusters());
            let known = |name: &&str| scene.config.clusters.iter().any(|cluster| cluster.name == *name);
            let cluster = clusters.map(|to| to.name.as_str()).next().filter(known);
            let asked = Asked::new(request, scene.peer.scheme(), 0);
            let meant = injection.filter(|injection| fault::is_meant(injection, cluster, &asked));
            meant.map_or(Does::Nothing, |injection| Does::Faults(injection, of_route.is_some()))
        }
        HttpFilter::LocalRateLimit(own) => match &route.filters.rate_limit {
            Some(limit) => Does::Limits(limit, true),
            None => Does::Limits(own, false),
        },
    }
}
