//! An explanation as data: what `--format json` prints. Keys only grow. A place is `file:line` or `file:line:column`, and empty where
//! nobody wrote what it would be the place of.

use super::Setting;
use serde::Serialize;
use std::collections::BTreeMap;

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// Whose behaviour is followed.
    pub istio_version: String,
    /// The request.
    pub request: Asked,
    /// Services that nothing lists, taken to be there since policies name them.
    pub assumed_services: Vec<String>,
    /// Healing that was taken out.
    pub disarmed: Vec<&'static str>,
    /// What goes beyond Envoy, switched on.
    pub beyond_envoy: Vec<&'static str>,
    /// Objects and rules that have become no route of this listener.
    pub left_out: Vec<PassedOver>,
    /// Which listener takes it.
    pub listener: Option<Listener>,
    /// Filter chains that its connection does not meet.
    pub chains_passed_over: Vec<PassedOver>,
    /// The one that it meets.
    pub chain: Option<Chain>,
    /// The virtual host that its authority means.
    pub virtual_host: Option<Host>,
    /// What becomes of it: one way, unless routes are for a share of the requests.
    pub ways: Vec<Way>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// As the client writes it.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Port that the client dialled.
    pub port: u16,
    /// Its fields, without secrets.
    pub headers: Vec<(String, String)>,
    /// Labels of the caller, as far as they were asked for.
    pub source_labels: BTreeMap<String, String>,
}

/// Something that is not for this request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PassedOver {
    /// Where it stands.
    pub place: String,
    /// Its name, possibly empty.
    pub name: String,
    /// Which condition is not met: `prefix`, `exact`, `method`, `source labels`, ...
    pub condition: String,
    /// What it wants.
    pub wanted: String,
    /// What the request has.
    pub given: String,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// Where it stands.
    pub place: String,
}

/// A filter chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chain {
    /// Its name, possibly empty.
    pub name: String,
    /// Where it stands.
    pub place: String,
    /// It is used since no other matches.
    pub by_default: bool,
    /// TLS is ended here.
    pub ends_tls: bool,
    /// `requests` or `bytes`.
    pub serves: &'static str,
}

/// A virtual host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The authority as it was looked up.
    pub asked: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// Where it stands.
    pub place: String,
    /// How many routes it has.
    pub routes: usize,
}

/// One way on which a request may go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Way {
    /// Of so many such requests, in percent.
    pub percent: f64,
    /// Routes ahead that it does not take.
    pub passed_over: Vec<PassedOver>,
    /// Where it leads.
    pub outcome: Outcome,
}

impl Way {
    /// The only one.
    pub(super) fn all(outcome: Outcome) -> Self {
        Self { percent: 100.0, passed_over: Vec::new(), outcome }
    }
}

/// Where a way leads.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Outcome {
    /// There is no connection, or not for long.
    Closed {
        /// Why.
        why: String,
    },
    /// The proxy answers by itself, without a route.
    Refused(Refusal),
    /// The client has to come again.
    Elsewhere {
        /// The status.
        status: u16,
        /// Where.
        location: String,
        /// Why.
        why: String,
    },
    /// A route has it.
    Route(Box<Route>),
    /// Bytes are passed on.
    Bytes {
        /// Where to, each with its share.
        destinations: Vec<Destination>,
        /// Times.
        settings: Vec<Setting>,
    },
}

/// An answer of the proxy's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// `%RESPONSE_FLAGS%` of it, possibly empty.
    pub flags: String,
    /// `%RESPONSE_CODE_DETAILS%` of it.
    pub details: String,
    /// Why, in a sentence.
    pub why: String,
}

/// The route of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Route {
    /// Its name, possibly empty.
    pub name: String,
    /// Where it stands; empty for the mesh's own.
    pub place: String,
    /// Its conditions, all of which are met; none is every request.
    pub conditions: Vec<String>,
    /// The filters ahead of the router, in their order.
    pub filters: Vec<Filter>,
    /// What becomes of the request behind them.
    pub action: Action,
    /// Changes of the answer's fields, in order.
    pub response_headers: Vec<String>,
}

/// An HTTP filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Filter {
    /// `fault`, `cors`, `rate limit`, `health check`.
    pub name: &'static str,
    /// What it does with this request.
    pub does: String,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Action {
    /// Nothing: a filter has answered.
    Answered,
    /// The client is sent elsewhere.
    Redirect {
        /// The status.
        status: u16,
        /// Where.
        location: String,
    },
    /// An answer that stands in the policy.
    Direct {
        /// The status.
        status: u16,
        /// Bytes of its body.
        body_bytes: usize,
    },
    /// It is sent on.
    Forward(Box<Forward>),
}

/// How a request is sent on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Forward {
    /// Times and what else holds for the request as a whole.
    pub settings: Vec<Setting>,
    /// When it is tried again.
    pub retries: Vec<Setting>,
    /// Copies.
    pub mirrors: Vec<Mirror>,
    /// Where it may go.
    pub destinations: Vec<Destination>,
}

/// A copy of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mirror {
    /// The cluster.
    pub cluster: String,
    /// Of how many requests: `10%`.
    pub share: String,
    /// There is such a cluster.
    pub known: bool,
}

/// A cluster that a request may go to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Destination {
    /// Its name.
    pub cluster: String,
    /// Of so many requests of the way, in percent.
    pub percent: f64,
    /// What is answered since there is no such cluster.
    pub missing: Option<Refusal>,
    /// Host of the service, possibly empty.
    pub service: String,
    /// The subset, possibly empty.
    pub subset: String,
    /// Where the policy for it stands; empty where there is none.
    pub place: String,
    /// The host that the endpoint is told.
    pub host: String,
    /// The path that it is told.
    pub path: String,
    /// Changes of the request's fields, in order.
    pub request_headers: Vec<String>,
    /// Its endpoints; the clients' own destination where none are listed.
    pub endpoints: Vec<Endpoint>,
    /// What is to be said of them all.
    pub note: String,
    /// Load balancing, outlier detection, breakers, connections, active checks, TLS: each with its settings.
    pub groups: Vec<Group>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Endpoint {
    /// Where it listens.
    pub address: String,
    /// `healthy`, `unhealthy`, `degraded` or `draining`, by discovery.
    pub health: &'static str,
    /// Of so many picks, in percent, while all are equally busy.
    pub percent: f64,
    /// 0 is used first.
    pub priority: u32,
    /// `region/zone/sub-zone`, possibly empty.
    pub locality: String,
}

/// Settings that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Group {
    /// `outlier detection`.
    pub name: &'static str,
    /// What holds in a word, where there is one: `off`.
    pub is: String,
    /// Its settings.
    pub settings: Vec<Setting>,
}
