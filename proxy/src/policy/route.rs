//! Routing: which requests, and what becomes of them.

mod answer;
mod forward;
mod matching;
mod rewrite;

pub use answer::{DirectResponse, Redirect, RedirectPort};
pub use forward::{Forward, GrpcDeadline, GrpcTimeout, Priority, Target, WeightedCluster};
pub use matching::{HeaderMatch, PathMatch, QueryMatch, RouteMatch};
pub use rewrite::{HostRewrite, PathRewrite, Rewrite};

use super::{CorsPolicy, FaultInjection, HeaderOperations, HeaderRules, Origin, RateLimit, RouteDescriptions};
use serde::Serialize;
use std::sync::Arc;

/// All routes of a listener.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RouteTable {
    /// Its name, possibly empty.
    pub name: String,
    /// Chosen by the authority of a request.
    pub virtual_hosts: Vec<VirtualHost>,
    /// The port of an authority does not count; true in Istio.
    pub ignore_port_in_host: bool,
}

/// The routes of some hosts. A request that matches none of them is answered 404.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VirtualHost {
    /// Its name.
    pub name: String,
    /// In lower case: exact, `*.suffix`, `prefix.*`, `*`; each once in a table.
    pub domains: Vec<String>,
    /// In order; the first that matches.
    pub routes: Vec<Arc<Route>>,
    /// Requests that did not come by TLS are sent there.
    pub require_tls: bool,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Route {
    /// Its name, if it has one.
    pub name: String,
    /// Which requests.
    pub matches: RouteMatch,
    /// What becomes of them.
    pub action: Action,
    /// Changes of fields, in the order in which they are made: those of the route, its host, its table.
    pub headers: Vec<HeaderRules>,
    /// The destination's own changes come behind those, instead of ahead.
    pub destination_headers_last: bool,
    /// What filters do on this route instead of what the listener says.
    pub filters: RouteFilters,
    /// How its requests are described for limits.
    pub descriptions: RouteDescriptions,
    /// Tells the upstream which try a request is, by `x-envoy-attempt-count`; true in Istio.
    pub attempt_count_in_request: bool,
    /// Tells the client how many tries it took.
    pub attempt_count_in_response: bool,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

/// What filters do on a route.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RouteFilters {
    /// Faults.
    pub fault: Option<Arc<FaultInjection>>,
    /// Who may ask across origins.
    pub cors: Option<Arc<CorsPolicy>>,
    /// How many requests.
    pub rate_limit: Option<Arc<RateLimit>>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Sent on.
    Forward(Box<Forward>),
    /// Answered with another place.
    Redirect(Redirect),
    /// Answered as it stands.
    Direct(DirectResponse),
}

impl Route {
    /// Every request that matches, with what becomes of it and nothing else.
    pub fn new(matches: RouteMatch, action: Action) -> Self {
        Self {
            name: String::new(),
            matches,
            action,
            headers: Vec::new(),
            destination_headers_last: false,
            filters: RouteFilters::default(),
            descriptions: RouteDescriptions::default(),
            attempt_count_in_request: false,
            attempt_count_in_response: false,
            origin: Origin::default(),
        }
    }

    /// How it sends requests on, if it does.
    pub fn forward(&self) -> Option<&Forward> {
        match &self.action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn forward_mut(&mut self) -> Option<&mut Forward> {
        match &mut self.action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Changes of the request's fields, in order.
    pub fn request_operations<'a>(
        &'a self,
        destination: Option<&'a HeaderRules>,
    ) -> impl Iterator<Item = &'a HeaderOperations> {
        self.in_order(destination).map(|rules| &rules.request)
    }

    /// Changes of the answer's fields, in order.
    pub fn response_operations<'a>(
        &'a self,
        destination: Option<&'a HeaderRules>,
    ) -> impl Iterator<Item = &'a HeaderOperations> {
        self.in_order(destination).map(|rules| &rules.response)
    }

    fn in_order<'a>(&'a self, destination: Option<&'a HeaderRules>) -> impl Iterator<Item = &'a HeaderRules> {
        let (first, last) = if self.destination_headers_last { (None, destination) } else { (destination, None) };
        first.into_iter().chain(&self.headers).chain(last)
    }
}
